"""What a job costs at every offer of a market at once, in exact whole numbers, as `billing.rate` says it of one.

A price by the hour, and a rule whose units grow with every second, are a fraction of micro-units for each second; that
fraction is taken from billing's own functions, once for each shape of job. Whatever else a rule says (steps, leasts)
is asked of billing for each job, and so is all that 64 bits do not hold.
"""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import numpy as np

from paracloud.billing.rate import BILLIONTHS_IN_A_MICRO_HOUR, Price, most, rate_work
from paracloud.billing.rule import SECONDS_AN_HOUR, Quantities, Unrated, Worked, value, with_none
from paracloud.kit.money import MICRO
from paracloud.placement.columns import Flags, Whole

ROOM = 1 << 61
NO_OVERRUN = timedelta(0)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """One offer as a job of this shape meets it: at what price, given what at the most. `is_own`: on the customer's own
    nodes, for nothing."""

    price: Price | None
    upper: Quantities
    overrun: timedelta
    is_own: bool


class Rates:
    """Of one shape of job, `tasks` times over, at places in the market's order."""

    def __init__(self, places: list[Place], tasks: int) -> None:
        self._places, self._tasks = places, tasks
        size = len(places)
        self.is_priced: Flags = np.zeros(size, dtype=np.bool_)
        self._dividend: Whole = np.zeros(size, dtype=np.int64)
        self._divisor: Whole = np.ones(size, dtype=np.int64)
        self._dearer: Whole = np.ones(size, dtype=np.int64)
        self._by: Whole = np.ones(size, dtype=np.int64)
        self._overrun: Whole = np.zeros(size, dtype=np.int64)
        self._odd: Flags = np.zeros(size, dtype=np.bool_)
        for at, place in enumerate(places):
            self._set(at, place)
        self._is_plain = not self._odd.any()
        self._is_flat = bool((self._dearer == 1).all() and (self._by == 1).all())
        self._largest = int(self._dividend.max(initial=0))
        self._least = int(self._divisor.min(initial=1))
        self._dearest = int(self._dearer.max(initial=1)) * tasks
        self._longest = int(self._overrun.max(initial=0))

    def most(self, at: Whole, wall: timedelta) -> Whole:
        """Micro-units that the job can cost at these places, to its limit and on until it is killed; only of those that
        are priced."""
        seconds = -(-wall // SECOND)
        return self._cost(at, self._overrun[at] + seconds, seconds + self._longest, wall, is_over=True)

    def ran(self, at: Whole, run: Whole) -> Whole:
        """Micro-units of runs that take so many microseconds at these places; a begun second counts."""
        seconds = -(-run // 1_000_000)
        return self._cost(at, seconds, int(seconds.max(initial=0)), run, is_over=False)

    def _set(self, at: int, place: Place) -> None:
        if place.price is None:
            return
        self._overrun[at] = -(-place.overrun // SECOND)
        if not place.is_own:
            try:
                rate_work(Worked(place.upper, 1), place.price, 0)
            except Unrated:
                return
        self.is_priced[at] = True
        if place.is_own:
            return
        by = _by_the_second(place.price, place.upper)
        dearest = place.price.dearest
        if by is None or max(by[0], by[1], dearest.numerator, dearest.denominator) >= ROOM:
            self._odd[at] = True
            return
        self._dividend[at], self._divisor[at] = by
        self._dearer[at], self._by[at] = dearest.numerator, dearest.denominator

    def _cost(self, at: Whole, seconds: Whole, longest: int, time: timedelta | Whole, *, is_over: bool) -> Whole:
        largest = self._largest * longest
        if largest >= ROOM or (largest // self._least + 1) * self._dearest >= ROOM:
            nothing = np.zeros(at.size, dtype=np.int64)
            return self._one_by_one(at, np.ones(at.size, dtype=np.bool_), nothing, time, is_over=is_over)
        divisor = self._divisor[at]
        each, rest = np.divmod(self._dividend[at] * seconds, divisor)
        twice = rest * 2
        each += (twice > divisor) | ((twice == divisor) & (each % 2 == 1))
        if self._tasks != 1 or not self._is_flat:
            each = -(-(each * self._tasks * self._dearer[at]) // self._by[at])
        if self._is_plain:
            return each
        return self._one_by_one(at, self._odd[at], each, time, is_over=is_over)

    def _one_by_one(self, at: Whole, which: Flags, into: Whole, time: timedelta | Whole, *, is_over: bool) -> Whole:
        for number in np.flatnonzero(which):
            place = self._places[at[number]]
            if place.price is None or place.is_own or not self.is_priced[at[number]]:
                continue
            limit = time if isinstance(time, timedelta) else timedelta(microseconds=int(time[number]))
            overrun = place.overrun if is_over else NO_OVERRUN
            into[number] = most(place.upper, limit, overrun, place.price, tasks=self._tasks).amount.micro
        return into


def _by_the_second(price: Price, upper: Quantities) -> tuple[int, int] | None:
    """Micro-units as a fraction, of each second of such a run; None where a second is not worth what another is."""
    rule = price.rule
    if rule is None:
        worth = int(upper["cores"]) * price.core_hour.scaleb(9) + int(upper["gpus"]) * (price.card_hour or 0) * 10**9
        return int(worth), BILLIONTHS_IN_A_MICRO_HOUR
    is_even = rule.is_timed and rule.second_step == 1 and not rule.least_seconds
    if not is_even or rule.unit_step or rule.least_units or rule.free_states:
        return None
    each = Fraction(value(rule.expression, with_none(rule, upper)) * MICRO, SECONDS_AN_HOUR)
    return each.numerator, each.denominator
