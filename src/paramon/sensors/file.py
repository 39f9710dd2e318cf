"""Files of the kernel: those that are read again and again are opened once."""

from __future__ import annotations

import errno
import os

from paramon.sensors.sensor import Unavailable

PIECE = 65536
MOST = 4 << 20
NOT_KEPT, DENIED, NOT_THERE = -1, -2, -3
"""Instead of an open file: one that is opened for each look, one that must not be read, and none."""
TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)


class KeptFile:
    """Unavailable where it is not there, or must not be read."""

    def __init__(self, path: str) -> None:
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as wrong:
            raise Unavailable(f"{path}: {wrong.strerror}", f"{path}：{wrong.strerror}") from None

    def read(self, most: int = PIECE) -> bytes:
        """What one call gives: of a file of records, such as a line for each device, that may be the first page."""
        return os.pread(self._file, most, 0)

    def read_all(self) -> bytes:
        found = os.pread(self._file, PIECE, 0)
        at = len(found)
        while at < MOST:
            more = os.pread(self._file, PIECE, at)
            if not more:
                break
            found += more
            at = len(found)
        return found

    def close(self) -> None:
        os.close(self._file)


def content(path: str, most: int = PIECE) -> bytes:
    """Of a small file that is not kept open: one call's. OSError where there is none."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, most)
    finally:
        os.close(file)


def text(path: str) -> str:
    """Without white space around it; empty where it cannot be read."""
    try:
        return content(path).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def names(folder: str) -> list[str]:
    """Sorted; none where there is no such folder."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def kept(path: str, numbers_most: int) -> int:
    """It will be read again and again: it stays open, where its number is below that; one of those above else."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as wrong:
        if wrong.errno in TOO_MANY_FILES:
            return NOT_KEPT if os.path.exists(path) else NOT_THERE  # which that does not say
        return DENIED if isinstance(wrong, PermissionError) else NOT_THERE
    if file < numbers_most:
        return file
    os.close(file)
    return NOT_KEPT
