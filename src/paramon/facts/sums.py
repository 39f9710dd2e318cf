"""What processes use together, at each tick of a chunk. A value between two rows stays as it was.

Memory that processes share is counted once: what is theirs alone (anonymous) is summed, and of what they map together
(files and shared segments) as much counts as the one process has that maps the most. The sum of resident sizes counts
each shared page as often as it is mapped; it is kept beside it, as the upper bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Callable

from paramon.sample.chunk import NOTHING, Chunk
from paramon.sample.fields import AT

USER, SYSTEM = AT["user_ticks"], AT["system_ticks"]
RSS, SHARED, FILE = AT["rss_kib"], AT["shared_kib"], AT["file_kib"]
THREADS, STATE = AT["threads"], AT["state"]
BLOCKED, GONE = ord("D"), ord("X")
LEVELS = ("anonymous_kib", "rss_kib", "threads", "processes")
"""What stands at a moment, and can be added up."""


class Sums:
    """Lists as long as the chunk's ticks. `cpu_ticks`: how much was used until each tick from the one before.
    `common_kib`: mapped from files or shared, of the process that has the most of it."""

    __slots__ = ("anonymous_kib", "common_kib", "cpu_ticks", "processes", "rss_kib", "threads")

    def __init__(self, ticks: int) -> None:
        self.anonymous_kib = [0] * ticks
        self.common_kib = [0] * ticks
        self.rss_kib = [0] * ticks
        self.threads = [0] * ticks
        self.processes = [0] * ticks
        self.cpu_ticks = [0] * ticks

    def memory_kib(self) -> list[int]:
        return [own + common for own, common in zip(self.anonymous_kib, self.common_kib)]

    def add(self, rows: Sequence[tuple[int, tuple[int, ...]]], before: Sequence[int] | None) -> None:
        """`rows` of one process. `before`: its values at the end of the chunk before; None where it was not there: all
        that it has used until its first row is of that tick. `settle` when all are in."""
        levels = [getattr(self, name) for name in LEVELS]
        before = before or NOTHING
        held = (0,) * len(LEVELS)
        common, since = 0, 0
        for tick, values in rows:
            self.cpu_ticks[tick] += max(values[USER] - before[USER], 0) + max(values[SYSTEM] - before[SYSTEM], 0)
            now, also = _levels(values)
            if now != held:
                for column, new, old in zip(levels, now, held):
                    column[tick] += new - old
                held = now
            if also != common:
                self._common(common, since, tick)
                common, since = also, tick
            before = values
        self._common(common, since, len(self.common_kib))

    def _common(self, kib: int, since: int, end: int) -> None:
        column = self.common_kib
        for at in range(since, end) if kib else ():
            column[at] = max(column[at], kib)

    def settle(self) -> None:
        """Until now the lists of what stands tell how much it changed at each tick."""
        for name in LEVELS:
            getattr(self, name)[:] = accumulate(getattr(self, name))

    def join(self, other: Sums) -> None:
        """What other processes use, of the same node and ticks."""
        for name in LEVELS:
            ours, theirs = getattr(self, name), getattr(other, name)
            ours[:] = map(int.__add__, ours, theirs)
        self.common_kib[:] = map(max, self.common_kib, other.common_kib)
        self.cpu_ticks[:] = map(int.__add__, self.cpu_ticks, other.cpu_ticks)


def sums(chunk: Chunk, held: Mapping[int, Sequence[int]], group: Callable[[int], int]) -> dict[int, Sums]:
    """By group of processes, such as the rank. `held`: values at the end of the chunk before."""
    found: dict[int, Sums] = {}
    for number, rows in chunk.rows.items():
        key = group(number)
        one = found.get(key)
        if one is None:
            one = found[key] = Sums(len(chunk.ticks))
        one.add(rows, held.get(number))
    for one in found.values():
        one.settle()
    return found


def _levels(values: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """As LEVELS; and what others may have mapped, too."""
    if values[STATE] == GONE:
        return (0,) * len(LEVELS), 0
    own, common = footprint(values)
    return (own, own + common, values[THREADS], 1), common


def letter(state: int) -> str:
    """As Linux has it; ? for what is none."""
    return chr(state) if 32 < state < 127 else "?"


def footprint(values: Sequence[int]) -> tuple[int, int]:
    """KiB of a process: its own, and what others may have mapped, too."""
    rss = values[RSS]
    common = min(values[SHARED] + values[FILE], rss)
    return rss - common, common


def joined(parts: Iterable[Sums], ticks: int) -> Sums:
    whole = Sums(ticks)
    for part in parts:
        whole.join(part)
    return whole
