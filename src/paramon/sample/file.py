"""The frames of a file, however long it is, and whatever it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from paramon.sample.errors import Damaged
from paramon.sample.frames import Frame, begun, frames

BLOCK = 1 << 20
"""So much is read at a time. It is not mapped: a file that shrinks meanwhile would end who looks at it."""


def regular(path: str) -> BinaryIO:
    """Damaged for what is no file on a disk: a pipe would never answer, and a device never end. OSError where it cannot
    be read."""
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(number).st_mode):
        return open(number, "rb")
    os.close(number)
    raise Damaged(f"{path}: this is no regular file", f"{path}：不是普通文件")


def frames_in(path: str, start: int = 0) -> Iterator[Frame | int]:
    """As `frames` finds them, from there on. Errors of `regular`."""
    with regular(path) as file:
        file.seek(start)
        waiting, at, lost = b"", start, 0
        while True:
            block = file.read(max(BLOCK, len(waiting)))  # twice as much each time: what waits is not looked at often
            if not block:
                return
            waiting += block
            used = 0
            for one in frames(waiting):
                if isinstance(one, int):
                    yield lost + one
                    used += one
                else:
                    if lost:
                        yield lost
                    yield one._replace(end=at + one.end)
                    used = one.end
                lost = 0
            kept = begun(waiting, used)
            lost += kept - used
            waiting, at = waiting[kept:], at + kept
