"""CPU time that is known to be a process's of the job; none is counted twice."""

from __future__ import annotations

import os

from paramon.sample.fields import AT
from paramon.sensors.process import Watched

TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
CPU = AT["user_ticks"], AT["system_ticks"]
OF_CHILDREN = AT["child_user_ticks"], AT["child_system_ticks"]
ROUNDED_TICKS = 1
"""By so much what is known may be more than the total because of rounding alone."""


def completeness(known_ticks: int, total_ticks: int) -> float | None:
    """The known processes' part of a job's CPU time; None where nobody knows how much that was. Above 1 where the total
    has not all of them, such as one that was left behind."""
    if not total_ticks:
        return None
    excess = known_ticks - total_ticks
    return 1.0 if 0 <= excess <= ROUNDED_TICKS else round(known_ticks / total_ticks, 4)


class Spent:
    """Of processes that were looked at: their own until the last look, or until their end where that was told; of those
    that were told of when they ended: that; of all others: what their parents were told of when they waited for them.

    A parent is told of all its descendants, so what was counted of them until that look is taken off. Whoever ends is
    counted before its parent is. Of a child that it left behind one of its ancestors is told, and nobody sees which: it
    is taken off where the first of them was told of more than is explained.
    """

    def __init__(self) -> None:
        self._us = 0
        self._counted: dict[int, int] = {}
        """By the pid of a parent: what was counted of its descendants that have ended."""
        self._began: dict[int, int] = {}
        """By pid, when those that are looked at began: pids come again, and a child is not its parent's successor's."""
        self._late: dict[int, int] = {}
        """The part of that which came after the last look at the parent."""
        self._ended: set[int] = set()
        """Pids of those that were looked at when they had ended: nothing of their children's comes after that."""
        self._left: dict[int, int] = {}
        """By pid: counted of those that descendants left behind, of which it or an ancestor of it was told."""

    def comes(self, watched: Watched) -> None:
        for earlier in (self._counted, self._left):  # a process's of the same number
            earlier.pop(watched.pid, None)
        self._began[watched.pid] = watched.start_ticks

    def was_there(self, watched: Watched) -> None:
        """It ran before anything was looked at: that is none of this profile's."""
        self._us -= sum(watched.values[at] for at in (*CPU, *OF_CHILDREN)) * TICK_US

    def ended(self, watched: Watched) -> None:
        """It was looked at just now, and never will be again."""
        self._late.pop(watched.pid, None)
        self._ended.add(watched.pid)

    def looked(self) -> None:
        """At all that are there: what they were told of their children is of now."""
        self._late.clear()

    def last(self, watched: Watched, *, is_alive: bool, exact_us: int = 0) -> None:
        """`exact_us`: its own time, where its end was told."""
        own = max(sum(watched.values[at] for at in CPU) * TICK_US, exact_us)
        told = sum(watched.values[at] for at in OF_CHILDREN) * TICK_US
        counted, late = self._counted.pop(watched.pid, 0), self._late.pop(watched.pid, 0)
        unexplained = told - (counted - late) - self._left.pop(watched.pid, 0)
        self._us += own + max(unexplained, 0)
        self._began.pop(watched.pid, None)
        self._ended.discard(watched.pid)
        if self._began.get(watched.parent, 0) <= watched.start_ticks:
            if unexplained < 0:
                self._left[watched.parent] = self._left.get(watched.parent, 0) - unexplained
            if not is_alive:
                self._add_to(watched.parent, own + told + late)

    def unseen(self, pid: int, parent: int, cpu_us: int, *, is_late: bool) -> None:
        """One that was never looked at has ended; `is_late`: after the last look at its parent, as far as is known."""
        self._us += cpu_us
        self._add_to(parent, cpu_us + self._counted.pop(pid, 0), is_late=is_late)

    def _add_to(self, parent: int, cpu_us: int, *, is_late: bool = True) -> None:
        self._counted[parent] = self._counted.get(parent, 0) + cpu_us
        if is_late and parent not in self._ended:
            self._late[parent] = self._late.get(parent, 0) + cpu_us

    @property
    def ticks(self) -> int:
        return self._us // TICK_US
