"""A job's profile as JSON: the same facts as the page's, whole."""

from __future__ import annotations

from typing import Any

from paramon.facts.job import JobFacts
from paramon.facts.node import NodeFacts
from paramon.facts.timeline import Timeline
from paramon.facts.usage import Used

STEPS_MOST = 3600
"""As much is told of a day as of an hour."""


def told(facts: JobFacts) -> dict[str, Any]:
    peak, second = facts.timeline.peak_memory()
    return {
        "started_at_ms": facts.start_ms,
        "wall_ms": facts.wall_ms,
        "cpu_ms": facts.cpu_ms,
        "cpu_ms_there": facts.there_ms,
        "memory_peak_kib": peak,
        "memory_peak_second": second,
        "by_time": _by_time(facts.timeline),
        "used": _used(facts.used),
        "mpi": facts.balance._asdict(),
        "hardware": facts.hardware._asdict(),
        "nodes": [_node(node) for node in facts.nodes],
        "ranks": [{**one._asdict(), "used": _used(one.used)} for one in facts.ranks if one.rank >= 0],
        "processes": [{**one._asdict(), "used": _used(one.used)} for one in facts.processes],
    }


def _by_time(timeline: Timeline) -> dict[str, Any]:
    """`seconds`: of each step from the start on. CPU time in it, and the most memory of any of its seconds."""
    cpu, memory = timeline.cpu_ms, timeline.memory_kib
    length = max(len(cpu), len(memory))
    step = max(-(-length // STEPS_MOST), 1)
    starts = range(0, length, step)
    return {
        "seconds": step,
        "cpu_ms": [sum(cpu[at : at + step]) for at in starts],
        "memory_kib": [max(memory[at : at + step], default=0) for at in starts],
    }


def _used(used: Used) -> dict[str, int]:
    return {**used._asdict(), "cpu_ms": used.cpu_ms}


def _node(node: NodeFacts) -> dict[str, Any]:
    profile = node.profile
    return {
        "path": profile.path,
        "header": profile.header,
        "end": profile.end,
        "is_running": node.is_running,
        "wall_ms": node.wall_ms,
        "cpu_ms": node.cpu_ms,
        "cores": node.cores,
        "memory_peak": node.peak._asdict(),
        "threads": node.threads,
        "processes": node.processes,
        "processes_summed": {"count": node.folded, "used": _used(node.folded_used)},
        "ticks": node.ticks,
        "rows": node.rows,
        "lost_bytes": profile.lost_bytes,
        "damaged_chunks": profile.damaged_chunks,
        "series": {name: course.told(name) for name, course in sorted(node.courses.items())},
    }
