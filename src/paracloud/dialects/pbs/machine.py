"""Nodes and queues of a PBS, whichever flavour told of them, brought together into what the platform asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from paracloud.dialects.pbs.text import size_bytes, wall
from paracloud.dialects.records import NodeInfo, QueueInfo
from paracloud.dialects.text import few, printable

QUEUES_MOST, NODES_MOST, QUEUES_OF_A_NODE = 1000, 50_000, 200
CORES_MOST, MEMORY_MOST_BYTES = 1_000_000, 1 << 50
"""Of one node; sums over all of them stay far within a BIGINT. No centre has more; one that says so is not believed."""


@dataclass(frozen=True, slots=True)
class Node:
    """`marks` are what queues choose their nodes by; with none at all, a queue takes every node. `queue`: the only one
    whose jobs it takes; empty where there is no such."""

    name: str
    state: str
    is_usable: bool
    cores: int
    used_cores: int
    memory_bytes: int
    gpus: int
    used_gpus: int
    gpu_model: str | None
    queue: str
    marks: frozenset[str]

    @property
    def free_cores(self) -> int:
        return max(self.cores - self.used_cores, 0) if self.is_usable else 0


@dataclass(frozen=True, slots=True)
class Queue:
    """`wants` is the mark of its nodes; empty: any. `leads_to`: the queues that a routing queue hands its jobs to."""

    name: str
    is_up: bool
    wants: str
    leads_to: tuple[str, ...]
    max_wall: timedelta | None
    max_nodes: int | None


def checked(node: Node) -> Node:
    """ValueError where it is larger than any node."""
    if max(node.cores, node.gpus) > CORES_MOST or node.memory_bytes > MEMORY_MOST_BYTES:
        raise ValueError("no node is as large")
    return node


def queue(name: str, said: Mapping[str, str], wants: str) -> Queue:
    nodes = said.get("resources_max.nodect", "")
    return Queue(
        name=printable(name, 200),
        is_up=said.get("enabled") == "True" and said.get("started") == "True",
        wants=wants,
        leads_to=tuple(one.partition("@")[0] for one in said.get("route_destinations", "").split(",") if one),
        max_wall=wall(said.get("resources_max.walltime", "")),
        max_nodes=few(nodes) if nodes else None,
    )


def bytes_of(text: str) -> int:
    return size_bytes(text) if text else 0


def together(queues: Sequence[Queue], nodes: Sequence[Node], default: str) -> tuple[list[QueueInfo], list[NodeInfo]]:
    """ValueError for more than any centre has."""
    if len(queues) > QUEUES_MOST or len(nodes) > NODES_MOST:
        raise ValueError("there are more of them than any centre has")
    by_name = {one.name: one for one in queues}
    members = {one.name: _members(one, by_name, nodes) for one in queues}
    infos = [_queue(one, by_name, members[one.name], is_default=one.name == default) for one in queues]
    names = {id(node): [] for node in nodes}  # type: dict[int, list[str]]
    for name, its in members.items():
        for node in its:
            names[id(node)].append(name)
    return infos, [_node(node, names[id(node)]) for node in nodes]


def _members(one: Queue, by_name: Mapping[str, Queue], nodes: Sequence[Node]) -> list[Node]:
    ends = [by_name[name] for name in one.leads_to if name in by_name and not by_name[name].leads_to] or [one]
    return [node for node in nodes if any(_takes(end, node) for end in ends)]


def _takes(one: Queue, node: Node) -> bool:
    return node.queue == one.name if node.queue else not one.wants or one.wants in node.marks


def _queue(one: Queue, by_name: Mapping[str, Queue], members: Sequence[Node], *, is_default: bool) -> QueueInfo:
    usable = [node for node in members if node.is_usable]
    models = [node for node in members if node.gpu_model]
    ends = [by_name[name] for name in one.leads_to if name in by_name]
    walls, nodes = [end.max_wall for end in ends], [end.max_nodes for end in ends]
    return QueueInfo(
        name=one.name,
        is_up=one.is_up and (not ends or any(end.is_up for end in ends)),
        is_default=is_default,
        nodes=len(members),
        cores=sum(node.cores for node in members),
        free_cores=sum(node.free_cores for node in members),
        free_nodes=sum(node.free_cores == node.cores for node in usable),
        cores_per_node=max((node.cores for node in members), default=0),
        memory_per_node_bytes=max((node.memory_bytes for node in members), default=0),
        gpus_per_node=max((node.gpus for node in members), default=0),
        gpu_model=max(models, key=lambda node: node.gpus).gpu_model if models else None,
        free_gpus=sum(max(node.gpus - node.used_gpus, 0) for node in usable),
        max_wall=one.max_wall or (max(filter(None, walls)) if walls and None not in walls else None),
        max_nodes=one.max_nodes or (max(filter(None, nodes)) if nodes and None not in nodes else None),
    )


def _node(node: Node, queues: Sequence[str]) -> NodeInfo:
    return NodeInfo(
        name=printable(node.name, 200),
        native_state=printable(node.state, 200),
        cores=node.cores,
        free_cores=node.free_cores,
        memory_bytes=node.memory_bytes,
        gpus=node.gpus,
        gpu_model=node.gpu_model,
        queues=tuple(queues[:QUEUES_OF_A_NODE]),
    )
