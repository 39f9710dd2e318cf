"""Some minutes of a profile in which any moment can be looked up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Callable

from paramon.facts.unseen import Unseen, told_ticks
from paramon.sample.chunk import Chunk
from paramon.sample.fields import SLEPT_SERIES
from paramon.sample.profile import Process


class Window:
    """Chunks that follow one another. What is not in a chunk has ended before it."""

    def __init__(self, chunks: Sequence[Chunk], known: Callable[[int], Process | None] = lambda _: None) -> None:
        """`known`: processes by number."""
        self.ticks: list[int] = []
        """Milliseconds since the start of the profile."""
        self._rows: dict[int, tuple[list[int], list[tuple[int, ...] | None]]] = {}
        self._points: dict[str, tuple[list[int], list[int | None]]] = {}
        for chunk in chunks:
            self._add(chunk)
        rows = {number: _told_of(*kept) for number, kept in self._rows.items()}
        self._unseen = Unseen(known).take(rows, has_earlier=True)

    def tick_at(self, at_ms: int) -> int:
        """The last one until then; -1 where all are later."""
        return bisect_right(self.ticks, at_ms) - 1

    def tick_before(self, tick: int, passed_ms: int) -> int:
        """The last one that is at least so much earlier, or the first of all."""
        return max(self.tick_at(self.ticks[tick] - passed_ms), 0)

    def passed_ms(self, before: int, tick: int) -> int:
        """From one tick to another, as long as the machine did not sleep."""
        slept = (self.value(SLEPT_SERIES, tick) or 0) - (self.value(SLEPT_SERIES, before) or 0)
        return self.ticks[tick] - self.ticks[before] - slept

    def processes(self) -> list[int]:
        return list(self._rows)

    def series(self) -> list[str]:
        return list(self._points)

    def process(self, number: int, tick: int) -> tuple[int, ...] | None:
        """None where it was not there."""
        at, values = self._rows.get(number, ([], []))
        found = bisect_right(at, tick) - 1
        return values[found] if found >= 0 else None

    def unseen_ticks(self, number: int, before: int, tick: int) -> int:
        """CPU time of children that nobody saw, of which a process was told after one tick and until another."""
        return sum(more for at, more in self._unseen.get(number, {}).items() if before < at <= tick)

    def first_tick(self, number: int) -> int:
        """At which it is there."""
        return self._rows[number][0][0]

    def grew_at(self, number: int, place: int, tick: int) -> int | None:
        """The last tick until then at which a field of a process became another, or at which it came; None where it
        was not there."""
        at, values = self._rows.get(number, ([], []))
        found = bisect_right(at, tick) - 1
        while found > 0 and (now := values[found]) and (then := values[found - 1]) and now[place] == then[place]:
            found -= 1
        return at[found] if found >= 0 else None

    def value(self, series: str, tick: int) -> int | None:
        at, values = self._points.get(series, ([], []))
        found = bisect_right(at, tick) - 1
        return values[found] if found >= 0 else None

    def changed_at(self, series: str, tick: int) -> int | None:
        """The last tick until then at which it became another, or at which it came; None where it was not there. Each
        minute tells all of them anew."""
        at, values = self._points.get(series, ([], []))
        found = bisect_right(at, tick) - 1
        while found > 0 and values[found] == values[found - 1]:
            found -= 1
        return at[found] if found >= 0 else None

    def _add(self, chunk: Chunk) -> None:
        first = len(self.ticks)
        self.ticks += chunk.ticks
        for known, fresh in ((self._rows, chunk.rows), (self._points, chunk.points)):
            for name in set(known) - set(fresh):
                at, values = known[name]  # type: ignore[index]  # both are keyed alike
                if values[-1] is not None:
                    at.append(first)
                    values.append(None)
        for number, rows in chunk.rows.items():
            at, values = self._rows.setdefault(number, ([], []))
            at += [first + tick for tick, _ in rows]
            values += [told for _, told in rows]
        for series, points in chunk.points.items():
            at, numbers = self._points.setdefault(series, ([], []))
            at += [first + tick for tick, _ in points]
            numbers += [told for _, told in points]


def _told_of(at: Sequence[int], values: Sequence[tuple[int, ...] | None]) -> list[tuple[int, tuple[int, ...]]]:
    """The rows of a process that was told of its children; of any other, the first and the last."""
    rows = [(tick, told) for tick, told in zip(at, values) if told is not None]
    return rows if told_ticks(rows[0][1]) != told_ticks(rows[-1][1]) else [rows[0], rows[-1]]
