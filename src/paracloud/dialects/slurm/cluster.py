"""What a centre has and what of it is free, from scontrol: queues with their limits, nodes with their load."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import prod

from paracloud.dialects.answers import broken
from paracloud.dialects.records import NodeInfo, QueueInfo
from paracloud.dialects.slurm.answers import SLURM
from paracloud.dialects.slurm.text import gpus_in_gres, wall
from paracloud.dialects.text import count, printable
from paracloud.kit.command import Command, Completed

NODES = ("scontrol", "-o", "-d", "show", "node")
_ALL = (
    'scontrol -o show partition && printf "\\n%s\\n" "$1" && scontrol show config && printf "\\n%s\\n" "$1"'
    " && scontrol -o -d show node"
)
_SETTING = re.compile(r"^([A-Za-z]\w*) *= (\S+)", re.MULTILINE)
_FIELD = re.compile(r"(?:^| )([A-Za-z][A-Za-z0-9_]*)=(\S*)")
_USABLE = frozenset({"IDLE", "MIXED", "ALLOCATED", "PLANNED", "COMPLETING", "CLOUD", "NON_EXCL"})
"""Every other word in a node's state keeps new jobs away: DOWN, DRAIN, MAINT, RESERVED, NOT_RESPONDING…"""
_SHARES_NODES = frozenset({"select/cons_tres", "select/cons_res"})
"""Every other plugin gives whole nodes, to whoever asks for a part too: select/linear, and on a Cray what is laid on it
unless it is told otherwise."""
_SOCKETS, _A_CORE_A_TASK = "CR_SOCKET", "CR_ONE_TASK_PER_CORE"
_MIB = 1 << 20
QUEUES_MOST, NODES_MOST, QUEUES_OF_A_NODE = 1000, 50_000, 200
CORES_MOST, MEMORY_MOST_MIB = 1_000_000, 1 << 30
"""Of one node; sums over all of them stay far within a BIGINT. No centre has more; one that says so is not believed."""


@dataclass(frozen=True, slots=True)
class _Node:
    info: NodeInfo
    free_gpus: int
    threads_per_core: int
    cores_per_socket: int


@dataclass(frozen=True, slots=True)
class _Memory:
    """Of each core or of each node; neither where there is no limit."""

    per_core: int | None
    per_node: int | None


_UNSAID = _Memory(None, None)


@dataclass(frozen=True, slots=True)
class _Cluster:
    """What holds in each queue that has no setting of its own."""

    gives_whole_nodes: bool
    gives_whole_sockets: bool
    gives_each_task_cores: bool
    default_memory: _Memory
    max_memory: _Memory


def queues(nonce: str) -> Command[Sequence[QueueInfo]]:
    """Partitions that this account may see: hidden ones, and those of other groups, are not among them. An answer
    without the configuration is refused: what it would say of memory and nodes is charged."""
    argv = ("bash", "-c", _ALL, "paracloud-queues", nonce)

    def parse(completed: Completed) -> Sequence[QueueInfo]:
        parts = SLURM.output_of(completed, argv).split(nonce)
        if len(parts) != 3:
            raise broken("gave only a part of an answer", "只给出了一部分答复", completed, argv)
        partitions, config, nodes = parts
        cluster, members = _cluster(config, completed, argv), _by_queue(_nodes(nodes, completed, argv))
        try:
            lines = _lines(partitions, "PartitionName", QUEUES_MOST)
            if len({fields["PartitionName"] for fields in lines}) < len(lines):
                raise ValueError("the same one twice")
            return tuple(_queue(fields, cluster, members) for fields in lines)
        except (ValueError, KeyError) as error:
            raise _odd("partition", error, completed, argv) from None

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=60), cost=3)


def nodes() -> Command[Sequence[NodeInfo]]:
    return Command(
        argv=NODES,
        parse=lambda completed: tuple(n.info for n in _nodes(SLURM.output_of(completed, NODES), completed, NODES)),
        timeout=timedelta(seconds=60),
    )


def ping() -> Command[str]:
    """The controller's own version; the client's may be another."""
    argv = ("scontrol", "show", "config")

    def parse(completed: Completed) -> str:
        version = re.search(r"^SLURM_VERSION\s*=\s*(\S+)", SLURM.output_of(completed, argv), re.MULTILINE)
        if not version:
            raise broken("named no version", "没有给出版本", completed, argv)
        return f"Slurm {printable(version[1], 40)}"

    return Command(argv=argv, parse=parse)


def _lines(text: str, key: str, most: int) -> Sequence[Mapping[str, str]]:
    """One record a line. The first of two equal keys counts: free text (Reason, Comment) stands behind. ValueError for
    more than `most`."""
    found: list[Mapping[str, str]] = []
    for line in text.split("\n"):
        if line.startswith(key + "="):
            if len(found) == most:
                raise ValueError(f"more than {most} of them")
            fields: dict[str, str] = {}
            for name, value in _FIELD.findall(line):
                fields.setdefault(name, value)
            found.append(fields)
    return found


def _nodes(text: str, completed: Completed, argv: Sequence[str]) -> tuple[_Node, ...]:
    try:
        return tuple(_node(fields) for fields in _lines(text, "NodeName", NODES_MOST))
    except (ValueError, KeyError) as error:
        raise _odd("node", error, completed, argv) from None


def _odd(kind: str, error: Exception, completed: Completed, argv: Sequence[str]) -> Exception:
    return broken(f"described a {kind} that is not understood: {error}", "给出了无法理解的描述", completed, argv)


def _cluster(text: str, completed: Completed, argv: Sequence[str]) -> _Cluster:
    settings = dict(_SETTING.findall(text))
    try:
        return _Cluster(
            gives_whole_nodes=settings["SelectType"] not in _SHARES_NODES,
            gives_whole_sockets=_SOCKETS in settings["SelectTypeParameters"],
            gives_each_task_cores=_A_CORE_A_TASK in settings["SelectTypeParameters"],
            default_memory=_memory(settings, "Def") or _UNSAID,
            max_memory=_memory(settings, "Max") or _UNSAID,
        )
    except (ValueError, KeyError) as error:
        raise _odd("configuration", error, completed, argv) from None


def _memory(fields: Mapping[str, str], kind: str) -> _Memory | None:
    """None: nothing of its own, which is told as no limit of a node. No limit of a core is one of its
    own, and lifts the cluster's (what a real controller did)."""
    if (per_core := fields.get(f"{kind}MemPerCPU")) is not None:
        return _Memory(_mebibytes(per_core), None)
    per_node = _mebibytes(fields[f"{kind}MemPerNode"])
    return None if per_node is None else _Memory(None, per_node)


def _mebibytes(text: str) -> int | None:
    return None if text == "UNLIMITED" else _at_most(text, MEMORY_MOST_MIB) * _MIB or None


def _node(fields: Mapping[str, str]) -> _Node:
    models = gpus_in_gres(fields.get("Gres", ""))
    used = gpus_in_gres(fields.get("GresUsed", ""))
    cores = _at_most(fields.get("CPUEfctv") or fields["CPUTot"], CORES_MOST)
    state = fields["State"]
    queues = fields.get("Partitions", "").split(",", QUEUES_OF_A_NODE)
    if len(queues) > QUEUES_OF_A_NODE or sum(models.values()) > CORES_MOST:
        raise ValueError("no node has as many queues or cards")
    info = NodeInfo(
        name=printable(fields["NodeName"], 200),
        native_state=printable(state, 200),
        cores=cores,
        free_cores=max(cores - count(fields["CPUAlloc"]), 0) if _is_usable(state) else 0,
        memory_bytes=_at_most(fields["RealMemory"], MEMORY_MOST_MIB) * _MIB,
        gpus=sum(models.values()),
        gpu_model=max(models, key=lambda model: models[model]) or None if models else None,
        queues=tuple(printable(name, 200) for name in queues if name),
    )
    return _Node(info, max(info.gpus - sum(used.values()), 0), _threads_per_core(fields), _each(fields, "Sockets"))


def _threads_per_core(fields: Mapping[str, str]) -> int:
    """Not what the hardware has: a centre may count its cores alone (man slurm.conf, CPUs)."""
    return _each(fields, "Sockets", "CoresPerSocket")


def _each(fields: Mapping[str, str], *parts: str) -> int:
    return max(-(-count(fields["CPUTot"]) // max(prod(count(fields[part]) for part in parts), 1)), 1)


def _at_most(text: str, most: int) -> int:
    if (found := count(text)) > most:
        raise ValueError(f"{found} is more than any node has")
    return found


def _by_queue(nodes: Sequence[_Node]) -> Mapping[str, Sequence[_Node]]:
    found: dict[str, list[_Node]] = defaultdict(list)
    for node in nodes:
        for name in dict.fromkeys(node.info.queues):
            found[name].append(node)
    return found


def _is_usable(state: str) -> bool:
    """The state may carry flags (MIXED+DRAIN) and a mark: `*` no answer, `$` maintenance, `~` asleep, `-` planned."""
    return not set("*$@^!%").intersection(state) and set(re.findall(r"[A-Z_]+", state)) <= _USABLE


def _queue(partition: Mapping[str, str], cluster: _Cluster, nodes: Mapping[str, Sequence[_Node]]) -> QueueInfo:
    name = printable(partition["PartitionName"], 200)
    members = nodes.get(name, ())
    usable = [node for node in members if _is_usable(node.info.native_state)]
    models = [node.info for node in members if node.info.gpu_model]
    are_sockets_whole = cluster.gives_whole_sockets or _SOCKETS in partition["SelectTypeParameters"]
    default_memory = _memory(partition, "Def") or cluster.default_memory
    return QueueInfo(
        name=name,
        is_up=partition["State"] == "UP",
        is_default=partition.get("Default") == "YES",
        nodes=len(members),
        cores=sum(node.info.cores for node in members),
        free_cores=sum(node.info.free_cores for node in members),
        free_nodes=sum(node.info.free_cores == node.info.cores for node in usable),
        cores_per_node=max((node.info.cores for node in members), default=0),
        memory_per_node_bytes=max((node.info.memory_bytes for node in members), default=0),
        gpus_per_node=max((node.info.gpus for node in members), default=0),
        gpu_model=max(models, key=lambda node: node.gpus).gpu_model if models else None,
        free_gpus=sum(node.free_gpus for node in usable),
        max_wall=wall(partition["MaxTime"]),
        max_nodes=None if partition["MaxNodes"] == "UNLIMITED" else count(partition["MaxNodes"]),
        gives_whole_nodes=cluster.gives_whole_nodes or partition.get("OverSubscribe") == "EXCLUSIVE",
        threads_per_core=max(
            (node.cores_per_socket if are_sockets_whole else node.threads_per_core for node in members), default=1
        ),
        gives_each_task_cores=cluster.gives_each_task_cores or _A_CORE_A_TASK in partition["SelectTypeParameters"],
        max_memory_per_core_bytes=(_memory(partition, "Max") or cluster.max_memory).per_core,
        default_memory_per_core_bytes=default_memory.per_core,
        default_memory_per_node_bytes=default_memory.per_node,
    )
