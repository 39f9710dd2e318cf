"""What a job costs at every offer of a market at once, in exact whole numbers, as `billing.rate` says it of one."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.billing.rate import most
from paracloud.jobs.given import ROOM
from paracloud.jobs.tariff import SECOND, Place, Worth, is_rated
from paracloud.placement.columns import Whole

NO_OVERRUN = timedelta(0)
ROUGH, LARGE = 1e-9, 1e17
"""What a few roundings of binary fractions leave out, as a part of the whole; and what is not worth a guess."""
BEYOND = int(np.iinfo(np.int64).max)
"""Nine million million yuan, which nobody has: what costs more costs just as much."""
Places = Callable[[int], Place]
About: TypeAlias = tuple[NDArray[np.float64], float]
"""Amounts, and by how many micro-units each may be wrong beside its part of ROUGH."""


class Rates:
    """Of one shape of job, `tasks` times over. Whoever asks says with `place` what one place is, whole: billing itself
    is asked there for what is odd, and for numbers that 64 bits do not hold."""

    def __init__(self, worth: Worth, tasks: int, place: Places) -> None:
        self._worth, self._tasks = worth, tasks
        self.is_priced = worth.is_priced.copy()
        for at in np.flatnonzero(worth.odd):
            self.is_priced[at] = is_rated(place(int(at)))
        self._doubled_dividend, self._doubled_divisor = worth.dividend * 2, worth.divisor * 2
        self._is_plain = not worth.odd.any()
        self._is_flat = bool((worth.dearer == 1).all() and (worth.by == 1).all())
        self._largest, self._least = int(worth.dividend.max(initial=0)), int(worth.divisor.min(initial=1))
        self._dearest = int(worth.dearer.max(initial=1)) * tasks
        self._longest = int(worth.overrun.max(initial=0))
        factor = worth.dearer / worth.by * tasks
        self._a_second = worth.dividend / worth.divisor * factor
        self._rounding = 1 + float(factor.max(initial=1))
        self._dearest_second = float(self._a_second.max(initial=0))

    def most(self, at: Whole, wall: timedelta, place: Places) -> Whole:
        """Micro-units that the job can cost at these places, to its limit and on until it is killed; only of those that
        are priced."""
        seconds = -(-wall // SECOND)
        found = self._cost(at, self._worth.overrun.take(at) + seconds, seconds + self._longest)
        return self._mended(found, at, lambda _: wall, place, is_over=True)

    def ran(self, at: Whole, run: Whole, place: Places) -> Whole:
        """Micro-units of runs that take so many microseconds at these places; a begun second counts."""
        seconds = -(-run // 1_000_000)
        found = self._cost(at, seconds, int(seconds.max(initial=0)))
        return self._mended(found, at, lambda number: timedelta(microseconds=int(run[number])), place, is_over=False)

    def about_most(self, at: Whole, wall: timedelta) -> About | None:
        """What `most` says, but much sooner; None where only an exact answer will do."""
        seconds = -(-wall // SECOND)
        return self._about(at, self._worth.overrun.take(at) + seconds, seconds + self._longest)

    def about(self, at: Whole, run: Whole) -> About | None:
        """What `ran` says."""
        seconds = -(-run // 1_000_000)
        return self._about(at, seconds, int(seconds.max(initial=0)))

    def _about(self, at: Whole, seconds: Whole, longest: int) -> About | None:
        if not self._is_plain or self._dearest_second * longest > LARGE:
            return None
        return self._a_second.take(at) * seconds, self._rounding

    def most_at(self, at: int, wall: timedelta, place: Places) -> int:
        """At one place."""
        seconds = -(-wall // SECOND) + int(self._worth.overrun[at])
        found = self._cost_at(at, seconds)
        return _by_billing(place(at), wall, self._tasks, is_over=True) if found is None else found

    def ran_at(self, at: int, run: timedelta, place: Places) -> int:
        """At one place."""
        found = self._cost_at(at, -(-run // SECOND))
        return _by_billing(place(at), run, self._tasks, is_over=False) if found is None else found

    def _cost_at(self, at: int, seconds: int) -> int | None:
        """None where it is odd; Python's own numbers hold everything."""
        worth = self._worth
        if not self._is_plain and worth.odd[at]:
            return None
        divisor = int(worth.divisor[at])
        each, rest = divmod(int(worth.dividend[at]) * seconds * 2 + divisor, divisor * 2)
        each -= rest == 0 and each % 2
        return -(-each * self._tasks * int(worth.dearer[at]) // int(worth.by[at]))

    def _cost(self, at: Whole, seconds: Whole, longest: int) -> Whole | None:
        """None where 64 bits do not hold it."""
        worth, largest = self._worth, self._largest * longest
        if largest >= ROOM or (largest // self._least + 1) * self._dearest >= ROOM:
            return None
        divisor = self._doubled_divisor.take(at)
        each, rest = np.divmod(self._doubled_dividend.take(at) * seconds + worth.divisor.take(at), divisor)
        is_tie = rest == 0
        if is_tie.any():
            each -= is_tie & (each % 2 == 1)
        if self._tasks != 1 or not self._is_flat:
            each = -(-(each * self._tasks * worth.dearer[at]) // worth.by[at])
        return each

    def _mended(
        self, found: Whole | None, at: Whole, ran: Callable[[int], timedelta], place: Places, *, is_over: bool
    ) -> Whole:
        """With what billing itself says, where it must be asked."""
        if found is not None and self._is_plain:
            return found
        into = np.zeros(at.size, dtype=np.int64) if found is None else found
        which = self.is_priced[at] if found is None else self.is_priced[at] & self._worth.odd[at]
        for number in np.flatnonzero(which):
            micro = _by_billing(place(int(at[number])), ran(int(number)), self._tasks, is_over=is_over)
            into[number] = min(micro, BEYOND)
        return into


def _by_billing(place: Place, ran: timedelta, tasks: int, *, is_over: bool) -> int:
    if place.price is None or place.is_own:
        return 0
    overrun = place.overrun if is_over else NO_OVERRUN
    return most(place.upper, ran, overrun, place.price, tasks=tasks).amount.micro
