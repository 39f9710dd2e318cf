"""Processes of a profile by number, however many there were: of each only where in the file it was told of last stays
in memory; those that are asked for are read again."""

from __future__ import annotations

from array import array

from paramon.sample.errors import Damaged
from paramon.sample.file import regular
from paramon.sample.frames import HEAD, Frame
from paramon.sample.profile import Process, processes_in

KEPT = 2000
"""As they were read, of those that were asked for last."""
GAP_MOST = 1 << 20
"""Between numbers, which are given one after the other: what is damaged leaves gaps, and what is no profile any."""


class Roll:
    """`note` each frame of processes in turn. Eight bytes a process."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._starts = array("q")
        """By number, of the frame that told of it last; 0 for none."""
        self._kept: dict[int, Process] = {}

    def note(self, one: Frame) -> None:
        """ValueError, TypeError for what is no such thing."""
        start = one.end - len(one.payload) - HEAD.size
        for process in processes_in(one.payload):
            gap = process.number + 1 - len(self._starts)
            if process.number < 0 or gap > GAP_MOST:
                raise ValueError(process.number)
            self._starts.extend([0] * gap)
            self._starts[process.number] = start
            self._kept.pop(process.number, None)

    def process(self, number: int) -> Process | None:
        start = self._start(number)
        if number not in self._kept and start:
            self._read(start)
        return self._kept.get(number)

    def _start(self, number: int) -> int:
        return self._starts[number] if 0 <= number < len(self._starts) else 0

    def _read(self, start: int) -> None:
        if len(self._kept) >= KEPT:
            self._kept.clear()
        try:
            with regular(self._path) as file:
                file.seek(start)
                _, _, size, _ = HEAD.unpack(file.read(HEAD.size))
                told = processes_in(file.read(size))
        except (Damaged, OSError, ValueError, TypeError):
            return  # it was taken away since
        self._kept.update((one.number, one) for one in told if self._start(one.number) == start)
