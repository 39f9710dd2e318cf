"""A node at a moment: what its processes do, and how fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from paramon.facts.hardware import UNCOUNTED, Hardware, hardware
from paramon.facts.ranks import SERIES
from paramon.facts.series import is_counter
from paramon.facts.sums import GONE, RSS, STATE, SYSTEM, THREADS, USER, footprint, letter
from paramon.facts.waiting import Waiting, waiting
from paramon.facts.window import Window
from paramon.sample.fields import AT
from paramon.sample.profile import Process

OVER_MS = 900
"""Rates are of so much time at least: a clock tick is 10 ms."""
READ, WRITE = AT["read_chars"], AT["write_chars"]
LONG_OVER_MS = 9_900
"""Of some samples a second, a share is a guess."""
SELDOM_MS = 11_900
"""A series is read as often as that at the least (paramon.sensors.seldom): it has grown since then, whenever it became
another before."""
EARLY_MS = 300
"""Looks do not come to the instant."""


class ProcessNow(NamedTuple):
    """`cores`: CPU time a second, of children that nobody saw, too; `read`, `written`: bytes a second, from and to
    anything."""

    process: Process
    state: str
    threads: int
    cores: float
    rss_kib: int
    read: float
    written: float
    waiting: Waiting
    cpu_ms: int


class NodeNow(NamedTuple):
    """`cores`: of those that have ended since the tick before, too. `memory_kib`: of the job's processes, what they
    share (`common_kib`) counted once. `values`: of series, `rates` of those that are counted, a second. `of_ranks`: how
    much the series `mpi.RANK.…` have grown in the last ten seconds."""

    at_ms: int
    processes: list[ProcessNow]
    cores: float
    memory_kib: int
    common_kib: int
    values: dict[str, int]
    rates: dict[str, float]
    of_ranks: dict[str, int]

    @property
    def hardware(self) -> Hardware:
        return hardware({**self.rates, UNCOUNTED: self.values.get(UNCOUNTED, 0)}, 1.0)


def node_at(window: Window, at_ms: int, known: Callable[[int], Process | None], ticks_a_second: int) -> NodeNow:
    """As it was at the last tick until then; the window's first where all are later. `known`: processes by number."""
    tick = max(window.tick_at(at_ms), 0)
    before = window.tick_before(tick, OVER_MS)
    found, ended, own, common = [], 0.0, 0, 0
    for number in window.processes():
        values = window.process(number, tick)
        if values is None:
            continue
        if values[STATE] == GONE:
            ended += _cores(window, number, before, tick, ticks_a_second)
            continue
        process = known(number) or Process(number, 0, 0, 0, "?", "", -1)
        found.append(_process(window, process, tick, before, ticks_a_second))
        alone, also = footprint(values)
        own, common = own + alone, max(common, also)
    numbers = {series: value for series in window.series() if (value := window.value(series, tick)) is not None}
    rates = {series: rate for series in numbers if (rate := _rate(window, series, tick)) is not None}
    at = window.ticks[tick] if window.ticks else 0
    long = window.tick_before(tick, LONG_OVER_MS)
    of_ranks = {series: value - (window.value(series, long) or 0)
                for series, value in numbers.items() if series.startswith(SERIES)}  # fmt: skip
    return NodeNow(at, found, ended + sum(one.cores for one in found), own + common, common, numbers, rates, of_ranks)


def cores_by_time(window: Window, number: int, ticks: Sequence[int], ticks_a_second: int) -> list[float]:
    """Of a process at some ticks, each since the one before."""
    return [_cores(window, number, before, tick, ticks_a_second) for before, tick in zip(ticks, ticks[1:])]


def _cores(window: Window, number: int, before: int, tick: int, ticks_a_second: int) -> float:
    """Of a process from one tick to another, with its children that nobody saw."""
    seconds = window.passed_ms(before, tick) / 1000
    now, then = window.process(number, tick), window.process(number, before)
    if not now or seconds <= 0:
        return 0.0
    grown = now[USER] + now[SYSTEM] - (then[USER] + then[SYSTEM] if then else 0)
    return max(grown + window.unseen_ticks(number, before, tick), 0) / ticks_a_second / seconds


def _process(window: Window, process: Process, tick: int, before: int, second: int) -> ProcessNow:
    values = window.process(process.number, tick) or ()
    passed = window.passed_ms(before, tick) / 1000
    then = window.process(process.number, before)

    def grown(place: int) -> float:
        return max(values[place] - (then[place] if then else 0), 0) / passed if passed > 0 else 0.0

    return ProcessNow(
        process,
        letter(values[STATE]),
        values[THREADS],
        _cores(window, process.number, before, tick, second),
        values[RSS],
        grown(READ),
        grown(WRITE),
        waiting(window, process.number, tick, second),
        (values[USER] + values[SYSTEM]) * 1000 // second,
    )


def _rate(window: Window, series: str, tick: int) -> float | None:
    """Between the last two looks at which it became another: what is dear to read is not read at each. None for what is
    not counted, or was not there before."""
    last = window.changed_at(series, tick)
    if last is None or not is_counter(series):
        return None
    before = window.changed_at(series, window.tick_before(last, OVER_MS))
    if before is None:
        return None
    before = max(before, window.tick_before(last, SELDOM_MS))
    now, then, passed = window.value(series, last), window.value(series, before), window.passed_ms(before, last)
    if now is None or then is None or tick == before:
        return None
    if passed <= 0 or window.passed_ms(last, tick) + EARLY_MS >= passed:
        return 0.0  # it has been read again since then, and has not grown
    return max(now - then, 0) * 1000 / passed
