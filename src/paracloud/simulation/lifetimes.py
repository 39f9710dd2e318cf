"""How long jobs that say nothing of it run, and how much longer those that run already. Pure, and it never looks ahead.

By the mean of what ended before, and of what outlived this one's age: where most jobs are short and the others long,
one that still runs is one of the long ones. Queues are made of sums, and a sum is foreseen by means, not by medians.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Hashable, Sequence
from itertools import accumulate
from typing import Final

KEPT: Final = 400
"""Of each key, the newest."""
LEAST_SEEN: Final = 5
"""Jobs of a key before it is asked; of those that outlived an age, too."""
FIRST_SECONDS: Final = 3600.0
"""Where nothing has ended yet."""
OUTLIVED_PART, OUTLIVED_SECONDS = 0.5, 60.0
"""What outlives nearly all that was seen runs half as long again as by now, and a minute at least."""


class _Lives:
    __slots__ = ("_newest", "_ordered", "_sums")

    def __init__(self) -> None:
        self._newest: deque[float] = deque()
        self._ordered: list[float] = []
        self._sums: list[float] | None = None

    def add(self, ran: float) -> None:
        if len(self._newest) == KEPT:
            del self._ordered[bisect_left(self._ordered, self._newest.popleft())]
        self._newest.append(ran)
        insort(self._ordered, ran)
        self._sums = None

    def beyond(self, age: float) -> tuple[float, float] | None:
        """The mean of those that ran longer than `age`, and what nine in ten of them do not exceed; None where they are
        too few."""
        at = bisect_right(self._ordered, age)
        count = len(self._ordered) - at
        if count < LEAST_SEEN:
            return None
        if self._sums is None:
            self._sums = [0.0, *accumulate(self._ordered)]
        return (self._sums[-1] - self._sums[at]) / count, self._ordered[at + int(0.9 * count)]


class Lifetimes:
    """Feed it with each job that ended, ask it for each that comes or runs."""

    def __init__(self) -> None:
        self._lives: dict[Hashable, _Lives] = {}

    def learn(self, keys: Sequence[Hashable], ran: float) -> None:
        for key in keys:
            found = self._lives.get(key)
            if found is None:
                found = self._lives[key] = _Lives()
            found.add(ran)

    def expected(self, keys: Sequence[Hashable], age: float = -1.0) -> tuple[float, float]:
        """The mean, and what nine in ten do not exceed, in seconds from the start of one that has run for `age`
        (negative: it has not begun). `keys`: from the narrowest to the widest; the first that says enough is asked."""
        for key in keys:
            lives = self._lives.get(key)
            found = None if lives is None else lives.beyond(age)
            if found is not None:
                return found
        if age < 0:
            return FIRST_SECONDS, FIRST_SECONDS
        later = age + max(age * OUTLIVED_PART, OUTLIVED_SECONDS)
        return later, later
