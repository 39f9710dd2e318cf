"""Place a job among all offers of a market at once: the same choice as `quote.weigh` makes of them one by one.

What is expected is asked only where the choice hangs on it; reasons are given by `weigh` alone, to who asks for them.
"""

from collections.abc import Callable, Iterator, Sequence
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
        self._fitting = self._filtered()
        self.fits, self.out = self._fitting.size, self._columns.size - self._fitting.size

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
        at, bound = self._fitting, than.most
        if not may_cost_more and bound is not None:
            at = at[self._most(at) <= bound.micro]
        return any(self._columns.offers[one].centre != than.centre for one in at.tolist())

    def _filtered(self) -> Whole:
        found, demands = self._columns.fits(self.need) & self._rates.is_offered, self.need.constraints
        if demands.most_cost is not None:
            found &= self._rates.prices.is_in(demands.most_cost.currency)
        (at,) = found.nonzero()
        if demands.most_cost is not None:
            at = at[self._most(at) <= demands.most_cost.micro]
        if demands.most_wait is not None:
            at = at[self._hopes.start_p90(at) <= demands.most_wait // MICROSECOND]
        return at

    def _first(self) -> int:
        at = self._fitting
        if self.objective is Objective.DEADLINE:
            in_time = self._in_time(at)
            if not in_time.size:
                return min((int(one) for one in self._likeliest(at)), key=self._late)
            at = in_time
        at = self._cheap_enough(at)
        if at.size > 1:
            for key in self._keys():
                values = key(at)
                at = at[values == values.min()]
                if at.size == 1:
                    break
        return at.item(0)

    def _in_time(self, at: Whole) -> Whole:
        found: Whole = at[self._hopes.finish_p90(at) <= self.need.time_left // MICROSECOND]
        return found

    def _cheap_enough(self, at: Whole) -> Whole:
        """All that can be the cheapest, or the best by cost and time: the exact costs of the few that are left are
        compared next. No amount is further than `rounding` from what it is said to be about, but for its part of
        ROUGH: so none is cheaper than one that is about so much less."""
        match self.objective:
            case Objective.SOONEST:
                return at
            case Objective.BALANCED if self._placer.market.foresight is not None:
                about = self._rates.about(at, self._hopes.run_p50(at))
            case _:
                about = self._rates.about_most(at, self.need.wall_limit)
        if about is None:
            return at
        least, rounding = about
        least -= rounding
        largest = 2 * rounding
        if self.objective is Objective.BALANCED:
            finish = self._hopes.finish_p50(at)
            least *= finish
            best = least.argmin()
            largest *= int(finish[best])
        else:
            best = least.argmin()
        few: Whole = at[least <= (least.item(best) + largest) * (1 + ROUGH)]
        return few

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
        at = self._fitting
        if self.objective is not Objective.DEADLINE:
            return self._sorted(at)
        in_time = self._in_time(at)
        late: list[int] = np.setdiff1d(at, in_time, assume_unique=True).tolist()
        return [*self._sorted(in_time), *sorted(late, key=self._late)]

    def _sorted(self, at: Whole) -> list[int]:
        found: list[int] = at[np.lexsort([key(at) for key in reversed(self._keys())])].tolist()
        return found

    def _keys(self) -> Sequence[Key]:
        """As `choose` ranks, the weightiest first."""
        place: Key = lambda at: self._columns.place[at]  # noqa: E731
        sooner: tuple[Key, ...] = (
            self._hopes.start_p50,
            lambda at: ~self._columns.starts_now(self.need)[at],
            lambda at: self._columns.taken_share[at],
        )
        match self.objective:
            case Objective.CHEAPEST | Objective.DEADLINE:
                return self._most, self._cost_p50, *sooner, place
            case Objective.SOONEST:
                return *sooner, self._most, place
            case Objective.BALANCED:
                return self._balance, self._hopes.finish_p50, self._most, place

    def _late(self, at: int) -> Rank:
        one = np.array([at])
        p50, p90 = self._hopes.finish_p50(one).item(), self._hopes.finish_p90(one).item()
        finish = Quantiles(p50 * MICROSECOND, p90 * MICROSECOND)
        return (
            -likelihood(finish, self.need.time_left),
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

    def _offer(self, at: int) -> Offer:
        market, spec, bare = self._placer.market, self._asked.spec, self._columns.offers[at]
        price = self._rates.prices.each[at]
        assert price is not None, "only what is priced fits"  # noqa: S101
        most = Money(self._rates.most_at(at, spec.wall_limit, self._place), price.currency)
        way = moving(spec, bare.provision)
        if market.foresight is None:
            return bare.met_by_job(price.id, most, way)
        found = self._hopes.predicted(at)
        p50, p90 = (self._rates.ran_at(at, run, self._place) for run in (found.run.p50, found.run.p90))
        cost = Costs(Money(p50, most.currency), Money(p90, most.currency))
        return bare.met_by_job(price.id, most, way, prediction=found, cost=cost)
