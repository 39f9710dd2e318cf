"""Signals that are blocked, waited for with a time limit (signalfd(2)).

Not by Python's own `sigtimedwait`: where the process is stopped meanwhile and goes on when its time is over, that tells
of a signal that nobody sent, made of what stood in memory (seen with CPython 3.11).
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
from collections.abc import Iterable
from typing import NamedTuple

SET = struct.Struct("@16L")
"""A sigset_t: a bit each, from the lowest of the first word on."""
BITS = 8 * struct.calcsize("L")
TOLD = struct.Struct("=Iii")
TOLD_BYTES = 128


class Signal(NamedTuple):
    """Its number, and what sent it (sigaction(2), si_code)."""

    number: int
    code: int


class Signals:
    """Of this process. OSError where the system has no such thing."""

    def __init__(self, numbers: Iterable[int]) -> None:
        """They must be blocked, and stay so."""
        words = [0] * 16
        for number in numbers:
            words[(number - 1) // BITS] |= 1 << (number - 1) % BITS
        library, flags = ctypes.CDLL(None, use_errno=True), os.O_CLOEXEC | os.O_NONBLOCK
        self._file = int(library.signalfd(-1, ctypes.create_string_buffer(SET.pack(*words), SET.size), flags))
        if self._file < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def wait(self, seconds: float) -> Signal | None:
        """The next one; None where none came in so long."""
        if not self._poll.poll(max(seconds, 0.0) * 1000):
            return None
        try:
            told = os.read(self._file, TOLD_BYTES)
        except BlockingIOError:
            return None  # a thread that does not block it, of a library's, took it first
        number, _, code = TOLD.unpack_from(told)
        return Signal(number, code)

    def fileno(self) -> int:
        """It can be read when a signal has come."""
        return self._file

    def close(self) -> None:
        os.close(self._file)
