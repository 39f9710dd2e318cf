"""Torque's own words for queues and nodes (qstat -Q -f, qstat -B -f, pbsnodes -x)."""

import re
from collections.abc import Mapping

from paracloud.dialects.pbs.attributes import from_lines, from_xml
from paracloud.dialects.pbs.machine import Node, Queue, bytes_of, checked, queue, together
from paracloud.dialects.records import NodeInfo, QueueInfo
from paracloud.dialects.text import few

QUEUES, SERVER, NODES = ("qstat", "-Q", "-f"), ("qstat", "-B", "-f"), ("pbsnodes", "-x")
_USABLE = frozenset({"free", "job-exclusive", "job-sharing", "busy"})
_WANTED = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*", re.ASCII)
_PROFESSIONAL = re.compile(r"(?:PBSPro_)?\d{2}", re.ASCII)
_SPAN = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?", re.ASCII)


def read(queues: str, server: str, nodes: str) -> tuple[list[QueueInfo], list[NodeInfo]]:
    default = next((one.get("default_queue", "") for one in from_lines(server).values()), "")
    found = [_queue(name, said) for name, said in from_lines(queues).items()]
    return together(found, [_node(name, said) for name, said in from_xml(nodes, "Node", "name").items()], default)


def version(server: str) -> str:
    """PBS Professional answers the same question in the same lines; its versions before JSON, 10 to 18, are neither
    flavour."""
    found = next((one.get("pbs_version", "") for one in from_lines(server).values()), "")
    if _PROFESSIONAL.match(found):
        raise ValueError(f"it is PBS Professional {found[:40]}; from 19.1 on it is spoken as openpbs")
    return found


def _queue(name: str, said: Mapping[str, str]) -> Queue:
    """`neednodes` names a property of nodes; a number there is a number of nodes."""
    wanted = said.get("resources_default.neednodes", "").partition(":")[0]
    return queue(name, said, wanted if _WANTED.fullmatch(wanted) else "")


def _node(name: str, said: Mapping[str, str]) -> Node:
    status = dict(part.partition("=")[::2] for part in said.get("status", "").split(",") if "=" in part)
    gpus = few(said.get("gpus", "0"))
    node = Node(
        name=name,
        state=said["state"],
        is_usable=set(said["state"].replace(" ", "").split(",")) <= _USABLE,
        cores=few(said["np"]),
        used_cores=_used(said.get("jobs", "")),
        memory_bytes=bytes_of(status.get("physmem", "")),
        gpus=gpus,
        used_gpus=_used_gpus(said.get("gpu_status", ""), gpus),
        gpu_model=None,
        queue="",
        marks=frozenset(said.get("properties", "").split(",")),
    )
    return checked(node)


def _used(jobs: str) -> int:
    """Cores, of 0/12.srv, 1/12.srv (Torque 2) or 0-3,6/12.srv (later)."""
    cores = 0
    for part in re.split(r",\s*", jobs) if jobs.strip() else ():
        span = _SPAN.fullmatch(part.partition("/")[0].strip())
        if span is None:
            raise ValueError(f"{part[:40]!r} are no cores of a job")
        cores += max(int(span[2] or span[1]) - int(span[1]), 0) + 1
    return cores


def _used_gpus(status: str, gpus: int) -> int:
    """Those of which it is not said that they are free."""
    return gpus - min(status.count("gpu_state=Unallocated"), gpus) if status else 0
