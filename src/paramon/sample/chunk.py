"""A minute of samples as bytes. Only what changed is written: as the difference to the sample before.

A chunk stands for itself: each process and each series begins in it with its whole value. Its bytes, deflated:

    first tick, in milliseconds since the start of the profile; number of ticks; milliseconds from each to the next
    number of processes; for each: its number, bytes of its rows, rows
        row: ticks since its last row, mask of the fields that changed, their differences
    number of series; for each: its name, bytes of its points, points
        point: ticks since its last point, difference
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from paramon.sample.errors import Damaged, TooLarge
from paramon.sample.fields import COUNT
from paramon.sample.inflate import LARGEST, inflated
from paramon.sample.varint import each, get, get_bytes, put, put_bytes, put_signed

LEVEL = 6
NOTHING = (0,) * COUNT
BITS = tuple(1 << field for field in range(COUNT))
TICKS_MOST = 100_000
ROWS_MOST = 1_000_000
"""Of a minute, its points as well: in memory some 400 MiB. One of 5,000 busy processes has 300,000."""
MOMENT_MOST_MS = 1 << 40
"""Of 34 years: no profile is as long."""


class Chunk(NamedTuple):
    """`ticks`: milliseconds since the start of the profile. `rows`: of each process by its number, the tick's number in
    the chunk and all fields, only where something changed; between two of them everything stays as it was. `points`: of
    each series, likewise."""

    ticks: list[int]
    rows: dict[int, list[tuple[int, tuple[int, ...]]]]
    points: dict[str, list[tuple[int, int]]]


def size(chunk: Chunk) -> int:
    """Ticks, rows and points."""
    return len(chunk.ticks) + sum(map(len, chunk.rows.values())) + sum(map(len, chunk.points.values()))


class ChunkWriter:
    """`tick`, then `row` and `point` for what was read, and so on; `end_tick` gives the bytes of that tick alone, which
    `ticks.TickReader` reads; `finish` the chunk's, and begins a new one."""

    def __init__(self) -> None:
        self._ticks: list[int] = []
        self._rows: dict[int, _Track] = {}
        self._points: dict[str, _Line] = {}
        self._now_rows = bytearray()
        self._now_points = bytearray()

    @property
    def ticks(self) -> int:
        return len(self._ticks)

    def tick(self, at_ms: int) -> None:
        self._ticks.append(at_ms)

    def row(self, process: int, values: Sequence[int]) -> None:
        """Of this tick. Nothing is written where nothing changed."""
        track = self._rows.get(process)
        if track is None:
            track = self._rows[process] = _Track()
        mask, out = 0, bytearray()
        for new, old, bit in zip(values, track.values, BITS):
            if new != old:
                mask |= bit
                delta = new - old
                delta = delta << 1 if delta >= 0 else (-delta << 1) - 1
                while delta > 127:
                    out.append(delta & 127 | 128)
                    delta >>= 7
                out.append(delta)
        if not mask:
            return
        now, written = len(self._ticks), track.written
        put(written, now - track.tick)
        put(written, mask)
        written += out
        track.tick, track.values = now, values
        put(self._now_rows, process)
        put(self._now_rows, mask)
        self._now_rows += out

    def point(self, series: str, value: int) -> None:
        line = self._points.get(series)
        if line is None:
            line = self._points[series] = _Line()
        elif value == line.value:
            return
        now, delta = len(self._ticks), value - line.value
        put(line.written, now - line.tick)
        put_signed(line.written, delta)
        line.tick, line.value = now, value
        put_bytes(self._now_points, series.encode())
        put_signed(self._now_points, delta)

    def end_tick(self) -> bytes:
        out = bytearray()
        put(out, self._ticks[-1])
        put_bytes(out, bytes(self._now_rows))
        put_bytes(out, bytes(self._now_points))
        del self._now_rows[:], self._now_points[:]
        return bytes(out)

    def finish(self) -> bytes:
        out = bytearray()
        put(out, self._ticks[0] if self._ticks else 0)
        put(out, len(self._ticks))
        for before, after in zip(self._ticks, self._ticks[1:]):
            put(out, after - before)
        put(out, len(self._rows))
        for process, track in self._rows.items():
            put(out, process)
            put_bytes(out, track.written)
        put(out, len(self._points))
        for series, line in self._points.items():
            put_bytes(out, series.encode())
            put_bytes(out, line.written)
        self.__init__()  # type: ignore[misc]  # all of it begins anew
        return zlib.compress(bytes(out), LEVEL)


class _Track:
    __slots__ = ("tick", "values", "written")

    def __init__(self) -> None:
        self.tick, self.written = 0, bytearray()
        self.values: Sequence[int] = NOTHING


class _Line:
    __slots__ = ("tick", "value", "written")

    def __init__(self) -> None:
        self.tick, self.value, self.written = 0, 0, bytearray()


def read_chunk(payload: bytes, largest: int = LARGEST) -> Chunk:
    """Damaged for what is no chunk; TooLarge for one of more bytes than that, inflated, or of too many rows."""
    return parsed(inflated(payload, largest))


def parsed(data: bytes) -> Chunk:
    """Of an inflated chunk. TooLarge for one of more than ROWS_MOST rows and points."""
    ticks, at = ticks_of(data)
    rows, points, room = {}, {}, ROWS_MOST
    count, at = get(data, at)
    for _ in range(count):
        process, at = get(data, at)
        written, at = get_bytes(data, at)
        if written:  # of one that used nothing at all
            rows[process] = list(rows_of(written, len(ticks)))
            room = _left(room, len(rows[process]))
    count, at = get(data, at)
    for _ in range(count):
        name, at = get_bytes(data, at)
        written, at = get_bytes(data, at)
        if written:
            found = points[name.decode("utf-8", "replace")] = list(points_of(written, len(ticks)))
            room = _left(room, len(found))
    return Chunk(ticks, rows, points)


def ticks_of(data: bytes) -> tuple[list[int], int]:
    """Of an inflated chunk; and where what follows them begins."""
    first, at = get(data, 0)
    count, at = get(data, at)
    if count > TICKS_MOST:
        raise Damaged("a minute with too many ticks", "数据块采样点过多")
    ticks = [first] if count else []
    for _ in range(count - 1):
        step, at = get(data, at)
        ticks.append(ticks[-1] + step)
    if ticks and ticks[-1] > MOMENT_MOST_MS:
        raise Damaged("a moment that no profile has", "时刻超出范围")
    return ticks, at


def rows_of(written: bytes, ticks: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Of one process, as they were written: the tick of each, of so many, and its values. Damaged as it comes to it."""
    tick, values, parts = -1, NOTHING, each(written)
    for gap in parts:
        tick, values = moved(tick, gap, ticks), changed(parts, values)
        yield tick, values


def points_of(written: bytes, ticks: int) -> Iterator[tuple[int, int]]:
    """Of one series, likewise."""
    tick, value, parts = -1, 0, each(written)
    for gap in parts:
        tick, value = moved(tick, gap, ticks), value + signed(parts)
        yield tick, value


def _left(room: int, rows: int) -> int:
    if rows > room:
        raise TooLarge("a minute has too many rows", "数据块行数过多")
    return room - rows


def moved(tick: int, gap: int, ticks: int) -> int:
    """Of so many ticks, the one that is so many later. Damaged where there is none."""
    if not 0 < gap <= ticks - 1 - tick:
        raise Damaged("a sample outside its minute", "采样点超出数据块范围")
    return tick + gap


def changed(parts: Iterator[int], values: tuple[int, ...]) -> tuple[int, ...]:
    """By the row that comes next. Damaged for fields that are not known, and for a row of none: none is written."""
    mask = next(parts, 0)
    if not 0 < mask < 1 << COUNT:
        raise Damaged("a row without a field, or with one that is not known", "数据行没有字段或含未知字段")
    found = list(values)
    while mask:
        lowest = mask & -mask
        found[lowest.bit_length() - 1] += signed(parts)
        mask ^= lowest
    return tuple(found)


def signed(parts: Iterator[int]) -> int:
    """The number that comes next. Damaged where none does."""
    value = next(parts, None)
    if value is None:
        raise Damaged("a row is cut off", "数据行不完整")
    return (value >> 1) ^ -(value & 1)
