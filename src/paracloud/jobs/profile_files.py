"""A job's profile byte by byte, as it lies at its centre: what its files have got since the last look.

Nothing is decoded, and nothing is read twice: of a profile that grows, each look reads what is new alone, of the open
minute too. Who puts the pieces together has the files, which `paramon show`, `top` and `export` open.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from paracloud.jobs.profile_cursor import Cursor, key, read_cursor, write_cursor
from paracloud.jobs.profile_folder import NODES_MOST, UNREADABLE, Listed, list_profile
from paracloud.transports.transport import Transport
from paramon.sample.frames import HEAD
from paramon.sample.profile import LIVE

ANSWER_BYTES = 4 << 20
"""Of all files together, their open minutes included."""


class Seen(NamedTuple):
    """How far a file was read, how far its open minute, and what that one's first frame was."""

    written: int = 0
    opened: int = 0
    mark: int = 0


WIDTH = len(Seen())


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands in a file from `start` on, and nothing behind it."""

    start: int
    content: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.content)


@dataclass(frozen=True, slots=True)
class FileNews:
    """`open_minute`: of the file beside it. `is_behind`: more is there than was read."""

    file: str
    written: Piece
    open_minute: Piece
    written_at: datetime
    is_behind: bool


@dataclass(frozen=True, slots=True)
class FilesNews:
    """`cursor`: for the next look. `left_out`: files behind the last of these."""

    files: list[FileNews]
    cursor: str
    left_out: int


async def read_profile_files(
    transport: Transport, folder: str, since: str, after: str = "", until: str = ""
) -> FilesNews:
    """`after`, `until`: of the files behind the one and not behind the other, by name; empty for all. NotFound where
    the job has no profile (yet); Invalid for a cursor that is none."""
    before, news, left = read_cursor(since, WIDTH), [], ANSWER_BYTES
    there, places = await list_profile(transport, folder), {}
    names = [one for one in there if after < one.file and (not until or one.file <= until)]
    for one in names[:NODES_MOST]:
        found, places[key(one.file)] = await _news(transport, folder, one, Seen(*before.of(one.file)), left)
        left -= len(found.written.content) + len(found.open_minute.content)
        news.append(found)
    return FilesNews(news, write_cursor(Cursor(places), WIDTH), max(len(names) - NODES_MOST, 0))


async def _news(transport: Transport, folder: str, one: Listed, seen: Seen, most: int) -> tuple[FileNews, Seen]:
    path = f"{folder}/{one.file}"
    # Before the file itself: a minute is in the file before its ticks are taken away.
    opened, mark = await _open_minute(transport, path, one, seen, most)
    start = seen.written if seen.written <= one.size_bytes else 0  # it was taken away, and another one begun
    written = Piece(start, await _read(transport, path, start, most - len(opened.content)))
    is_behind = written.end < one.size_bytes or opened.end < one.open_bytes
    news = FileNews(one.file, written, opened, one.written_at, is_behind=is_behind)
    return news, Seen(written.end, opened.end, mark)


async def _open_minute(transport: Transport, path: str, one: Listed, seen: Seen, most: int) -> tuple[Piece, int]:
    """It is emptied when the minute is over: its first frame says that it is another."""
    if not one.open_bytes:
        return Piece(0, b""), 0
    mark = zlib.crc32(await _read(transport, path + LIVE, 0, HEAD.size))
    start = seen.opened if mark == seen.mark else 0
    return Piece(start, await _read(transport, path + LIVE, start, most)), mark


async def _read(transport: Transport, path: str, start: int, most: int) -> bytes:
    """Nothing of what cannot be read: the other files can."""
    try:
        return await transport.read(path, start=start, limit_bytes=most) if most > 0 else b""
    except UNREADABLE:
        return b""
