"""Small files that are read at each look: they stay open where so many may be, which costs a third of opening them."""

from __future__ import annotations

import errno
import os

from paramon.sensors.file import content

SIZE = 960
"""Of what is read at once. What fits a kibibyte gets its memory for half the price (malloc's per-thread cache)."""
NOT_KEPT, DENIED = -1, -2
"""Instead of an open file: one that is opened for each look, and one that must not be read."""
TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)


def kept(path: str, files_most: int) -> int:
    """The open file, if its number is below that; or NOT_KEPT or DENIED."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as wrong:
        return NOT_KEPT if wrong.errno in TOO_MANY_FILES else DENIED
    if file < files_most:
        return file
    os.close(file)
    return NOT_KEPT


def now(file: int, path: str) -> bytes:
    """What it holds; nothing where it must not be read. OSError where there is none."""
    if file >= 0:
        return os.pread(file, SIZE, 0)
    return content(path, SIZE) if file == NOT_KEPT else b""
