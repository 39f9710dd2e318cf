"""Place a job among all offers of a market at once: the same choice as `quote.weigh` makes of them one by one.

What is expected is asked only where the choice hangs on it; reasons are given by `weigh` alone, to who asks for them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.jobs.hopes import Asked, Hopes
from paracloud.jobs.offers import moving
from paracloud.jobs.placer import Placer
from paracloud.jobs.rates import ROUGH
from paracloud.kit.money import Money
from paracloud.placement.choose import Rank
from paracloud.placement.columns import MICROSECOND, Flags, Whole
from paracloud.placement.expected import likelihood
from paracloud.placement.offer import Objective, Offer
from paracloud.placement.prediction import Costs, Quantiles

FEW = 32
"""Places that are asked about at first, where the cheapest come first."""
AT_ONCE = timedelta(0)
Key: TypeAlias = Callable[[Whole], NDArray[np.int64] | NDArray[np.float64] | Flags]


def place(placer: Placer, asked: Asked) -> "Placed":
    """The deadline, where there is one, lies ahead."""
    return Placed(placer, asked)


class Placed:
    """Where a job fits, in the order of its objective: `offers` are made as they are asked for."""

    def __init__(self, placer: Placer, asked: Asked) -> None:
        self.need, self.objective = placer.need(asked), Objective(asked.spec.objective)
        self._placer, self._asked, self._columns = placer, asked, placer.columns
        self._rates, self._place = placer.rates(asked), partial(placer.at, asked)
        self._hopes = Hopes(
            placer.prospects(asked, self.need), self.need.wall_limit // MICROSECOND, placer.moving(asked.spec)
        )
        self._found = self._filtered()
        self.fits = int(np.count_nonzero(self._found))
        self.out = self._columns.size - self.fits

    def offers(self) -> Iterator[Offer]:
        """The chosen one first."""
        if self.fits == 0:
            return
        first = self._first()
        yield self._offer(first)
        for at in self._order():
            if at != first:
                yield self._offer(at)

    def fits_elsewhere(self, than: Offer, *, may_cost_more: bool) -> bool:
        """Whether another centre would do, for no more."""
        at, bound = self._fitting(), than.most
        if not may_cost_more and bound is not None:
            at = at[self._most(at) <= bound.micro]
        return any(self._columns.offers[one].centre != than.centre for one in at.tolist())

    def _filtered(self) -> Flags:
        found, demands = self._columns.fits(self.need) & self._rates.is_offered, self.need.constraints
        if demands.most_cost is not None:
            found &= self._rates.prices.is_in(demands.most_cost.currency)
            (at,) = found.nonzero()
            found[at] = self._most(at) <= demands.most_cost.micro
        if demands.most_wait is not None:
            (at,) = found.nonzero()
            found[at] = self._hopes.start_p90(at) <= demands.most_wait // MICROSECOND
        return found

    def _fitting(self) -> Whole:
        (at,) = self._found.nonzero()
        return at

    def _first(self) -> int:
        match self.objective:
            case Objective.SOONEST:
                return self._best(self._fitting())
            case Objective.BALANCED:
                return self._best(self._balanced_enough(self._fitting()))
            case Objective.CHEAPEST:
                each = self._rates.each_in_order(self._found, self.fits)
                return self._best(self._cheapest(each))
            case Objective.DEADLINE:
                at = self._rates.in_order(self._found)
                found = self._cheapest(self._each_in_time(at))
                return self._best(found) if found.size else self._by_lateness(self._likeliest(at))[0]

    def _cheapest(self, each: Iterable[int]) -> Whole:
        return np.array(self._rates.cheapest(each, self.need.wall_limit, self._place), dtype=np.int64)

    def _best(self, at: Whole) -> int:
        if at.size > 1:
            for key in self._keys():
                values = key(at)
                at = at[values == values.min()]
                if at.size == 1:
                    break
        return at.item(0)

    def _each_in_time(self, at: Whole) -> Iterator[int]:
        """Of most of them nothing is asked, where one of the first is wanted."""
        first = at[:FEW]
        yield from first[self._is_in_time(first)].tolist()
        if at.size > FEW:
            yield from at[FEW:][self._is_in_time(at)[FEW:]].tolist()

    def _is_in_time(self, at: Whole) -> Flags:
        found: Flags = self._hopes.finish_p90(at) <= self.need.time_left // MICROSECOND
        return found

    def _balanced_enough(self, at: Whole) -> Whole:
        """All that can be the best by cost and time: the exact costs of the few that are left are compared next. No
        amount is further than `rounding` from what it is said to be about, but for its part of ROUGH: so none is
        cheaper than one that is about so much less."""
        if self._placer.market.foresight is None:
            about = self._rates.about_most(at, self.need.wall_limit)
        else:
            about = self._rates.about(at, self._hopes.run_p50(at))
        if about is None:
            return at
        finish, (least, rounding) = self._hopes.finish_p50(at), about
        least -= rounding
        least *= finish
        best = least.argmin()
        found: Whole = at[least <= (least.item(best) + 2 * rounding * int(finish[best])) * (1 + ROUGH)]
        return found

    def _likeliest(self, at: Whole) -> Whole:
        """The likeliest to be done in time, and all that binary fractions might mistake for it."""
        left, p90, p50 = self.need.time_left // MICROSECOND, self._hopes.finish_p90(at), self._hopes.finish_p50(at)
        is_spread = (p50 > 0) & (p90 > p50)  # as none is in time, one that is not will never be
        if left <= 0 or not is_spread.any():
            return at
        at, p50, p90 = at[is_spread], p50[is_spread], p90[is_spread]
        deviations = np.log(left / p50) / np.log(p90 / p50)
        found: Whole = at[deviations >= deviations.max() - 1e-6 * (1 + abs(deviations.max()))]
        return found

    def _order(self) -> Sequence[int]:
        at = self._fitting()
        if self.objective is not Objective.DEADLINE:
            return self._sorted(at)
        is_in_time = self._is_in_time(at)
        return [*self._sorted(at[is_in_time]), *self._by_lateness(at[~is_in_time])]

    def _sorted(self, at: Whole) -> list[int]:
        found: list[int] = at[np.lexsort([key(at) for key in reversed(self._keys())])].tolist()
        return found

    def _keys(self) -> Sequence[Key]:
        """As `choose` ranks, the weightiest first."""
        sooner: tuple[Key, ...] = self._hopes.start_p50, self._waits, self._taken
        match self.objective:
            case Objective.CHEAPEST | Objective.DEADLINE:
                return self._most, self._cost_p50, *sooner, self._at
            case Objective.SOONEST:
                return *sooner, self._most, self._at
            case Objective.BALANCED:
                return self._balance, self._hopes.finish_p50, self._most, self._at

    def _by_lateness(self, at: Whole) -> list[int]:
        """The likeliest to be done in time first."""
        p90, p50, each = self._hopes.finish_p90(at).tolist(), self._hopes.finish_p50(at).tolist(), at.tolist()
        ranks = {one: self._lateness(one, *finish) for one, *finish in zip(each, p50, p90, strict=True)}
        return sorted(each, key=ranks.__getitem__)

    def _lateness(self, at: int, p50: int, p90: int) -> Rank:
        return (
            -likelihood(Quantiles(p50 * MICROSECOND, p90 * MICROSECOND), self.need.time_left),
            p50,
            self._rates.most_at(at, self.need.wall_limit, self._place),
            self._columns.place.item(at),
        )

    def _most(self, at: Whole) -> Whole:
        return self._rates.most(at, self.need.wall_limit, self._place)

    def _cost_p50(self, at: Whole) -> Whole:
        """Never above the most: no run is longer than the limit, and no price makes a longer run cheaper."""
        if self._placer.market.foresight is None:
            return self._most(at)
        return self._rates.ran(at, self._hopes.run_p50(at), self._place)

    def _balance(self, at: Whole) -> NDArray[np.float64]:
        return self._cost_p50(at).astype(np.float64) * (self._hopes.finish_p50(at).astype(np.float64) / 1e6)

    def _waits(self, at: Whole) -> Flags:
        """Whether it cannot start at once."""
        return ~self._columns.starts_now(self.need).take(at)

    def _taken(self, at: Whole) -> NDArray[np.float64]:
        return self._columns.taken_share.take(at)

    def _at(self, at: Whole) -> Whole:
        return self._columns.place.take(at)

    def _offer(self, at: int) -> Offer:
        rates, spec, bare = self._rates, self._asked.spec, self._columns.offers[at]
        price = rates.prices.each[at]
        assert price is not None, "only what is priced fits"  # noqa: S101
        currency = price.currency
        most = Money(rates.most_at(at, spec.wall_limit, self._place), currency)
        way = moving(spec, bare.provision) if spec.inputs else AT_ONCE
        if self._placer.market.foresight is None:
            return bare.met_by_job(price.id, most, way)
        found = self._hopes.predicted(at)
        p50 = Money(rates.ran_at(at, found.run.p50, self._place), currency)
        p90 = Money(rates.ran_at(at, found.run.p90, self._place), currency)
        return bare.met_by_job(price.id, most, way, prediction=found, cost=Costs(p50, p90))
