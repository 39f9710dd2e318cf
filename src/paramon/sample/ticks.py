"""The minute that is not over: read tick by tick, as it is written."""

from __future__ import annotations

from paramon.sample.chunk import MOMENT_MOST_MS, NOTHING, ROWS_MOST, Chunk, changed
from paramon.sample.errors import Damaged, TooLarge
from paramon.sample.fields import COUNT
from paramon.sample.part import NAME, POINT
from paramon.sample.varint import each, get, get_bytes, get_signed


class TickReader:
    """Ticks of the chunk that is not finished yet, one after the other from its first.

    `chunk` has those from that moment on; what held before stands at the first of them."""

    def __init__(self, from_ms: int = 0, most: int = ROWS_MOST * COUNT) -> None:
        """`most`: values that it may hold, about."""
        self._values: dict[int, tuple[int, ...]] = {}
        self._series: dict[str, int] = {}
        self._from_ms, self._most = from_ms, most
        self.used = 0
        """Values that it holds, as `paramon.sample.part` counts them."""
        self.chunk = Chunk([], {}, {})

    def read(self, payload: bytes) -> None:
        """Damaged for what is no tick, TooLarge where it would hold too much then; nothing of either is kept."""
        at_ms, at = get(payload, 0)
        rows, at = get_bytes(payload, at)
        points, at = get_bytes(payload, at)
        if at_ms > MOMENT_MOST_MS:
            raise Damaged("a moment that no profile has", "时刻超出范围")
        processes, series = self._rows(rows), self._points(points)
        is_wanted = at_ms >= self._from_ms
        used = self.used + self._size(processes, series, is_wanted=is_wanted)
        if used > self._most:
            raise TooLarge("a tick is too large", "采样点过大")
        self.used = used
        self._values.update(processes)
        self._series.update(series)
        if is_wanted:
            self._add(at_ms, processes, series)

    def _rows(self, written: bytes) -> dict[int, tuple[int, ...]]:
        found: dict[int, tuple[int, ...]] = {}
        parts = each(written)
        for process in parts:
            found[process] = changed(parts, found.get(process) or self._values.get(process, NOTHING))
            if self.used + len(found) * COUNT > self._most:
                raise TooLarge("a tick is too large", "采样点过大")
        return found

    def _points(self, written: bytes) -> dict[str, int]:
        found: dict[str, int] = {}
        at = 0
        while at < len(written):
            name, at = get_bytes(written, at)
            delta, at = get_signed(written, at)
            series = name.decode("utf-8", "replace")
            found[series] = found.get(series, self._series.get(series, 0)) + delta
            if self.used + len(found) * POINT > self._most:
                raise TooLarge("a tick is too large", "采样点过大")
        return found

    def _size(self, processes: dict[int, tuple[int, ...]], series: dict[str, int], *, is_wanted: bool) -> int:
        """What is new stays, to reckon on from, whether it is wanted or not."""
        new = processes.keys() - self._values.keys(), series.keys() - self._series.keys()
        size = len(new[0]) * COUNT + sum(POINT + len(name) // NAME for name in new[1])
        if not is_wanted:
            return size
        if self.chunk.ticks:
            return size + 1 + len(processes) * COUNT + len(series) * POINT
        return size + 1 + (len(self._values) + len(new[0])) * COUNT + (len(self._series) + len(new[1])) * POINT

    def _add(self, at_ms: int, processes: dict[int, tuple[int, ...]], series: dict[str, int]) -> None:
        chunk, number = self.chunk, len(self.chunk.ticks)
        chunk.ticks.append(at_ms)
        for process, values in (processes if number else self._values).items():
            chunk.rows.setdefault(process, []).append((number, values))
        for name, value in (series if number else self._series).items():
            chunk.points.setdefault(name, []).append((number, value))
