"""The most that one task of a job can be given at every queue of a market at once: `most_given`, as columns. Pure.

Of jobs as most are. What shapes a job within a node, or asks for licences, is left to `most_given` itself; a test holds
the two against each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from paracloud.dialects.records import QueueInfo
from paracloud.dialects.resources import is_slice
from paracloud.jobs.most_given import MIB, ONE_THREAD, SHAPES
from paracloud.jobs.spec import JobSpec
from paracloud.placement.columns import Flags, Whole

UNUSUAL = ONE_THREAD | SHAPES | {"mincpus", "hint", "nodelist", "licenses"}
NONE = 0
"""No memory that is named is none."""
ROOM = 1 << 61


@dataclass(frozen=True, slots=True)
class Given:
    """As `most_given` says it, for each queue. `is_sliced`: the cards are parts of cards, which are priced by name."""

    cores: Whole
    nodes: Whole
    gpus: Whole
    memory_bytes: Whole
    is_sliced: Flags


class Queues:
    """The queues of a market as columns."""

    def __init__(self, queues: Sequence[QueueInfo]) -> None:
        def whole(of: Callable[[QueueInfo], int | None]) -> Whole:
            return np.array([of(one) or NONE for one in queues], dtype=np.int64)

        self.cores_per_node = whole(lambda q: q.cores_per_node)
        self.wide = np.maximum(self.cores_per_node, 1)
        self.there = np.maximum(whole(lambda q: q.nodes), 1)
        self.threads = whole(lambda q: q.threads_per_core)
        self.memory = whole(lambda q: q.memory_per_node_bytes)
        self.gpus = whole(lambda q: q.gpus_per_node)
        self.most_memory = whole(lambda q: q.max_memory_per_core_bytes)
        self.usual_core_memory = whole(lambda q: q.default_memory_per_core_bytes)
        self.usual_node_memory = whole(lambda q: q.default_memory_per_node_bytes)
        self.gives_whole_nodes = np.array([one.gives_whole_nodes for one in queues], dtype=np.bool_)
        self.has_idle = np.array([one.gives_each_task_cores for one in queues], dtype=np.bool_)
        self.is_sliced = np.array([is_slice(one.gpu_model or "") for one in queues], dtype=np.bool_)
        self._memories = self.memory, self.usual_core_memory, self.usual_node_memory
        self._has_most = bool(self.most_memory.any())
        self._has_threads = bool((self.threads != 1).any())
        self._least_most = min((int(one) for one in self.most_memory if one), default=ROOM)
        self._widest = int(self.wide.max(initial=1))
        figures = (one.max_memory_per_core_bytes for one in queues)
        self.is_usual = all(one is None or one > 0 for one in figures)

    def given(self, spec: JobSpec) -> Given | None:
        """None for a job that is not as most are."""
        if not self.is_usual or not UNUSUAL.isdisjoint(spec.extra) or self._bound(spec) >= ROOM:
            return None
        core_memory, cores_per_task, least = self._taken(spec)
        alone = self.gives_whole_nodes | spec.exclusive
        nodes = self._nodes(spec, alone, cores_per_task, core_memory)
        all_cores = nodes * self.wide
        shared = np.minimum(self._cores(spec, nodes, cores_per_task, least), all_cores)
        cores = np.maximum(spec.tasks * cores_per_task, np.where(alone, all_cores, shared))
        memory = self.memory * nodes
        if spec.memory_per_node_bytes is not None:
            memory = np.where(alone, memory, spec.memory_per_node_bytes * nodes)
        elif spec.memory_per_core_bytes is not None:
            memory = np.where(alone, memory, core_memory * cores)
        gpus = np.where(alone, np.maximum(self.gpus, spec.gpus_per_node), spec.gpus_per_node) * nodes
        model = spec.gpu_model
        sliced = self.is_sliced if not model else np.full(gpus.size, is_slice(model))
        return Given(cores, nodes, gpus, memory, sliced & (gpus > 0))

    def _bound(self, spec: JobSpec) -> int:
        """Above every number on the way."""
        asked = spec.memory_per_core_bytes or 0, spec.memory_per_node_bytes or 0
        memory = max(*asked, *(int(one.max(initial=0)) for one in self._memories)) + MIB
        times = memory // self._least_most + 1
        nodes = max(spec.nodes or 0, int(self.there.max(initial=1)))
        task = spec.cores_per_task * times
        cores = nodes * max(spec.tasks * task * int(self.threads.max(initial=1)) ** 2, self._widest)
        return max(cores, max(cores if asked[0] else nodes, task, 1) * memory)

    def _taken(self, spec: JobSpec) -> tuple[Whole, Whole, Whole]:
        """Memory of a core (NONE: not told), cores of a task, and the fewest cores of a node."""
        size = self.memory.size
        core, node = spec.memory_per_core_bytes, spec.memory_per_node_bytes
        by_core = np.full(size, core or NONE) if core or node else self.usual_core_memory
        by_node = np.full(size, node or NONE) if core or node else self.usual_node_memory
        if not self._has_most:
            return by_core, np.full(size, spec.cores_per_task), np.ones(size, dtype=np.int64)
        most = np.where(self.most_memory == NONE, ROOM, self.most_memory)
        times = np.maximum(_up(by_core, most), 1)
        each = np.where(times == 1, by_core, _whole(_up(by_core, times), MIB))
        wanted = np.where(by_node == NONE, self.memory, by_node)
        is_by_node = (by_core == NONE) & (self.most_memory != NONE)
        least = np.where(is_by_node, np.maximum(_up(wanted, most), 1), 1)
        return each, spec.cores_per_task * times, least

    def _nodes(self, spec: JobSpec, alone: Flags, cores_per_task: Whole, core_memory: Whole) -> Whole:
        if spec.nodes is not None:
            return np.full(self.there.size, spec.nodes)
        spread = np.maximum(_up(spec.tasks * cores_per_task, self.wide), spec.tasks)
        if spec.tasks_per_node is not None:
            spread = np.where(self.has_idle, spread, -(-spec.tasks // spec.tasks_per_node))
        fitting = self.cores_per_node // cores_per_task
        if spec.tasks_per_node is not None:
            fitting = np.minimum(fitting, spec.tasks_per_node)
        if core_memory.any():
            by_memory = self.memory // np.where(core_memory == NONE, 1, core_memory * cores_per_task)
            fitting = np.where(core_memory == NONE, fitting, np.minimum(fitting, by_memory))
        fewest = -(-spec.tasks // np.maximum(fitting, 1))
        return np.minimum(np.where(alone & ~self.has_idle, fewest, spread), self.there)

    def _cores(self, spec: JobSpec, nodes: Whole, cores_per_task: Whole, least: Whole) -> Whole:
        idle = np.where(self.has_idle, self.threads, 1)
        task = cores_per_task * idle
        task = np.where(cores_per_task > 1, self._whole(task), task)
        each = np.maximum(least * idle, task)
        if spec.tasks_per_node is not None:
            widest = np.maximum(each, min(spec.tasks_per_node, spec.tasks) * task)
            return nodes * self._whole(widest)
        one = np.maximum(each, np.maximum(spec.tasks - (nodes - 1), 1) * task)
        return (nodes - 1) * self._whole(each) + self._whole(one)

    def _whole(self, threads: Whole) -> Whole:
        """With the others of their cores."""
        return _whole(threads, self.threads) if self._has_threads else threads


def _up(amount: Whole, by: Whole | int) -> Whole:
    """The quotient, a begun one as a whole one."""
    found: Whole = -(-amount // by)
    return found


def _whole(amount: Whole, step: Whole | int) -> Whole:
    """The next whole number of steps."""
    return _up(amount, step) * step
