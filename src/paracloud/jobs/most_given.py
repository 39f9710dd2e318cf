"""The most of a queue that one task of a job can be given, which is what accounting may report of it. Pure.

Cores are what the scheduler counts. Sources: man sbatch and slurm.conf (SelectTypeParameters), 22.05; what a real
controller gave for --mincpus, --exclusive, MaxMemPerCPU and select/linear.
"""

from dataclasses import replace

from paracloud.billing.rule import Quantities
from paracloud.dialects.records import QueueInfo
from paracloud.dialects.resources import SLICES, is_slice, named
from paracloud.jobs.licences import read_licences
from paracloud.jobs.spec import JobSpec

ONE_THREAD = frozenset({"threads-per-core", "ntasks-per-core"})
"""Some threads of a real core may stay idle, and are given all the same. So with `--hint=nomultithread`."""
SHAPES = frozenset({"ntasks-per-socket", "cores-per-socket", "sockets-per-node", "extra-node-info"})
"""What a shape within the node takes depends on the node: the whole of it at the most. So with the other hints, which
ask for all cores of a socket or for one of each."""
HINTS_OF_THREADS = ("nomultithread", "multithread")
MIB = 1 << 20


def most_given(spec: JobSpec, queue: QueueInfo) -> Quantities:
    is_memory_asked = spec.memory_per_node_bytes is not None or spec.memory_per_core_bytes is not None
    spec = _as_taken(spec, queue)
    nodes, is_alone = _nodes(spec, queue), spec.exclusive or queue.gives_whole_nodes
    whole = nodes * max(queue.cores_per_node, 1)
    cores = max(spec.cores, whole if is_alone or _is_shaped(spec) else min(_cores(spec, queue, nodes), whole))
    memory = queue.memory_per_node_bytes * nodes
    if spec.memory_per_node_bytes is not None and not is_alone:
        memory = spec.memory_per_node_bytes * nodes
    elif spec.memory_per_core_bytes is not None and is_memory_asked and not is_alone:
        memory = spec.memory_per_core_bytes * cores
    cards = (max(spec.gpus_per_node, queue.gpus_per_node) if is_alone else spec.gpus_per_node) * nodes
    upper = {"cores": cores, "nodes": nodes, "gpus": cards, "memory_bytes": memory}
    model = spec.gpu_model or queue.gpu_model or ""
    slices = {"gpus": 0, named(SLICES, model): cards} if cards and is_slice(model) else {}
    return {**upper, **slices, **read_licences(spec.extra.get("licenses", ""))}


def _as_taken(spec: JobSpec, queue: QueueInfo) -> JobSpec:
    """With the memory that it has where it asks for none, and with the cores that the scheduler asks for in its name
    where a core may not have so much: each task takes several times as many, or each node must give so many."""
    core, node, most = spec.memory_per_core_bytes, spec.memory_per_node_bytes, queue.max_memory_per_core_bytes
    if core is None and node is None:
        core, node = queue.default_memory_per_core_bytes, queue.default_memory_per_node_bytes
    if core is not None:
        times = 1 if most is None else -(-core // most)
        each = core if times == 1 else _rounded(-(-core // times), MIB)
        return replace(spec, cores_per_task=spec.cores_per_task * times, memory_per_core_bytes=each)
    if most is None:
        return spec
    least = max(-(-(node or queue.memory_per_node_bytes) // most), int(spec.extra.get("mincpus", "1")))
    return replace(spec, extra={**spec.extra, "mincpus": str(least)})


def _nodes(spec: JobSpec, queue: QueueInfo) -> int:
    """Without a number of nodes the scheduler may give each task one; of nodes that are empty, and of those that take
    just so many tasks, it takes the fewest."""
    if spec.nodes is not None:
        return spec.nodes
    there = max(queue.nodes, 1)
    is_usual = not _is_shaped(spec) and not _has_idle_threads(spec, queue) and "nodelist" not in spec.extra
    if (spec.exclusive or queue.gives_whole_nodes) and is_usual:
        return min(-(-spec.tasks // _tasks_on_a_node(spec, queue)), there)
    if spec.tasks_per_node is not None and is_usual:
        return min(-(-spec.tasks // spec.tasks_per_node), there)
    return min(max(spec.tasks, -(-spec.cores // max(queue.cores_per_node, 1))), there)


def _tasks_on_a_node(spec: JobSpec, queue: QueueInfo) -> int:
    """How many fit on one that is empty, by cores, by memory and by what was asked."""
    fitting = [queue.cores_per_node // spec.cores_per_task]
    if spec.tasks_per_node is not None:
        fitting.append(spec.tasks_per_node)
    if spec.memory_per_core_bytes is not None:
        fitting.append(queue.memory_per_node_bytes // (spec.memory_per_core_bytes * spec.cores_per_task))
    return max(min(fitting), 1)


def _cores(spec: JobSpec, queue: QueueInfo, nodes: int) -> int:
    """On nodes that are shared with others. Each gives at least what any must have, and real cores as a whole; where
    the tasks are spread most unevenly, one has all but one for each other node."""
    threads = queue.threads_per_core
    idle = threads if _has_idle_threads(spec, queue) else 1
    task = spec.cores_per_task * idle
    if spec.cores_per_task > 1:
        task = _rounded(task, threads)
    each = max(int(spec.extra.get("mincpus", "1")) * idle, task)
    if spec.tasks_per_node is not None:  # a node must have room for all of them, also where fewer are left for it
        return nodes * _rounded(max(each, min(spec.tasks_per_node, spec.tasks) * task), threads)
    one = max(spec.tasks - (nodes - 1), 1) * task
    return (nodes - 1) * _rounded(each, threads) + _rounded(max(each, one), threads)


def _rounded(number: int, whole: int) -> int:
    return -(-number // whole) * whole


def _has_idle_threads(spec: JobSpec, queue: QueueInfo) -> bool:
    hint, (no_threads, threads) = spec.extra.get("hint"), HINTS_OF_THREADS
    is_given_cores = queue.gives_each_task_cores and hint != threads
    return is_given_cores or hint == no_threads or not ONE_THREAD.isdisjoint(spec.extra)


def _is_shaped(spec: JobSpec) -> bool:
    return spec.extra.get("hint", HINTS_OF_THREADS[0]) not in HINTS_OF_THREADS or not SHAPES.isdisjoint(spec.extra)
