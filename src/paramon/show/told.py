"""A job's profile as JSON: the same facts as the page's, whole."""

from __future__ import annotations

from typing import Any

from paramon.facts.job import JobFacts
from paramon.facts.node import NodeFacts
from paramon.facts.usage import Used


def told(facts: JobFacts) -> dict[str, Any]:
    peak, second = facts.timeline.peak_memory()
    return {
        "started_at_ms": facts.start_ms,
        "wall_ms": facts.wall_ms,
        "cpu_ms": facts.cpu_ms,
        "cpu_ms_there": facts.there_ms,
        "memory_peak_kib": peak,
        "memory_peak_second": second,
        "used": _used(facts.used),
        "mpi": facts.balance._asdict(),
        "hardware": facts.hardware._asdict(),
        "nodes": [_node(node) for node in facts.nodes],
        "ranks": [{**one._asdict(), "used": _used(one.used)} for one in facts.ranks if one.rank >= 0],
        "processes": [{**one._asdict(), "used": _used(one.used)} for one in facts.processes],
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
