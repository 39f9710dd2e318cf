"""A profile that may still be growing: followed as it is written, and looked up at any moment.

Only where its minutes and its processes stand is kept in memory; those that are asked for are read again. A minute's
ticks are seen as they are written, in the file beside it.
"""

from __future__ import annotations

import os
import zlib
from bisect import bisect_right
from typing import NamedTuple

from paramon.sample.chunk import ROWS_MOST, Chunk, read_chunk, size
from paramon.sample.errors import Damaged
from paramon.sample.file import frames_in, regular
from paramon.sample.frames import CHUNK, HEAD, PROCESSES, TICK, frames
from paramon.sample.profile import LIVE, Process, Told, note
from paramon.sample.roll import Roll
from paramon.sample.ticks import TickReader
from paramon.sample.varint import get

KEPT = 4
"""Minutes that are kept as they were read, as far as they have no more than ROWS_MOST together."""


class Minute(NamedTuple):
    """Where it lies in the file."""

    first_ms: int
    start: int
    size: int


class Tape(Told):
    """`poll` for what is new. Milliseconds are since the start of the profile."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.lost_bytes = self.damaged_chunks = 0
        self._minutes: list[Minute] = []
        self._roll = Roll(path)
        self._kept: dict[int, Chunk] = {}
        self._offset, self._inode = 0, -1
        self._open, self._open_start, self._open_offset = TickReader(), b"", 0

    def poll(self) -> None:
        """OSError where it cannot be read, Damaged where it is no regular file."""
        fresh = self._open_bytes()  # before the file: a minute is in the file before its ticks are taken away
        self._poll_file()
        for one in frames(fresh):
            if isinstance(one, int) or one.kind != TICK:
                return  # what follows is the difference to what is missing: the minute will come whole
            try:
                self._open.read(one.payload)
            except Damaged:
                return
            self._open_offset += HEAD.size + len(one.payload)

    @property
    def last_ms(self) -> int:
        """-1 for nothing yet."""
        opened = self._open_minute()
        if opened is not None:
            return opened.ticks[-1]
        for at in range(len(self._minutes) - 1, -1, -1):
            ticks = self._minute(at).ticks
            if ticks:
                return ticks[-1]
        return -1

    def process(self, number: int) -> Process | None:
        return self._roll.process(number)

    def chunks(self, from_ms: int, until_ms: int) -> list[Chunk]:
        """Those with a tick between the two, and at least that in which the latter falls; of more than ROWS_MOST, which
        no node writes in so short a time, the last ones."""
        firsts = [minute.first_ms for minute in self._minutes]
        first, last = max(bisect_right(firsts, from_ms) - 1, 0), max(bisect_right(firsts, until_ms), 1)
        found: list[Chunk] = []
        room = ROWS_MOST
        for at in range(min(last, len(firsts)) - 1, first - 1, -1):
            minute = self._minute(at)
            room -= size(minute)
            if found and room < 0:
                break
            found.insert(0, minute)
        opened = self._open_minute()
        if opened is not None and (opened.ticks[0] <= until_ms or not found):
            found.append(opened)
        return [chunk for chunk in found if chunk.ticks]

    def _open_minute(self) -> Chunk | None:
        """None where it is in the file already."""
        ticks = self._open.chunk.ticks
        is_later = ticks and (not self._minutes or ticks[0] > self._minutes[-1].first_ms)
        return self._open.chunk if is_later else None

    def _minute(self, at: int) -> Chunk:
        """Empty where it is damaged."""
        found = self._kept.get(at)
        if found is None:
            minute = self._minutes[at]
            try:
                with regular(self.path) as file:
                    file.seek(minute.start)
                    found = read_chunk(file.read(minute.size))
            except (Damaged, OSError):
                found = Chunk([], {}, {})
            self._keep(at, found)
        return found

    def _keep(self, at: int, minute: Chunk) -> None:
        """In the place of those that were read first."""
        room = ROWS_MOST - sum(map(size, self._kept.values())) - size(minute)
        while self._kept and (len(self._kept) >= KEPT or room < 0):
            room += size(self._kept.pop(next(iter(self._kept))))
        self._kept[at] = minute

    def _poll_file(self) -> None:
        there = os.stat(self.path)
        if there.st_ino != self._inode or there.st_size < self._offset:  # it was taken away, and another one begun
            self._inode, self._offset = there.st_ino, 0
            self._minutes, self._kept, self._roll = [], {}, Roll(self.path)
            self.lost_bytes = self.damaged_chunks = 0
        lost = 0
        for one in frames_in(self.path, self._offset):
            if isinstance(one, int):
                lost += one
                continue
            self._offset, self.lost_bytes, lost = one.end, self.lost_bytes + lost, 0
            try:
                if one.kind == CHUNK:
                    head = zlib.decompressobj().decompress(one.payload, 16)
                    length = len(one.payload)
                    self._minutes.append(Minute(get(head, 0)[0], one.end - length, length))
                elif one.kind == PROCESSES:
                    self._roll.note(one)
                else:
                    note(self, one)
            except (Damaged, ValueError, TypeError, zlib.error):
                self.damaged_chunks += 1

    def _open_bytes(self) -> bytes:
        """What was not read yet, of the open minute's file. It is emptied when the minute is over: its first frame
        says that it is another."""
        try:
            file = regular(self.path + LIVE)
        except (Damaged, OSError):
            return b""
        with file:
            start = file.read(HEAD.size)
            if start != self._open_start:
                self._open, self._open_start, self._open_offset = TickReader(), start, 0
            file.seek(self._open_offset)
            return file.read()
