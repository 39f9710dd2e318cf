"""A profile's file: frames one after the other, each with a mark, its kind, its length and a checksum.

A frame is whole or it is not there: what was cut off by a crash ends the file, and after bytes that were damaged the
next mark is looked for, so that a damaged minute costs that minute alone.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

MARK = b"PMN\xf0"
HEAD = struct.Struct("<4scII")
"""Mark, kind, length of the payload, CRC-32 of the kind and the payload; the lowest byte first."""
LARGEST = 64 << 20

HEADER, PROCESSES, CHUNK, TICK, END = b"H", b"P", b"C", b"T", b"E"
"""JSON of what was measured where; JSON of processes that came; a minute's samples, deflated; one tick's, not; JSON of
how it ended."""


class Frame(NamedTuple):
    """`end`: where the next one begins."""

    kind: bytes
    payload: bytes
    end: int


def frame(kind: bytes, payload: bytes) -> bytes:
    return HEAD.pack(MARK, kind, len(payload), _checksum(kind, payload)) + payload


def frames(data: bytes, start: int = 0) -> Iterator[Frame | int]:
    """The whole frames from there on; a number instead for so many bytes in the middle that are none. What is
    incomplete at the end is left out: it may still come. Where most of it is made to look like frames and is none, it
    is given up: the last thing told is a number then."""
    search = _Search(data)
    at = start
    while True:
        found = search.frame_at(at)
        if found is None:
            following = search.after(at)
            if following < 0:
                if search.is_given_up:
                    yield len(data) - at
                return
            yield following - at
            at = following
            continue
        yield found
        at = found.end


def begun(data: bytes, start: int) -> int:
    """Where, from there on, something begins that is a frame if only it goes on; the length where nothing does."""
    at = data.find(MARK, start)
    while at >= 0 and len(data) - at >= HEAD.size:
        _, _, size, _ = HEAD.unpack_from(data, at)
        if size <= LARGEST and at + HEAD.size + size > len(data):
            return at
        at = data.find(MARK, at + 1)
    if at >= 0:
        return at
    halves = (len(data) - size for size in range(len(MARK) - 1, 0, -1) if data.endswith(MARK[:size]))
    return next((at for at in halves if at >= start), len(data))


class _Search:
    """Of frames in bytes that anybody may have written: marks that lead to nothing cost no more than TIMES its length
    altogether."""

    TIMES = 4

    def __init__(self, data: bytes) -> None:
        self._data, self._view = data, memoryview(data)
        self._left = self.TIMES * len(data) + 1
        self.is_given_up = False

    def frame_at(self, at: int) -> Frame | None:
        if len(self._data) - at < HEAD.size:
            return None
        mark, kind, size, checksum = HEAD.unpack_from(self._data, at)
        begin, end = at + HEAD.size, at + HEAD.size + size
        if mark != MARK or size > LARGEST or end > len(self._data):
            return None
        if _checksum(kind, self._view[begin:end]) == checksum:
            return Frame(kind, self._data[begin:end], end)
        self._left -= size
        return None

    def after(self, at: int) -> int:
        """Where the next whole frame begins; -1 for nowhere."""
        while self._left > 0:
            at = self._data.find(MARK, at + 1)
            if at < 0 or self.frame_at(at) is not None:
                return at
        self.is_given_up = True
        return -1


def _checksum(kind: bytes, payload: bytes | memoryview) -> int:
    return zlib.crc32(payload, zlib.crc32(kind))
