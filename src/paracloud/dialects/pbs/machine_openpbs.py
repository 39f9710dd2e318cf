"""OpenPBS's own words for queues and nodes (qstat -Q, qstat -B and pbsnodes -a, each with -f -F json)."""

from collections.abc import Mapping

from paracloud.dialects.pbs.attributes import from_json, version_in_json
from paracloud.dialects.pbs.machine import Node, Queue, bytes_of, checked, queue, together
from paracloud.dialects.records import NodeInfo, QueueInfo
from paracloud.dialects.text import few, printable

QUEUES = ("qstat", "-Q", "-f", "-F", "json")
SERVER = ("qstat", "-B", "-f", "-F", "json")
NODES = ("pbsnodes", "-a", "-F", "json")
_USABLE = frozenset({"free", "job-busy", "job-exclusive"})
"""Any other word in a node's state keeps new jobs away: offline, down, state-unknown, stale, provisioning, sleep…
(pbs_node_attributes(7B), `state`)."""
_MARK = "Qlist"
"""The resource by which the administrator's guide has nodes bound to queues."""
_MODELS = ("gpu_model", "gpu_type", "gputype")


def read(queues: str, server: str, nodes: str) -> tuple[list[QueueInfo], list[NodeInfo]]:
    default = next((one.get("default_queue", "") for one in from_json(server, "Server").values()), "")
    found = [_queue(name, said) for name, said in from_json(queues, "Queue").items()]
    return together(found, [_node(name, said) for name, said in from_json(nodes, "nodes").items()], default)


def version(server: str) -> str:
    return version_in_json(server)


def _queue(name: str, said: Mapping[str, str]) -> Queue:
    return queue(name, said, said.get(f"default_chunk.{_MARK}", ""))


def _node(name: str, said: Mapping[str, str]) -> Node:
    has, used = "resources_available", "resources_assigned"
    model = next((said[f"{has}.{one}"] for one in _MODELS if said.get(f"{has}.{one}")), None)
    node = Node(
        name=name,
        state=said["state"],
        is_usable=set(said["state"].split(",")) <= _USABLE,
        cores=few(said.get(f"{has}.ncpus", "0")),
        used_cores=few(said.get(f"{used}.ncpus", "0")),
        memory_bytes=bytes_of(said.get(f"{has}.mem", "")),
        gpus=few(said.get(f"{has}.ngpus", "0")),
        used_gpus=few(said.get(f"{used}.ngpus", "0")),
        gpu_model=printable(model, 64) if model else None,
        queue=said.get("queue", ""),
        marks=frozenset(said.get(f"{has}.{_MARK}", "").split(",")),
    )
    return checked(node)
