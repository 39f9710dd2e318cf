"""Who is whose child. Pids come again: a parent is the process that had the pid when the child began."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from paramon.sample.profile import Process


class Parents:
    def __init__(self, processes: Iterable[Process]) -> None:
        self._by_pid: dict[int, list[tuple[int, int]]] = {}
        for one in processes:
            self._by_pid.setdefault(one.pid, []).append((one.start_ticks, one.number))
        for known in self._by_pid.values():
            known.sort()

    def of(self, child: Process) -> int | None:
        """The number of its parent; None where that is none of them. The last of that pid which had begun by then: it
        was there, or its child's parent would be another."""
        known = self._by_pid.get(child.parent, [])
        later = bisect_left(known, (child.start_ticks + 1, 0))
        return known[later - 1][1] if later else None
