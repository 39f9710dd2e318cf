"""What is computed of counters that were summed before: over threads, processes, nodes and time.

A ratio is never averaged: the mean of two processes' CPI is nobody's. Each function gives None where what it divides by
is nothing. The formulas are those of LIKWID's groups and of the POP centre of excellence
(https://co-design.pop-coe.eu/metrics/).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

LINE_BYTES = 64
"""Of one access to DRAM, on all machines whose events are known here."""
WIDTHS = {
    "scalar_double": 1, "packed128_double": 2, "packed256_double": 4, "packed512_double": 8,
    "scalar_single": 1, "packed128_single": 4, "packed256_single": 8, "packed512_single": 16,
}  # fmt: skip
"""Operations of one instruction by its counter's name. One that multiplies and adds counts as two instructions."""

RANK = re.compile("[0-9]{1,9}")
"""In the name of a series, which anybody may have made up: of thousands of digits Python makes no number."""


class Time(NamedTuple):
    """Of a rank, in any one unit. `useful`: in the application, of all its threads; `first`: of that, in its first
    thread; `mpi`, `elsewhere`, `mpi_sleep` and `sleep`: of its first thread."""

    useful: float
    first: float
    mpi: float
    elsewhere: float
    mpi_sleep: float
    sleep: float


def scaled(count: int, enabled_ns: int, running_ns: int) -> int | None:
    """What a counter would have counted, had it not shared its place with others."""
    if running_ns <= 0:
        return None
    return count if running_ns >= enabled_ns else count * enabled_ns // running_ns


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def cycles_per_instruction(cycles: int, instructions: int) -> float | None:
    return ratio(cycles, instructions)


def operations(counts: Mapping[str, int]) -> int:
    """Floating-point operations of instructions counted by their width: names as in WIDTHS, others are left out."""
    return sum(count * WIDTHS[name] for name, count in counts.items() if name in WIDTHS)


def vectorisation(counts: Mapping[str, int]) -> float | None:
    """The part of floating-point instructions that are vectors', as instructions, of either precision."""
    known = {name: count for name, count in counts.items() if name.startswith(("scalar_", "packed"))}
    packed = sum(count for name, count in known.items() if name.startswith("packed"))
    return ratio(packed, sum(known.values()))


def memory_bytes(lines: int) -> int:
    return lines * LINE_BYTES


def operational_intensity(flop: int, transferred_bytes: int) -> float | None:
    """Operations a byte of DRAM traffic."""
    return ratio(flop, transferred_bytes)


def mpi_share(one: Time) -> float | None:
    """The part of a rank's time that its first thread is in MPI, working, polling or asleep. Time in which it could run
    but had no CPU is left out of the whole: with more ranks than CPUs that is most of it, from outside nobody can tell
    in whose code it passed, and it says nothing of the program but of the machine it was given."""
    return ratio(one.mpi + one.mpi_sleep, one.first + one.mpi + one.elsewhere + one.mpi_sleep + one.sleep)


def load_balance(ranks: Collection[Time]) -> float | None:
    """Mean by largest useful time, 1 for ranks that all compute as long (POP's LBE)."""
    useful = [one.useful for one in ranks]
    return ratio(sum(useful) / len(useful), max(useful)) if useful else None


def communication_efficiency(ranks: Collection[Time], run_time: float) -> float | None:
    """Largest useful time by run time (POP's CommE); with `load_balance` it makes the parallel efficiency. Of ranks of
    one thread: several threads at once are longer than a run is."""
    return ratio(max(one.useful for one in ranks), run_time) if ranks else None


def parallel_efficiency(ranks: Collection[Time], run_time: float) -> float | None:
    """Mean useful time by run time (POP's PE)."""
    return ratio(sum(one.useful for one in ranks) / len(ranks), run_time) if ranks else None


def rank_times(series: Mapping[str, int]) -> dict[int, Time]:
    """Of each rank, in microseconds: of the series `mpi.RANK.…` at their ends, or of the differences between two
    moments."""
    found: dict[int, dict[str, int]] = {}
    for name, value in series.items():
        parts = name.split(".")
        if len(parts) == 3 and parts[0] == "mpi" and RANK.fullmatch(parts[1]):
            found.setdefault(int(parts[1]), {})[parts[2]] = value
    return {rank: _time(known) for rank, known in sorted(found.items())}


def _time(known: Mapping[str, int]) -> Time:
    first = known.get("application_us", 0)
    rest = (known.get(f"{name}_us", 0) for name in ("mpi", "elsewhere", "mpi_sleep", "sleep"))
    return Time(first + known.get("others_application_us", 0), first, *rest)
