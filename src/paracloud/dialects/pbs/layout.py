"""How many tasks stand on each node, as Slurm would lay them out: what both flavours ask for chunk by chunk."""

from dataclasses import dataclass

from paracloud.dialects.batch_script import require
from paracloud.dialects.records import Request

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """`count` nodes with as much on each of them. Memory is whole mebibytes; None: nothing is said of it."""

    count: int
    tasks: int
    cores: int
    memory_mib: int | None


def chunks(request: Request) -> list[Chunk]:
    """Tasks are spread evenly, the first nodes have one more. None said of nodes and nothing said per node: tasks stand
    anywhere, so each is a chunk of its own. Something said per node and nothing of nodes: one node."""
    if is_anywhere(request):
        return [_chunk(request, request.tasks, 1)]
    nodes = nodes_of(request)
    require(nodes <= request.tasks, "nodes", "not more than the tasks")
    least, more = divmod(request.tasks, nodes)
    require(
        request.tasks_per_node is None or least + (more > 0) <= request.tasks_per_node,
        "tasks_per_node",
        "enough for all tasks",
    )
    spread = [(more, least + 1), (nodes - more, least)]
    return [_chunk(request, count, tasks) for count, tasks in spread if count]


def is_anywhere(request: Request) -> bool:
    said_of_nodes = (request.nodes, request.tasks_per_node, request.memory_per_node_bytes)
    is_said = any(one is not None for one in said_of_nodes) or request.gpus_per_node or request.exclusive
    return request.tasks > 1 and not is_said


def nodes_of(request: Request) -> int:
    if request.nodes is not None:
        return request.nodes
    return -(-request.tasks // request.tasks_per_node) if request.tasks_per_node is not None else 1


def _chunk(request: Request, count: int, tasks: int) -> Chunk:
    cores, memory = tasks * request.cores_per_task, request.memory_per_node_bytes
    if request.memory_per_core_bytes is not None:
        memory = request.memory_per_core_bytes * cores
    return Chunk(count, tasks, cores, None if memory is None else -(-memory // _MIB))
