"""Those of the node that are none of the job's, as far as is known, and who of them is asked again.

Each is asked at two looks, as one that executes something may get another environment. One that has executed nothing
since fork(2) is asked until it has, and ever more seldom: a scheduler may have much to do, such as its user's prologue,
before a task becomes its program.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NamedTuple

PAUSE_MOST = 64
"""Looks from one question to the next of one that has executed nothing."""


class Asked(NamedTuple):
    """`due`: the look at which it is asked again; `pause`: looks until then, 0 for one that has executed something."""

    inode: int
    due: int
    pause: int


class Strangers:
    """By pid, with the inode of its folder: pids come again, and then it is another."""

    def __init__(self, known: Mapping[str, int]) -> None:
        """`known`: who is never asked."""
        self._known = dict(known)
        self._asked: dict[str, Asked] = {}

    def add(self, name: str, inode: int) -> None:
        self._known[name] = inode

    def due(self, ours: Container[str], look: int) -> list[str]:
        """Of those that were asked before; the lowest number first."""
        return sorted((name for name, one in self._asked.items() if one.due <= look and name not in ours), key=int)

    def to_ask(self, there: Mapping[str, int], ours: Container[str], look: int) -> list[str]:
        """Of all that are `there`, those that came, too. Who is gone is forgotten, now and then."""
        if len(self._known) > len(there):
            self._known = {name: inode for name, inode in self._known.items() if there.get(name) == inode}
        asked = {name: one for name, one in self._asked.items() if there.get(name) == one.inode and name not in ours}
        self._asked, known = asked, self._known
        found = [name for name, inode in there.items() if known.get(name) != inode and name not in ours]
        return sorted((name for name in found if name not in asked or asked[name].due <= look), key=int)

    def was_asked(self, name: str, inode: int, look: int, *, is_copy: bool) -> bool:
        """In vain; whether for the first time. `is_copy`: it has executed nothing since fork(2)."""
        before = self._asked.pop(name, None)
        pause = -1 if before is None or before.inode != inode else before.pause
        if is_copy:
            pause = min(max(2 * pause, 1), PAUSE_MOST)
            self._asked[name] = Asked(inode, look + pause, pause)
        elif pause:
            self._asked[name] = Asked(inode, look + 1, 0)
        else:
            self._known[name] = inode
        return pause < 0
