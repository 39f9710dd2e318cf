"""What was read of a job's profile, taken apart: of all files of one look no more than the server has room for.

A job's user may write what they like where its collector writes. A minute of eight kilobytes can be one of four million
rows; of it, too, each look takes as many ticks as there is room for, and the next one goes on behind them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from paramon.sample.chunk import Chunk
from paramon.sample.errors import Damaged, TooLarge
from paramon.sample.frames import CHUNK, TICK, Frame, frames
from paramon.sample.inflate import inflated
from paramon.sample.part import part_of
from paramon.sample.profile import Process, Told, note
from paramon.sample.ticks import TickReader

PIECE_BYTES = 4 << 20
"""Of one file at a time: in so many bytes a frame is whole, or it is none of ours."""
MINUTE_BYTES, PARSED_BYTES = 4 << 20, 4 << 20
"""Of one minute as it was before it was deflated, and of all that one look goes through, of all nodes: some 0.6 s."""
VALUES_MOST = 400_000
"""That one look holds, as `paramon.sample.part` counts them: 35 ticks of 500 busy processes. With its answer, some 60
MiB at the worst."""
OBJECTS = 4
"""What a byte of JSON is counted as."""


class Place(NamedTuple):
    """Of a file: how many bytes were read, and the first moment that was not seen yet, in milliseconds since the start
    of that profile."""

    offset: int = 0
    fresh_ms: int = 0


@dataclass(frozen=True, slots=True)
class Raw:
    """Of a file, what was read from `place` on, and of its open minute. `is_behind`: there is more."""

    file: str
    place: Place
    data: bytes
    opened: bytes
    is_behind: bool


@dataclass(frozen=True, slots=True)
class Minute:
    """`at_ms`: milliseconds since the start of the profile. `rows`: of a process by its number, the index of a tick and
    all its fields from then on; `points`: of a series, likewise."""

    at_ms: Sequence[int]
    rows: Mapping[int, Sequence[tuple[int, Sequence[int]]]]
    points: Mapping[str, Sequence[tuple[int, int]]]


@dataclass(slots=True)
class NodeNews:
    """What is new of one file. `header` and `end` are there when they were read now; `is_behind`: more is there than
    was read."""

    file: str
    header: Mapping[str, Any] | None = None
    processes: Sequence[Process] = ()
    minutes: list[Minute] = field(default_factory=list)
    end: Mapping[str, Any] | None = None
    lost_bytes: int = 0
    is_behind: bool = False


class _Full(Exception):
    """The look has taken apart all that it may."""


class Parser:
    """Of one look: takes files apart, as much as it may. What is left over is for the next look."""

    def __init__(self) -> None:
        self._bytes, self._values = PARSED_BYTES, VALUES_MOST
        self.is_full = False
        """Something was left over."""

    def news(self, raw: Raw) -> tuple[NodeNews, Place]:
        """And where the next look goes on."""
        end, fresh_ms = 0, raw.place.fresh_ms
        told, news = Told(raw.file), NodeNews(raw.file, is_behind=raw.is_behind)
        for one in frames(raw.data):
            if isinstance(one, int):
                news.lost_bytes += one
                end += one
                continue
            try:
                fresh_ms, is_done = self._take(one, told, news, fresh_ms)
            except _Full:
                is_done = False
            if not is_done:
                news.is_behind = self.is_full = True
                break
            end = one.end
        else:
            if len(raw.data) >= PIECE_BYTES and not end:  # nothing is whole in it: on, behind it
                news.lost_bytes = end = len(raw.data)
        if not news.is_behind and told.end is None:
            fresh_ms = self._take_open(raw.opened, news, fresh_ms)
        news.header, news.end, news.processes = told.header or None, told.end, tuple(told.processes.values())
        return news, Place(raw.place.offset + end, fresh_ms)

    def _take(self, one: Frame, told: Told, news: NodeNews, fresh_ms: int) -> tuple[int, bool]:
        """The first moment that was not seen yet; and whether nothing of it is left. _Full for what this look has no
        room for any more."""
        try:
            if one.kind != CHUNK:
                self._use(len(one.payload) * OBJECTS)
                note(told, one)
                return fresh_ms, True
            return self._take_minute(one, news, fresh_ms)
        except (Damaged, ValueError, TypeError, RecursionError):
            news.lost_bytes += len(one.payload)
        return fresh_ms, True

    def _take_minute(self, one: Frame, news: NodeNews, fresh_ms: int) -> tuple[int, bool]:
        minute = inflated(one.payload, MINUTE_BYTES)
        self._use(len(minute))
        try:
            part = part_of(minute, fresh_ms, self._values)
        except TooLarge:
            if self._values < VALUES_MOST:
                raise _Full from None
            raise
        self._values -= part.values
        return _add(part.chunk, news, fresh_ms), part.is_last

    def _use(self, size: int) -> None:
        if size > PARSED_BYTES:
            raise Damaged("more than any look takes apart", "超出单次读取上限")
        if size > self._bytes:
            raise _Full
        self._bytes -= size

    def _take_open(self, opened: bytes, news: NodeNews, fresh_ms: int) -> int:
        """The minute that is not over."""
        reader, is_first = TickReader(fresh_ms, self._values), self._values == VALUES_MOST
        try:
            self._use(len(opened))
            for one in frames(opened):
                if isinstance(one, int) or one.kind != TICK:
                    break
                reader.read(one.payload)
        except _Full:
            news.is_behind = self.is_full = True
        except TooLarge:  # what no look has room for is not asked for again
            news.is_behind = self.is_full = not is_first or bool(reader.chunk.ticks)
        except Damaged:
            pass  # it is being written: the next look finds it
        self._values -= reader.used
        return _add(reader.chunk, news, fresh_ms)


def _add(chunk: Chunk, news: NodeNews, fresh_ms: int) -> int:
    if not chunk.ticks:
        return fresh_ms
    news.minutes.append(Minute(chunk.ticks, chunk.rows, chunk.points))
    return chunk.ticks[-1] + 1
