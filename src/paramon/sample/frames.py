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
    incomplete at the end is left out: it may still come."""
    at = start
    while True:
        found = _frame_at(data, at)
        if found is None:
            following = _next(data, at + 1)
            if following < 0:
                return
            yield following - at
            at = following
            continue
        yield found
        at = found.end


def _frame_at(data: bytes, at: int) -> Frame | None:
    if len(data) - at < HEAD.size:
        return None
    mark, kind, size, checksum = HEAD.unpack_from(data, at)
    end = at + HEAD.size + size
    if mark != MARK or size > LARGEST or end > len(data):
        return None
    payload = bytes(data[at + HEAD.size : end])
    return Frame(kind, payload, end) if _checksum(kind, payload) == checksum else None


def _next(data: bytes, at: int) -> int:
    """Where the next whole frame begins; -1 for nowhere."""
    while True:
        at = data.find(MARK, at)
        if at < 0 or _frame_at(data, at) is not None:
            return at
        at += 1


def _checksum(kind: bytes, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(kind))
