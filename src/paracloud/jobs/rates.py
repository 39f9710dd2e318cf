"""What a job costs at every offer of a market at once, in exact whole numbers, as `billing.rate` says it of one."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np

from paracloud.billing.rate import most
from paracloud.jobs.given import ROOM
from paracloud.jobs.tariff import SECOND, Place, Worth, is_rated
from paracloud.placement.columns import Whole

NO_OVERRUN = timedelta(0)
Places = Callable[[int], Place]


class Rates:
    """Of one shape of job, `tasks` times over. Whoever asks says with `place` what one place is, whole: billing itself
    is asked there for what is odd, and for numbers that 64 bits do not hold."""

    def __init__(self, worth: Worth, tasks: int, place: Places) -> None:
        self._worth, self._tasks = worth, tasks
        self.is_priced = worth.is_priced.copy()
        for at in np.flatnonzero(worth.odd):
            self.is_priced[at] = is_rated(place(int(at)))
        self._is_plain = not worth.odd.any()
        self._is_flat = bool((worth.dearer == 1).all() and (worth.by == 1).all())
        self._largest, self._least = int(worth.dividend.max(initial=0)), int(worth.divisor.min(initial=1))
        self._dearest = int(worth.dearer.max(initial=1)) * tasks
        self._longest = int(worth.overrun.max(initial=0))

    def most(self, at: Whole, wall: timedelta, place: Places) -> Whole:
        """Micro-units that the job can cost at these places, to its limit and on until it is killed; only of those that
        are priced."""
        seconds = -(-wall // SECOND)
        found = self._cost(at, self._worth.overrun[at] + seconds, seconds + self._longest)
        return self._mended(found, at, lambda _: wall, place, is_over=True)

    def ran(self, at: Whole, run: Whole, place: Places) -> Whole:
        """Micro-units of runs that take so many microseconds at these places; a begun second counts."""
        seconds = -(-run // 1_000_000)
        found = self._cost(at, seconds, int(seconds.max(initial=0)))
        return self._mended(found, at, lambda number: timedelta(microseconds=int(run[number])), place, is_over=False)

    def _cost(self, at: Whole, seconds: Whole, longest: int) -> Whole | None:
        """None where 64 bits do not hold it."""
        worth, largest = self._worth, self._largest * longest
        if largest >= ROOM or (largest // self._least + 1) * self._dearest >= ROOM:
            return None
        divisor = worth.divisor[at]
        each, rest = np.divmod(worth.dividend[at] * seconds, divisor)
        twice = rest * 2
        each += (twice > divisor) | ((twice == divisor) & (each % 2 == 1))
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
            one = place(int(at[number]))
            if one.price is None or one.is_own:
                continue
            overrun = one.overrun if is_over else NO_OVERRUN
            into[number] = most(one.upper, ran(int(number)), overrun, one.price, tasks=self._tasks).amount.micro
        return into
