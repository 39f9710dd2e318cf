"""What the collector wrote of a job, read at its centre while it is being written: what is new since the last look.

Each look costs as much as what is new, and the open minute: not more the longer the job runs. Of many nodes it reads
some, and the next look begins with those behind them; a node whose collector has ended costs nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from paracloud.dialects.batch_script import GUARD_FOLDER
from paracloud.dialects.monitor import PROFILE
from paracloud.jobs.profile_cursor import FILES_MOST, Cursor, Part, key, parts_for, read_cursor, write_cursor
from paracloud.jobs.profile_folder import NODES_MOST, UNREADABLE, Listed, list_profile
from paracloud.jobs.profile_parts import PIECE_BYTES, NodeNews, Parser, Place, Raw
from paracloud.kit.identifiers import SubmitTag
from paracloud.transports.transport import Transport
from paramon.sample.profile import LIVE

T = TypeVar("T")
AT_A_TIME = 8
LOOK_BYTES = 2 * PIECE_BYTES
"""Of all files of one look, as they were listed; GROWN more of each may have come since."""
GROWN = 64 << 10
WIDTH = len(Place())
WHOLE = Part()
_APART = ThreadPoolExecutor(1, thread_name_prefix="profile")
"""Looks are taken apart one after the other, whoever asks: memory has room for one. It is beside the loop: others are
answered meanwhile."""


@dataclass(frozen=True, slots=True)
class News:
    """`cursor`: for the next look. `left_out`: files with news perhaps that this look did not read. `parts`: as many as
    were asked for, or more: those that it takes so that each file has its turn."""

    nodes: Sequence[NodeNews]
    cursor: str
    left_out: int = 0
    parts: int = 1


def profile_folder(tag: SubmitTag, task: int | None) -> str:
    """From the home of the job's account at its centre."""
    return f"{GUARD_FOLDER}/{tag}/{PROFILE}" + ("" if task is None else f"/{task}")


async def read_profile(
    transport: Transport, folder: str, since: str, written: Callable[[News], T], part: Part = WHOLE
) -> T:
    """What was `written` of the news of that part of the files, in the one thread in which there are any. NotFound
    where the job has no profile (yet); Invalid for a cursor that is none."""
    before = read_cursor(since, WIDTH)
    there = await list_profile(transport, folder)
    parts = parts_for([one.file for one in there], part.parts)
    ours = [one for one in there if part.has(one.file)]
    files = _known(ours, before)
    wanted = [one for one in _in_turn(files, before.latest) if not _is_over(one, _from_there(one, before))]
    turn, limit = _with_room(wanted[:NODES_MOST], before), asyncio.Semaphore(AT_A_TIME)
    looks = (_look(transport, f"{folder}/{one.file}", one, _from_there(one, before), limit) for one in turn)
    found = await asyncio.gather(*looks, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    raws = [one for one in found if isinstance(one, Raw)]
    places = {one.file: Place(*before.of(one.file)) for one in files}
    left_out = len(wanted) - len(turn) + len(ours) - len(files)

    def told() -> T:
        return written(replace(_news(raws, places, before.latest), left_out=left_out, parts=parts))

    return await asyncio.get_running_loop().run_in_executor(_APART, told)


def _known(files: Sequence[Listed], before: Cursor) -> Sequence[Listed]:
    """As many as a cursor knows, by name; those that it knew stay, whatever came."""
    first = sorted(files, key=lambda one: not before.of(one.file))[:FILES_MOST]
    return sorted(first, key=lambda one: one.file)


def _news(raws: Sequence[Raw], places: dict[str, Place], latest: int) -> News:
    """`latest`: the file that was read last by the look before. The next one begins with what this had no room for."""
    parser, nodes = Parser(), []
    for raw in raws:
        latest = latest if parser.is_full else key(raw.file)
        node, places[raw.file] = parser.news(raw)
        nodes.append(node)
    nodes.sort(key=lambda node: node.file)
    after = Cursor({key(name): place for name, place in places.items()}, latest)
    return News(nodes, write_cursor(after, WIDTH))


def _with_room(files: Sequence[Listed], before: Cursor) -> Sequence[Listed]:
    """At least one."""
    left = LOOK_BYTES
    found: list[Listed] = []
    for one in files:
        left -= min(one.size_bytes - _from_there(one, before).offset, PIECE_BYTES) + min(one.open_bytes, PIECE_BYTES)
        if left < 0 and found:
            break
        found.append(one)
    return found


def _most(listed_bytes: int) -> int:
    """To be read of a file, or of what is new of it."""
    return min(listed_bytes + GROWN, PIECE_BYTES)


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


async def _look(transport: Transport, path: str, one: Listed, place: Place, limit: asyncio.Semaphore) -> Raw:
    """The open minute is read before those that are over: one that ends meanwhile is among these then. Not where they
    are too many for one look."""
    most = _most(one.size_bytes - place.offset)
    async with limit:
        opened = await _read(transport, path + LIVE, _most(one.open_bytes)) if most < PIECE_BYTES else b""
        data = await _read(transport, path, most, place.offset)
    return Raw(one.file, place, data, opened, is_behind=len(data) >= most)


async def _read(transport: Transport, path: str, most: int, start: int = 0) -> bytes:
    try:
        return await transport.read(path, start=start, limit_bytes=most)
    except UNREADABLE:
        return b""  # the other files can be
