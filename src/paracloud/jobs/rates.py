"""What a job costs at every offer of a market at once, in exact whole numbers, as `billing.rate` says it of one."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.billing.rate import most
from paracloud.jobs.given import ROOM
from paracloud.jobs.tariff import SECOND, Place, Prices, Worth, is_rated
from paracloud.placement.columns import Flags, Whole

NO_OVERRUN = timedelta(0)
ROUGH, LARGE = 1e-9, 1e17
"""What a few roundings of binary fractions leave out, as a part of the whole; and what is not worth a guess."""
BEYOND = int(np.iinfo(np.int64).max)
"""Nine million million yuan, which nobody has: what costs more costs just as much."""
FEW_OF = 30
"""One of so many: fewer are not looked for one by one."""
FEW = 4
"""Places whose costs are sooner reckoned one by one."""
Places = Callable[[int], Place]
About: TypeAlias = tuple[NDArray[np.float64], float]
"""Amounts, and by how many micro-units each may be wrong beside its part of ROUGH."""


class _Most(NamedTuple):
    """Of all places together: what a dividend is at the most, a divisor at the least, the dearest tier of all tasks, a
    second in money. `is_flat`: neither tiers nor tasks make more of it."""

    dividend: int
    divisor: int
    dearest: int
    second: float
    is_flat: bool


class Rates:
    """Of one shape of job, `tasks` times over, for one customer. `is_open`: where no nodes are another's. Whoever asks
    says with `place` what one place is, whole: billing itself is asked there for what is odd, and for numbers that 64
    bits do not hold."""

    def __init__(self, prices: Prices, worth: Worth, tasks: int, is_open: Flags, place: Places) -> None:
        self.prices, self.worth, self._tasks = prices, worth, tasks
        self._is_plain = not np.count_nonzero(worth.odd)
        self.is_offered = worth.is_priced & is_open
        self._a_second = worth.dividend / worth.divisor * worth.dearest
        if tasks != 1:
            self._a_second *= tasks
        if not self._is_plain:
            for at in np.flatnonzero(worth.odd & is_open):
                self.is_offered[at] = is_rated(place(int(at)))
            self._a_second[worth.odd] = 0
        self._rounding = 1 + float(worth.dearest.max(initial=1)) * tasks
        self._order = self._a_second.argsort()
        """Of all places, what is odd comes first; then the cheaper by the second."""

    @cached_property
    def _most_of_each(self) -> _Most:
        worth = self.worth
        return _Most(
            int(worth.dividend.max(initial=0)),
            int(worth.divisor.min(initial=1)),
            int(worth.dearer.max(initial=1)) * self._tasks,
            float(self._a_second.max(initial=0)),
            is_flat=self._tasks == 1 and bool((worth.dearer == 1).all() and (worth.by == 1).all()),
        )

    def in_order(self, found: Flags) -> Whole:
        """The places that are `found`, in the order that `cheapest` takes them in."""
        return self._order[found[self._order]]

    def each_in_order(self, found: Flags, count: int) -> Iterator[int]:
        """The same one after the other, where there are so many, for who soon has enough."""
        if count * FEW_OF < found.size:
            return iter(self.in_order(found).tolist())
        is_found = found.tobytes()
        return (at for at in self._order.data if is_found[at])

    def cheapest(self, at: Iterable[int], wall: timedelta, place: Places) -> list[int]:
        """Of these places, which come `in_order`, those where the least is the most that the job can cost. Where
        those that are left are dearer, none of them is looked at."""
        shortest = (-(-wall // SECOND) + self.worth.overrun.shortest) * (1 - ROUGH)
        found, least = list[int](), 0
        for one in at:
            if found and self._a_second.item(one) * shortest - self._rounding > least:
                break
            micro = self.most_at(one, wall, place)
            if not found or micro < least:
                found, least = [one], micro
            elif micro == least:
                found.append(one)
        return found

    def most(self, at: Whole, wall: timedelta, place: Places) -> Whole:
        """Micro-units that the job can cost at these places, to its limit and on until it is killed; only of those that
        are offered."""
        if at.size <= FEW:
            return np.array([min(self.most_at(one, wall, place), BEYOND) for one in at.tolist()], dtype=np.int64)
        seconds = -(-wall // SECOND)
        found = self._cost(at, self.worth.overrun.each.take(at) + seconds, seconds + self.worth.overrun.longest)
        return self._mended(found, at, lambda _: wall, place, is_over=True)

    def ran(self, at: Whole, run: Whole | int, place: Places) -> Whole:
        """Micro-units of runs that take so many microseconds at these places; a begun second counts."""
        runs = np.broadcast_to(np.int64(run), at.shape)
        if at.size <= FEW:
            each = (
                self.ran_at(one, timedelta(microseconds=long), place)
                for one, long in zip(at.tolist(), runs.tolist(), strict=True)
            )
            return np.array([min(one, BEYOND) for one in each], dtype=np.int64)
        seconds: Whole = -(-runs // 1_000_000)
        found = self._cost(at, seconds, int(seconds.max(initial=0)))
        return self._mended(found, at, lambda number: timedelta(microseconds=int(runs[number])), place, is_over=False)

    def about_most(self, at: Whole, wall: timedelta) -> About | None:
        """What `most` says, but much sooner; None where only an exact answer will do."""
        seconds = -(-wall // SECOND)
        return self._about(at, self.worth.overrun.each.take(at) + seconds, seconds + self.worth.overrun.longest)

    def about(self, at: Whole, run: Whole | int) -> About | None:
        """What `ran` says."""
        seconds = -(-run // 1_000_000)
        return self._about(at, seconds, seconds if isinstance(seconds, int) else int(seconds.max(initial=0)))

    def _about(self, at: Whole, seconds: Whole | int, longest: int) -> About | None:
        if not self._is_plain or self._most_of_each.second * longest > LARGE:
            return None
        return self._a_second.take(at) * seconds, self._rounding

    def most_at(self, at: int, wall: timedelta, place: Places) -> int:
        """At one place."""
        seconds = -(-wall // SECOND) + self.worth.overrun.each.item(at)
        found = self._cost_at(at, seconds)
        return _by_billing(place(at), wall, self._tasks, is_over=True) if found is None else found

    def ran_at(self, at: int, run: timedelta, place: Places) -> int:
        """At one place."""
        found = self._cost_at(at, -(-run // SECOND))
        return _by_billing(place(at), run, self._tasks, is_over=False) if found is None else found

    def _cost_at(self, at: int, seconds: int) -> int | None:
        """None where it is odd; Python's own numbers hold everything."""
        worth = self.worth
        if not self._is_plain and worth.odd[at]:
            return None
        divisor = worth.divisor.item(at)
        each, rest = divmod(worth.dividend.item(at) * seconds * 2 + divisor, divisor * 2)
        each -= rest == 0 and each % 2
        return -(-each * self._tasks * worth.dearer.item(at) // worth.by.item(at))

    def _cost(self, at: Whole, seconds: Whole, longest: int) -> Whole | None:
        """None where 64 bits do not hold it."""
        worth, bound = self.worth, self._most_of_each
        largest = bound.dividend * longest
        if largest >= ROOM or (largest // bound.divisor + 1) * bound.dearest >= ROOM:
            return None
        divisor = worth.divisor.take(at)
        each, rest = np.divmod(worth.dividend.take(at) * seconds * 2 + divisor, divisor * 2)
        is_tie = rest == 0
        if is_tie.any():
            each -= is_tie & (each % 2 == 1)
        if not bound.is_flat:
            each = -(-(each * self._tasks * worth.dearer[at]) // worth.by[at])
        return each

    def _mended(
        self, found: Whole | None, at: Whole, ran: Callable[[int], timedelta], place: Places, *, is_over: bool
    ) -> Whole:
        """With what billing itself says, where it must be asked."""
        if found is not None and self._is_plain:
            return found
        into = np.zeros(at.size, dtype=np.int64) if found is None else found
        which = self.is_offered[at] if found is None else self.is_offered[at] & self.worth.odd[at]
        for number in np.flatnonzero(which):
            micro = _by_billing(place(int(at[number])), ran(int(number)), self._tasks, is_over=is_over)
            into[number] = min(micro, BEYOND)
        return into


def _by_billing(place: Place, ran: timedelta, tasks: int, *, is_over: bool) -> int:
    if place.price is None or place.is_own:
        return 0
    overrun = place.overrun if is_over else NO_OVERRUN
    return most(place.upper, ran, overrun, place.price, tasks=tasks).amount.micro
