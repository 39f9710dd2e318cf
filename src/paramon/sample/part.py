"""As much of a minute as has room: who made it may have written there what takes a thousand times as much in memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from paramon.sample.chunk import Chunk, points_of, rows_of, ticks_of
from paramon.sample.errors import TooLarge
from paramon.sample.fields import COUNT
from paramon.sample.varint import get, get_bytes

T = TypeVar("T")
POINT, NAME = 8, 16
"""Values that a point of a series is counted as, and bytes of a name that count as one value. A row of a process counts
as its fields: some 50 bytes each, of the largest numbers."""
ROW_LEAST, POINT_LEAST = 3, 2
"""Bytes."""


class Part(NamedTuple):
    """`values`: that it is counted as. `is_last`: nothing of the minute is behind it."""

    chunk: Chunk
    values: int
    is_last: bool


def part_of(data: bytes, from_ms: int, most: int) -> Part:
    """Of an inflated chunk the ticks from that moment on, as far as they are certainly no more values than that; what
    held before stands at the first of them. Damaged for what is no chunk, TooLarge where not one of them has room."""
    ticks, at = ticks_of(data)
    first = bisect_left(ticks, from_ms)
    if first == len(ticks):
        return Part(Chunk([], {}, {}), 0, is_last=True)
    rows, at = _tracks(data, at, most)
    points, at = _lines(data, at, most)
    room = _Room(rows, points)
    count = room.ticks(len(ticks) - first, most)
    end = first + count
    chunk = Chunk(ticks[first:end], {}, {})
    for process, written in rows.items():
        of_process = _between(rows_of(written, len(ticks)), first, end)
        if of_process:
            chunk.rows[process] = of_process
    for series, written in points.items():
        of_series = _between(points_of(written, len(ticks)), first, end)
        if of_series:
            chunk.points[series] = of_series
    return Part(chunk, room.values(count), is_last=end == len(ticks))


class _Room:
    """How many values ticks of a minute have at most: by how long it is what was written of each process and series,
    before any of it is taken apart."""

    def __init__(self, rows: dict[int, bytes], points: dict[str, bytes]) -> None:
        self._rows = [max(len(told) // ROW_LEAST, 1) for told in rows.values()]
        self._points = [max(len(told) // POINT_LEAST, 1) for told in points.values()]
        self._names = sum(len(name) for name in points) // NAME

    def values(self, ticks: int) -> int:
        rows, points = (sum(min(ticks, most) for most in each) for each in (self._rows, self._points))
        return ticks + rows * COUNT + points * POINT + self._names

    def ticks(self, most_ticks: int, most: int) -> int:
        """As many as certainly have no more values than that. TooLarge for none."""
        if self.values(most_ticks) <= most:
            return most_ticks
        least, too_many = 0, most_ticks
        while too_many - least > 1:
            middle = (least + too_many) // 2
            least, too_many = (middle, too_many) if self.values(middle) <= most else (least, middle)
        if not least:
            raise TooLarge("a minute is too large", "数据块过大")
        return least


def _tracks(data: bytes, at: int, most: int) -> tuple[dict[int, bytes], int]:
    """Of each process what was written, and where what follows begins."""
    count, at = _count(data, at, most // COUNT)
    found = {}
    for _ in range(count):
        process, at = get(data, at)
        found[process], at = get_bytes(data, at)
    return found, at


def _lines(data: bytes, at: int, most: int) -> tuple[dict[str, bytes], int]:
    """Of each series."""
    count, at = _count(data, at, most // POINT)
    found = {}
    for _ in range(count):
        name, at = get_bytes(data, at)
        found[name.decode("utf-8", "replace")], at = get_bytes(data, at)
    return found, at


def _count(data: bytes, at: int, most: int) -> tuple[int, int]:
    count, at = get(data, at)
    if count > most:
        raise TooLarge("a minute is too large", "数据块过大")
    return count, at


def _between(told: Iterator[tuple[int, T]], first: int, end: int) -> list[tuple[int, T]]:
    """Counted from the first; of what stands before it, the last holds there."""
    found: list[tuple[int, T]] = []
    held: T | None = None
    for tick, value in told:
        if tick >= end:
            break
        if tick > first and not found and held is not None:
            found.append((0, held))
        if tick >= first:
            found.append((tick - first, value))
        held = value
    return found or ([] if held is None else [(0, held)])
