"""What the collector wrote of a job, read at its centre while it is being written: what is new since the last look.

Each look costs as much as what is new, and the open minute: not more the longer the job runs. Of many nodes it reads
some, and the next look begins with those behind them; a node whose collector has ended costs nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from paracloud.dialects.batch_script import GUARD_FOLDER
from paracloud.dialects.monitor import PROFILE
from paracloud.jobs.profile_cursor import FILES_MOST, Cursor, key, read_cursor, write_cursor
from paracloud.jobs.profile_folder import NODES_MOST, Listed, list_profile
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import SubmitTag
from paracloud.transports.transport import Transport
from paramon.sample.chunk import Chunk, TickReader, parsed
from paramon.sample.errors import Damaged
from paramon.sample.frames import CHUNK, TICK, Frame, frames
from paramon.sample.inflate import inflated
from paramon.sample.profile import LIVE, Process, Told, note

AT_A_TIME = 8
PIECE_BYTES = 4 << 20
MINUTE_BYTES, PARSED_BYTES = 4 << 20, 8 << 20
"""Of one minute as it was before it was deflated, and of all that one look takes apart, of all nodes: a job's user may
write there what they like, and in memory it may be a hundred times as much."""
OBJECTS = 8
"""What a byte of JSON is counted as."""


class Place(NamedTuple):
    """Of a file: how many bytes were read, and the first moment that was not seen yet, in milliseconds since the start
    of that profile."""

    offset: int = 0
    fresh_ms: int = 0


WIDTH = len(Place())


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


@dataclass(frozen=True, slots=True)
class News:
    """`cursor`: for the next look. `left_out`: files with news perhaps that this look did not read."""

    nodes: Sequence[NodeNews]
    cursor: str
    left_out: int


def profile_folder(tag: SubmitTag, task: int | None) -> str:
    """From the home of the job's account at its centre."""
    return f"{GUARD_FOLDER}/{tag}/{PROFILE}" + ("" if task is None else f"/{task}")


async def read_profile(transport: Transport, folder: str, since: str) -> News:
    """NotFound where the job has no profile (yet); Invalid for a cursor that is none."""
    before = read_cursor(since, WIDTH)
    files = await list_profile(transport, folder)
    wanted = [one for one in _in_turn(files[:FILES_MOST], before.latest) if not _is_over(one, _from_there(one, before))]
    turn = wanted[:NODES_MOST]
    limit, parser = asyncio.Semaphore(AT_A_TIME), _Parser()
    looks = (_look(transport, f"{folder}/{one.file}", _from_there(one, before), limit, parser) for one in turn)
    found = await asyncio.gather(*looks, return_exceptions=True)
    places = {one.file: Place(*before.of(one.file)) for one in files[:FILES_MOST]}
    nodes = []
    for one, told in zip(turn, found, strict=True):
        if isinstance(told, BaseException):
            raise told
        news, places[one.file] = told
        nodes.append(news)
    after = Cursor({key(name): place for name, place in places.items()}, key(turn[-1].file) if turn else before.latest)
    nodes.sort(key=lambda news: news.file)
    return News(nodes, write_cursor(after, WIDTH), len(wanted) - len(turn) + max(len(files) - FILES_MOST, 0))


def _from_there(one: Listed, before: Cursor) -> Place:
    """From its beginning where it is another file than it was: the folder was taken away meanwhile."""
    place = Place(*before.of(one.file))
    return place if place.offset <= one.size_bytes else Place(0, place.fresh_ms)


def _is_over(one: Listed, place: Place) -> bool:
    """Nothing is new, and its collector has ended."""
    return not one.is_open and one.size_bytes <= place.offset


def _in_turn(files: Sequence[Listed], latest: int) -> Sequence[Listed]:
    """From the one behind that which was read last."""
    at = next((at + 1 for at, one in enumerate(files) if key(one.file) == latest), 0)
    return [*files[at:], *files[:at]]


async def _look(
    transport: Transport, path: str, place: Place, limit: asyncio.Semaphore, parser: "_Parser"
) -> tuple[NodeNews, Place]:
    """The open minute is read before those that are over: one that ends meanwhile is among these then."""
    async with limit:
        opened = await _read(transport, path + LIVE)
        data = await _read(transport, path, place.offset)
        async with parser.turn:  # one after the other, and beside the loop: others are answered meanwhile
            return await asyncio.to_thread(parser.news, path.rpartition("/")[2], data, opened, place)


async def _read(transport: Transport, path: str, start: int = 0) -> bytes:
    try:
        return await transport.read(path, start=start, limit_bytes=PIECE_BYTES)
    except NotFound:
        return b""  # it has been closed or taken away, since it was listed


class _Full(Exception):
    """The look has taken apart all that it may."""


class _Parser:
    """Of one look: takes files apart, as much as it may. What is left over is for the next look."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._left = PARSED_BYTES

    def news(self, name: str, data: bytes, opened: bytes, place: Place) -> tuple[NodeNews, Place]:
        end, fresh_ms = 0, place.fresh_ms
        told, news = Told(name), NodeNews(name, is_behind=len(data) >= PIECE_BYTES)
        for one in frames(data):
            if isinstance(one, int):
                news.lost_bytes += one
                end += one
                continue
            try:
                fresh_ms = self._take(one, told, news, fresh_ms)
            except _Full:
                news.is_behind = True
                break
            end = one.end
        else:
            if news.is_behind and not end:  # so much in which nothing is whole is no profile of ours: on, behind it
                news.lost_bytes = end = len(data)
        if not news.is_behind and told.end is None:
            fresh_ms = self._take_open(opened, news, fresh_ms)
        news.header, news.end, news.processes = told.header or None, told.end, tuple(told.processes.values())
        return news, Place(place.offset + end, fresh_ms)

    def _take(self, one: Frame, told: Told, news: NodeNews, fresh_ms: int) -> int:
        """The first moment that was not seen yet. _Full for a minute that this look has no room for any more."""
        try:
            if one.kind != CHUNK:
                self._use(len(one.payload) * OBJECTS)
                note(told, one)
                return fresh_ms
            minute = inflated(one.payload, MINUTE_BYTES)
            self._use(len(minute))
            return _add(parsed(minute), news, fresh_ms)
        except (Damaged, ValueError, TypeError, RecursionError):
            news.lost_bytes += len(one.payload)
        return fresh_ms

    def _use(self, size: int) -> None:
        if size > PARSED_BYTES:
            raise Damaged("more than any look takes apart", "超出单次读取上限")
        if size > self._left:
            raise _Full
        self._left -= size

    def _take_open(self, opened: bytes, news: NodeNews, fresh_ms: int) -> int:
        """The minute that is not over."""
        reader = TickReader()
        try:
            self._use(len(opened))
            for one in frames(opened):
                if isinstance(one, int) or one.kind != TICK:
                    break
                reader.read(one.payload)
        except _Full:
            news.is_behind = True
        except Damaged:
            pass  # it is being written: the next look finds it
        return _add(reader.chunk, news, fresh_ms)


def _add(chunk: Chunk, news: NodeNews, fresh_ms: int) -> int:
    first = next((at for at, moment in enumerate(chunk.ticks) if moment >= fresh_ms), None)
    if first is None:
        return fresh_ms
    news.minutes.append(
        Minute(
            chunk.ticks[first:],
            {number: _from(rows, first) for number, rows in chunk.rows.items()},
            {name: _from(points, first) for name, points in chunk.points.items()},
        )
    )
    return chunk.ticks[-1] + 1


def _from(rows: Sequence[tuple[int, Any]], first: int) -> list[tuple[int, Any]]:
    """From that tick on: what held until then holds at the first."""
    before = [value for tick, value in rows if tick < first]
    later = [(tick - first, value) for tick, value in rows if tick >= first]
    return [(0, before[-1]), *later] if before and not (later and later[0][0] == 0) else later
