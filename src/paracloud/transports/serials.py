"""Serial numbers of certificates: each is given once, also across restarts and crashes, so that one can be revoked."""

import fcntl
import os
from pathlib import Path

from paracloud.kit.errors import Broken, Conflict

BLOCK = 1000
"""Numbers are reserved on disk in blocks: a crash skips the rest of one, and signing waits for no disk."""


class Serials:
    """`descriptor` is a locked file with the first number that is not reserved."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._next = self._end = _number(os.pread(descriptor, 64, 0))

    def take(self) -> int:
        if self._next == self._end:
            self._end += BLOCK
            os.pwrite(self._descriptor, b"%d\n" % self._end, 0)
            os.fsync(self._descriptor)
        self._next += 1
        return self._next - 1

    def close(self) -> None:
        os.close(self._descriptor)


def open_serials(path: Path) -> Serials:
    """Conflict where another process has it open: two would give the same numbers."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Serials(descriptor)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Conflict(
            f"Another certificate authority uses {path}; stop it first.",
            f"另一个证书签发进程正在使用 {path}，请先停止它。",
        ) from error
    except BaseException:
        os.close(descriptor)
        raise


def _number(text: bytes) -> int:
    """Numbers begin at 1: 0 is what certificates without a serial have."""
    if not text:
        return 1
    if not text.strip().isdigit():
        raise Broken("The serial file holds no number; restore it.", "序列号文件已损坏，请恢复。", evidence=text)
    return int(text)
