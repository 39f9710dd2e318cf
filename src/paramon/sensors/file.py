"""A file of the kernel that is read again and again: it is opened once."""

from __future__ import annotations

import os

from paramon.sensor import Unavailable


class KeptFile:
    """Unavailable where it is not there, or must not be read."""

    def __init__(self, path: str) -> None:
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as wrong:
            raise Unavailable(f"{path}: {wrong.strerror}", f"{path}：{wrong.strerror}") from None

    def read(self, most: int = 65536) -> bytes:
        return os.pread(self._file, most, 0)

    def close(self) -> None:
        os.close(self._file)
