"""When to look again, and what looking costs. Never more than the budget: where it is dear, it is done less often."""

from __future__ import annotations

import time
from math import ceil
from typing import Callable

BURST_SECONDS = 60
"""Of so long the budget may be spent at once, where it was saved: on the end of a minute, which is dearer than its
ticks."""
START_SECONDS = 10
"""Of so long it may be spent before it was saved: on the first look, at which all processes are new."""


class Beat:
    """Seconds. `period` is what is wished for, from one tick to the next; `budget` the part of one core that all ticks
    together may take. `clock` never jumps; `spent` is the CPU time of this process."""

    def __init__(
        self,
        period: float,
        budget: float,
        clock: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] = time.process_time,
    ) -> None:
        self._period, self._budget, self._clock, self._spent = period, budget, clock, spent
        self._began = self._due = self._last = clock()
        self._began_spent = self._last_spent = spent()
        self._left = budget * START_SECONDS
        self.ticks = self.missed = self.slowed = 0
        """`missed`: moments at which it should have looked and could not; `slowed`: at which it chose not to."""

    def wait_seconds(self) -> float:
        return max(self._due - self._clock(), 0.0)

    def ticked(self) -> None:
        """The tick that was due is done."""
        now, spent = self._clock(), self._spent()
        earned = self._left + (now - self._last) * self._budget
        self._left = min(earned, self._budget * BURST_SECONDS) - (spent - self._last_spent)
        self._last, self._last_spent = now, spent
        self.ticks += 1
        self._due += self._period
        if self._due <= now:
            late = int((now - self._due) // self._period) + 1
            self.missed += late
            self._due += late * self._period
        owed = -self._left - (self._due - now) * self._budget
        if owed > 0:
            more = ceil(owed / self._budget / self._period)
            self.slowed += more
            self._due += more * self._period

    def cost(self) -> float:
        """The part of a core that it has taken until now."""
        passed = self._clock() - self._began
        return (self._spent() - self._began_spent) / passed if passed > 0 else 0.0
