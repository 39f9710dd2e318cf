"""A profile as columns by time, for whoever plots it or looks on while it grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from paramon.facts.series import is_counter
from paramon.facts.slept import Slept
from paramon.facts.sums import Sums, joined, sums
from paramon.sample.chunk import Chunk

IO = ("read_chars", "write_chars", "read_bytes", "write_bytes")


class ByTime:
    """Of one node. `take` each chunk in turn; the answer is a JSON object of columns as long as `at_ms`, milliseconds
    since the start of the profile. Rates are of the time since the tick before, the machine's sleep left out: None at
    the first of all."""

    def __init__(self, ticks_a_second: int, rank: Callable[[int], int]) -> None:
        """`rank`: of a process by its number."""
        self._second, self._rank = ticks_a_second, rank
        self._held: Mapping[int, Sequence[int]] = {}
        self._series: dict[str, int] = {}
        self._last_ms: int | None = None
        self._slept = Slept()

    def take(self, chunk: Chunk) -> dict[str, Any]:
        parts = sums(chunk, self._held, self._rank)
        passed = self._passed(chunk.ticks, self._slept.take(chunk))
        found = {
            "at_ms": list(chunk.ticks),
            **self._columns(joined(parts.values(), len(chunk.ticks)), passed),
            "ranks": {str(rank): self._columns(part, passed) for rank, part in sorted(parts.items()) if rank >= 0},
            "series": {name: self._line(name, points, passed) for name, points in sorted(chunk.points.items())},
        }
        self._held = {number: rows[-1][1] for number, rows in chunk.rows.items()}
        self._series = {name: points[-1][1] for name, points in chunk.points.items()}
        self._last_ms = chunk.ticks[-1] if chunk.ticks else self._last_ms
        return found

    def _passed(self, ticks: Sequence[int], slept: Sequence[int]) -> list[float]:
        """Seconds awake from the tick before; 0 where there is none."""
        before = ticks[:1] if self._last_ms is None else [self._last_ms]
        return [(now - then - gap) / 1000 for then, now, gap in zip([*before, *ticks], ticks, slept)]

    def _columns(self, part: Sums, passed: Sequence[float]) -> dict[str, list[Any]]:
        used = [user + system for user, system in zip(part.grown["user_ticks"], part.grown["system_ticks"])]
        return {
            "cpu_cores": [_rate(ticks / self._second, seconds) for ticks, seconds in zip(used, passed)],
            "memory_kib": part.memory_kib(),
            "rss_kib": part.rss_kib,
            "threads": part.threads,
            "processes": part.processes,
            "running": part.running,
            "blocked": part.blocked,
            **{f"{name}_a_second": [_rate(grown, seconds) for grown, seconds in zip(part.grown[name], passed)]
               for name in IO},
        }  # fmt: skip

    def _line(self, name: str, points: Sequence[tuple[int, int]], passed: Sequence[float]) -> list[Any]:
        """What stands, or how fast it grows; None where it was not there yet."""
        values: list[int | None] = [None] * len(passed)
        for (tick, value), (end, _) in zip(points, [*points[1:], (len(passed), 0)]):
            values[tick:end] = [value] * (end - tick)
        if not is_counter(name):
            return values
        before = [self._series.get(name), *values]
        return [
            None if then is None or now is None else _rate(max(now - then, 0), seconds)
            for then, now, seconds in zip(before, values, passed)
        ]


def _rate(grown: float, seconds: float) -> float | None:
    return round(grown / seconds, 3) if seconds > 0 else None
