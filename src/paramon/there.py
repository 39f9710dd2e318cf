"""Which processes are there, by the folders of /proc."""

from __future__ import annotations

import os

LISTED_EVERY = 10
"""Looks from one list of all processes to the next, at least: a number that never changes would hide all that come."""


def there(root: str = "/proc") -> dict[str, int]:
    """By pid, the inode of its folder: pids come again, and then it is another."""
    with os.scandir(root) as found:
        return {one.name: one.inode() for one in found if one.name.isdecimal()}


def pids(root: str = "/proc") -> list[str]:
    return [name for name in os.listdir(root) if name.isdecimal()]


class Newest:
    """Whether a process may have come since it was asked before: proc_loadavg(5) tells the number that was given last,
    for a hundredth of the cost of a list of all. Where it does not, one may always have come."""

    def __init__(self, root: str) -> None:
        self._seen, self._asked = b"0", 0
        try:
            self._file = os.open(f"{root}/loadavg", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1

    def may_be_another(self) -> bool:
        number = os.pread(self._file, 128, 0).split()[-1] if self._file >= 0 else b"0"
        before, self._seen = self._seen, number
        self._asked += 1
        return number != before or number == b"0" or self._asked % LISTED_EVERY == 0

    def forget(self) -> None:
        self._seen = b"0"

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
