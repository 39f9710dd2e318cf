"""What the collector wrote of a job, read at its centre while it is being written: what is new since the last look.

Each look costs as much as what is new, and the open minute: not more the longer the job runs. A cursor says for each
file how far it was read, and the last moment that was seen of it.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paracloud.dialects.batch_script import GUARD_FOLDER
from paracloud.dialects.monitor import PROFILE
from paracloud.kit.errors import Invalid, NotFound
from paracloud.kit.identifiers import SubmitTag
from paracloud.transports.transport import Transport
from paramon.sample.chunk import Chunk, TickReader, read_chunk
from paramon.sample.errors import Damaged
from paramon.sample.frames import CHUNK, TICK, Frame, frames
from paramon.sample.profile import LIVE, SUFFIX, Process, Told, note

NODES_MOST = 32
"""Files that one look reads."""
PIECE_BYTES = 4 << 20
CURSOR_LIMIT = 4096
NOTHING_SEEN = (0, -1)


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
    """`cursor`: for the next look. `left_out`: files of nodes that this look did not read."""

    nodes: Sequence[NodeNews]
    cursor: str
    left_out: int


def profile_folder(tag: SubmitTag, task: int | None) -> str:
    """From the home of the job's account at its centre."""
    return f"{GUARD_FOLDER}/{tag}/{PROFILE}" + ("" if task is None else f"/{task}")


async def read_profile(transport: Transport, folder: str, since: str) -> News:
    """NotFound where the job has no profile (yet); Invalid for a cursor that is none."""
    seen = _read_cursor(since)
    names = sorted(one.name for one in await _listed(transport, folder) if one.name.endswith(SUFFIX))
    nodes = []
    for name in names[:NODES_MOST]:
        news, seen[name] = await _news(transport, f"{folder}/{name}", name, seen.get(name, NOTHING_SEEN))
        nodes.append(news)
    kept = {name: seen[name] for name in names[:NODES_MOST]}
    return News(nodes, _write_cursor(kept), max(len(names) - NODES_MOST, 0))


async def _listed(transport: Transport, folder: str) -> Sequence[Any]:
    try:
        return await transport.list(folder)
    except NotFound:
        raise NotFound(
            "This job has no profile: it has not started, it was submitted with --no-monitor, or its node has no "
            "Python 3.9 or later.",
            "该作业没有采集数据：尚未开始运行、提交时使用了 --no-monitor，或计算节点没有 Python 3.9 及以上版本。",
        ) from None


async def _news(transport: Transport, path: str, name: str, seen: tuple[int, int]) -> tuple[NodeNews, tuple[int, int]]:
    offset, last_ms = seen
    told, news = Told(name), NodeNews(name)
    data = await transport.read(path, start=offset, limit_bytes=PIECE_BYTES)
    for one in frames(data):
        if isinstance(one, int):
            news.lost_bytes += one
            continue
        seen = offset + one.end, last_ms
        last_ms = _take(one, told, news, last_ms)
    news.is_behind = len(data) >= PIECE_BYTES
    if news.is_behind and seen[0] == offset:  # so much in which nothing is whole is no profile of ours: on, behind it
        news.lost_bytes, seen = len(data), (offset + len(data), last_ms)
    if not news.is_behind and told.end is None:
        last_ms = await _take_open(transport, path, news, last_ms)
    news.header, news.end, news.processes = told.header or None, told.end, tuple(told.processes.values())
    return news, (seen[0], last_ms)


def _take(one: Frame, told: Told, news: NodeNews, last_ms: int) -> int:
    """The last moment that was seen."""
    try:
        if one.kind == CHUNK:
            return _add(read_chunk(one.payload), news, last_ms)
        note(told, one)
    except (Damaged, ValueError, TypeError):
        news.lost_bytes += len(one.payload)
    return last_ms


async def _take_open(transport: Transport, path: str, news: NodeNews, last_ms: int) -> int:
    """The minute that is not over."""
    reader = TickReader()
    try:
        for one in frames(await transport.read(path + LIVE, limit_bytes=PIECE_BYTES)):
            if isinstance(one, int) or one.kind != TICK:
                break
            reader.read(one.payload)
    except (NotFound, Damaged):
        pass  # it has just been closed, or is being written: the next look finds it
    return _add(reader.chunk, news, last_ms)


def _add(chunk: Chunk, news: NodeNews, last_ms: int) -> int:
    first = next((at for at, moment in enumerate(chunk.ticks) if moment > last_ms), None)
    if first is None:
        return last_ms
    news.minutes.append(
        Minute(
            chunk.ticks[first:],
            {number: _from(rows, first) for number, rows in chunk.rows.items()},
            {name: _from(points, first) for name, points in chunk.points.items()},
        )
    )
    return chunk.ticks[-1]


def _from(rows: Sequence[tuple[int, Any]], first: int) -> list[tuple[int, Any]]:
    """From that tick on: what held until then holds at the first."""
    before = [value for tick, value in rows if tick < first]
    later = [(tick - first, value) for tick, value in rows if tick >= first]
    return [(0, before[-1]), *later] if before and not (later and later[0][0] == 0) else later


def _write_cursor(seen: Mapping[str, tuple[int, int]]) -> str:
    return base64.urlsafe_b64encode(json.dumps(seen, separators=(",", ":")).encode()).decode().rstrip("=")


def _read_cursor(text: str) -> dict[str, tuple[int, int]]:
    if not text:
        return {}
    try:
        told = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = {str(name): (int(offset), int(last)) for name, (offset, last) in told.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        found = {"": (-1, 0)}
    if any(offset < 0 or last < -1 or offset > 1 << 50 or last > 1 << 50 for offset, last in found.values()):
        raise Invalid(
            "since: give the cursor of the answer before, as it was.",
            "since：请原样传回上次应答的 cursor。",
            field="since",
        )
    return found
