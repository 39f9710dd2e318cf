"""The samples that the kernel leaves in memory which we share with it (perf_event_open(2), "MMAP layout").

The first page holds how far the kernel has written (`head`) and how far we have read (`tail`); records follow.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys

from paramon.perf.call import ENABLE, PERIOD, Event, Sampling, Scope, attributes, control, open_event
from paramon.perf.pace import PAGE

HEAD, TAIL = 1024, 1032
LOST, SAMPLE = 2, 9
"""Kinds of records (PERF_RECORD_*)."""
RECORD_HEAD = struct.Struct("=IHH")


class Ring:
    """Samples of one thread. `pages` of records: a power of two."""

    def __init__(self, event: Event, sampling: Sampling, scope: Scope, *, flags: int, pages: int) -> None:
        """As `open_event`; OSError too where no more memory may be locked (kernel.perf_event_mlock_kb)."""
        self._size = pages * PAGE
        self._file = open_event(attributes(event, flags, sampling=sampling), scope)
        try:
            self._memory = mmap.mmap(self._file, PAGE + self._size)
        except OSError:
            os.close(self._file)
            raise
        self._lost = 0
        control(self._file, ENABLE)

    def set_period(self, period: int) -> None:
        control(self._file, PERIOD, period)

    def count(self) -> int:
        """Of the event's own unit, since it was opened."""
        return int.from_bytes(os.read(self._file, 8), sys.byteorder)

    def is_counting(self) -> bool:
        """Whether the thread has a CPU just now, for an event that counts the time that it has."""
        before = self.count()
        return self.count() > before

    def drain(self) -> tuple[bytes, list[int]]:
        """Records that came since the last time, and where in them each sample begins, behind its head; the earliest
        first."""
        head, tail = struct.unpack_from("=QQ", self._memory, HEAD)
        if head == tail:
            return b"", []
        begin, end = PAGE + tail % self._size, PAGE + head % self._size
        if begin < end:
            data = self._memory[begin:end]
        else:
            data = self._memory[begin : PAGE + self._size] + self._memory[PAGE:end]
        struct.pack_into("=Q", self._memory, TAIL, head)
        return data, self._samples(data)

    def take_lost(self) -> int:
        """Samples for which there was no room, since the last time."""
        lost, self._lost = self._lost, 0
        return lost

    def close(self) -> None:
        self._memory.close()
        os.close(self._file)

    def _samples(self, data: bytes) -> list[int]:
        found, at, step = [], 0, RECORD_HEAD.unpack_from
        while at < len(data):
            kind, _, size = step(data, at)
            if kind == SAMPLE:
                found.append(at + RECORD_HEAD.size)
            elif kind == LOST:
                self._lost += struct.unpack_from("=Q", data, at + 16)[0]
            at += size or len(data)
        return found
