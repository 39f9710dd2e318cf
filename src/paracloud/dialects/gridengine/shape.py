"""What a request takes of Grid Engine: slots, how they are spread over hosts, memory of a slot, cards."""

from collections.abc import Iterator
from dataclasses import dataclass

from paracloud.dialects.records import Request
from paracloud.kit.errors import Unsupported

ONE_HOST, ANY = "$pe_slots", "$fill_up"
"""Rules by which a parallel environment spreads slots (man sge_pe, allocation_rule); a number is so many on each."""
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Slots:
    """A slot is a core. `rule` is None where there is one slot, which needs no parallel environment."""

    number: int
    rule: str | None
    hosts: int | None
    """None: as many as it takes."""


def slots(request: Request) -> Slots:
    """Without a number of nodes, tasks of one core may go anywhere. Tasks of several cores, memory of a node and cards
    are meant for one host then: nothing else keeps a task's cores together, or says how many nodes have that much."""
    number = request.tasks * request.cores_per_task
    hosts = _hosts(request)
    if hosts is None and (request.cores_per_task > 1 or request.memory_per_node_bytes or request.gpus_per_node):
        hosts = 1
    if number == 1:
        return Slots(1, None, 1)
    if hosts is None:
        return Slots(number, ANY, None)
    return Slots(number, ONE_HOST if hosts == 1 else str(number // hosts), hosts)


def resources(request: Request) -> Iterator[str]:
    """Of `-l`. `h_vmem` is what a slot is given of memory; `gpu` counts for the job, not for the slot."""
    taken = slots(request)
    if request.memory_per_core_bytes is not None:
        yield f"h_vmem={-(-request.memory_per_core_bytes // _MIB)}M"
    if request.memory_per_node_bytes is not None:
        on_each = taken.number // (taken.hosts or 1)
        # Never more than the node's, or more is booked than the job holds for: so it may be less by a byte a slot.
        yield f"h_vmem={_size(request.memory_per_node_bytes // on_each)}"
    if request.gpus_per_node:
        if taken.hosts != 1:
            raise Unsupported(
                "Grid Engine gives cards on one node only: ask for --nodes=1, or choose a centre with Slurm.",
                "Grid Engine 只能在一个节点上分配显卡：请用 --nodes=1，或选择使用 Slurm 的超算中心。",
                field="gpus_per_node",
            )
        yield f"gpu={request.gpus_per_node}"
        if request.gpu_model:
            yield f"gpu_model={request.gpu_model}"


def _size(size_bytes: int) -> str:
    return str(size_bytes) if size_bytes % _MIB else f"{size_bytes // _MIB}M"


def _hosts(request: Request) -> int | None:
    """Grid Engine gives each host of a job as many slots as the others."""
    tasks, each, nodes = request.tasks, request.tasks_per_node, request.nodes
    if each is not None:
        nodes = max(nodes or 0, -(-tasks // each))
    if nodes is not None and nodes > 1 and tasks % nodes:
        field = "nodes" if each is None else "tasks_per_node"
        raise Unsupported(
            f"Grid Engine puts the same number of tasks on each node, and {tasks} tasks on {nodes} nodes are not even: "
            "change --ntasks, --nodes or --ntasks-per-node.",
            f"Grid Engine 在每个节点上放置相同数量的任务，而 {tasks} 个任务无法平均分到 {nodes} 个节点："
            "请修改 --ntasks、--nodes 或 --ntasks-per-node。",
            field=field,
        )
    return nodes
