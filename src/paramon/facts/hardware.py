"""What hardware counters say of a stretch of time: computed of sums, over nodes and processes, never of ratios."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from paramon.perf.derive import WIDTHS, memory_bytes, operational_intensity, operations, ratio, vectorisation

OF_JOB, OF_NODE = "counter.", "node_counter."
UNCOUNTED = "counter.uncounted"
LINES = ("dram_lines", "dram_read_lines", "dram_write_lines")
CACHES = {"llc": "llc_misses", "L2": "l2_misses"}


class Hardware(NamedTuple):
    """None for what was not counted. `misses`: by cache, of a thousand instructions. Memory is the nodes', whoever
    caused its traffic; all else is the job's."""

    instructions_a_cycle: float | None
    flop_a_second: float | None
    vectorised: float | None
    misses: dict[str, float]
    memory_bytes_a_second: float | None
    flop_a_byte: float | None
    uncounted: int = 0
    """Processes that are in none of the job's."""


def hardware(grown: Mapping[str, float], seconds: float) -> Hardware:
    """`grown`: by series of paramon.perf.counters, how much each grew in so many seconds."""
    ours = {name[len(OF_JOB) :]: value for name, value in grown.items() if name.startswith(OF_JOB)}
    lines = [grown[OF_NODE + name] for name in LINES if OF_NODE + name in grown]
    flop = _flop(ours)
    transferred = memory_bytes(int(sum(lines))) if lines else None
    instructions = ours.get("instructions", 0)
    return Hardware(
        ratio(instructions, ours.get("cycles", 0)),
        None if flop is None else ratio(flop, seconds),
        vectorisation({name: int(value) for name, value in ours.items()}),
        {cache: 1000 * ours[name] / instructions for cache, name in CACHES.items() if name in ours and instructions},
        None if transferred is None else ratio(transferred, seconds),
        None if flop is None or not transferred else operational_intensity(int(flop), transferred),
        int(grown.get(UNCOUNTED, 0)),
    )


def _flop(ours: Mapping[str, float]) -> float | None:
    if "flop" in ours:
        return ours["flop"]
    widths = {name: int(value) for name, value in ours.items() if name in WIDTHS}
    return operations(widths) if widths else None
