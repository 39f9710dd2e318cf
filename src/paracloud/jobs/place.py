"""Place a job among all offers of a market at once: the same choice as `quote.weigh` makes of them one by one.

What depends on the market alone is columns, made once for each reading of it; what depends on the shape of a job, and
so comes again and again, is kept. What is expected is asked only where the choice hangs on it, and reasons are given
only by `weigh`, to whoever asks for them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.billing.pick import Customer
from paracloud.jobs.expect import costs
from paracloud.jobs.hopes import Asked, Hopes
from paracloud.jobs.market import Market, anothers, moving, own_nodes, price_of
from paracloud.jobs.most_given import most_given
from paracloud.jobs.need import need, tasks_in_array
from paracloud.jobs.rates import Place, Rates
from paracloud.jobs.spec import JobSpec
from paracloud.kit.money import Money
from paracloud.placement.choose import Rank
from paracloud.placement.columns import MICROSECOND, Columns, Flags, Whole
from paracloud.placement.expected import likelihood
from paracloud.placement.offer import Need, Objective, Offer
from paracloud.placement.prediction import Quantiles

SHAPES_MOST = 512
"""Kept of one market: some 50 bytes for each of its queues."""
FIXED = attrgetter(
    "name", "nodes", "cores", "cores_per_node", "memory_per_node_bytes", "gpus_per_node", "gpu_model",
    "threads_per_core", "gives_whole_nodes", "gives_each_task_cores", "max_memory_per_core_bytes",
    "default_memory_per_core_bytes", "default_memory_per_node_bytes",
)  # fmt: skip
"""Of a queue, what the most that a job can be given depends on."""
Key: TypeAlias = Callable[[Whole], NDArray[np.int64] | NDArray[np.float64] | Flags]


class Placer:
    """Of one reading of the market."""

    def __init__(self, market: Market, before: "Placer | None" = None) -> None:
        """`before`: of an earlier reading, whose prices are taken over where nothing changed but what is free."""
        self.market = market
        self.columns = Columns(market.bare)
        self.ground = [(one.centre, FIXED(one.queue), one.prices) for one in market.stalls], market.dedications
        self._tells_apart = bool(market.dedications) or market.tells_customers_apart
        is_same = before is not None and before.ground == self.ground
        self.kept: dict[object, Rates] = before.kept if before is not None and is_same else {}
        self._speed = np.array([one.provision.bytes_per_second or 0 for one in market.stalls], dtype=np.int64)

    def place(self, asked: Asked) -> "Placed":
        """The deadline, where there is one, lies ahead."""
        residency = self.market.residencies.get(asked.customer.project)
        wanted = need(asked.spec, only_centre=asked.only_centre, residency=residency, asked_at=self.market.read_at)
        return Placed(self, asked, wanted)

    def rates(self, asked: Asked) -> Rates:
        spec = asked.spec
        key = (
            spec.tasks, spec.cores_per_task, spec.nodes, spec.tasks_per_node, spec.memory_per_node_bytes,
            spec.memory_per_core_bytes, spec.gpus_per_node, spec.gpu_model, spec.exclusive, spec.array,
            frozenset(spec.extra.items()), asked.customer if self._tells_apart else None,
        )  # fmt: skip
        found = self.kept.get(key)
        if found is None:
            if len(self.kept) >= SHAPES_MOST:
                self.kept.clear()
            found = self.kept[key] = Rates(self._places(asked), tasks_in_array(spec))
        return found

    def _places(self, asked: Asked) -> list[Place]:
        spec, customer, places = asked.spec, asked.customer, []
        for stall in self.market.stalls:
            upper = most_given(spec, stall.queue)
            is_own = bool(self.market.dedications) and own_nodes(stall, upper, customer, self.market) is not None
            places.append(Place(price_of(stall, spec, customer), upper, stall.centre.overrun, is_own))
        return places

    def is_open_to(self, customer: Customer) -> Flags:
        """Where no nodes are another customer's."""
        stalls = self.market.stalls
        return np.array([anothers(one, customer, self.market) is None for one in stalls], dtype=np.bool_)

    def moving(self, spec: JobSpec) -> Whole | None:
        """Microseconds that the job's files take to each place; None where there are none."""
        size = sum(one.size_bytes for one in spec.inputs)
        if not size or not self._speed.any():
            return None
        speed = np.maximum(self._speed, 1)
        return np.where(self._speed > 0, -(-size // speed) * 1_000_000, 0)


class Placers:
    """Keeps that of the newest market."""

    def __init__(self) -> None:
        self._newest: Placer | None = None

    def of(self, market: Market) -> Placer:
        if self._newest is None or self._newest.market is not market:
            self._newest = Placer(market, self._newest)
        return self._newest


class Placed:
    """Where a job fits, in the order of its objective: `offers` are made as they are asked for."""

    def __init__(self, placer: Placer, asked: Asked, wanted: Need) -> None:
        self.need, self.objective = wanted, Objective(asked.spec.objective)
        self._placer, self._asked, self._columns = placer, asked, placer.columns
        self._rates = placer.rates(asked)
        self._hopes = Hopes(asked, wanted, placer.market, placer.columns, placer.moving(asked.spec))
        self._fitting = self._filtered()
        self.fits, self.out = int(self._fitting.size), self._columns.size - int(self._fitting.size)

    def offers(self) -> Iterator[Offer]:
        """The chosen one first."""
        if self.fits == 0:
            return
        first = self._first()
        yield self._offer(first)
        for at in self._order():
            if at != first:
                yield self._offer(int(at))

    def _filtered(self) -> Whole:
        found = self._columns.fits(self.need) & self._rates.is_priced
        if self._placer.market.dedications:
            found &= self._placer.is_open_to(self._asked.customer)
        at = np.flatnonzero(found)
        demands = self.need.constraints
        if demands.most_cost is not None:
            limit, places = demands.most_cost, self._placer.market.stalls
            same = [self._currency(int(one)) == limit.currency for one in at] if places else []
            at = at[np.array(same, dtype=np.bool_) & (self._most(at) <= limit.micro)]
        if demands.most_wait is not None:
            at = at[self._hopes.start_p90(at) <= demands.most_wait // MICROSECOND]
        return at

    def _currency(self, at: int) -> str:
        price = price_of(self._placer.market.stalls[at], self._asked.spec, self._asked.customer)
        return "" if price is None else price.currency

    def _first(self) -> int:
        at = self._fitting
        if self.objective is Objective.DEADLINE:
            in_time = at[self._hopes.finish_p90(at) <= self.need.time_left // MICROSECOND]
            if not in_time.size:
                return min((int(one) for one in at), key=self._late)
            at = in_time
        for key in self._keys():
            if at.size == 1:
                break
            values = key(at)
            at = at[values == values.min()]
        return int(at[0])

    def _order(self) -> Sequence[int]:
        at = self._fitting
        if self.objective is not Objective.DEADLINE:
            return [int(one) for one in self._sorted(at)]
        is_in_time = self._hopes.finish_p90(at) <= self.need.time_left // MICROSECOND
        late = sorted((int(one) for one in at[~is_in_time]), key=self._late)
        return [*(int(one) for one in self._sorted(at[is_in_time])), *late]

    def _sorted(self, at: Whole) -> Whole:
        return at[np.lexsort([key(at) for key in reversed(self._keys())])]

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
        p50, p90 = int(self._hopes.finish_p50(one)[0]), int(self._hopes.finish_p90(one)[0])
        finish = Quantiles(p50 * MICROSECOND, p90 * MICROSECOND)
        return -likelihood(finish, self.need.time_left), p50, int(self._most(one)[0]), int(self._columns.place[at])

    def _most(self, at: Whole) -> Whole:
        return self._rates.most(at, self.need.wall_limit)

    def _cost_p50(self, at: Whole) -> Whole:
        if self._placer.market.foresight is None:
            return self._most(at)
        return np.minimum(self._rates.ran(at, self._hopes.times(at).run_p50), self._most(at))

    def _balance(self, at: Whole) -> NDArray[np.float64]:
        return self._cost_p50(at).astype(np.float64) * (self._hopes.finish_p50(at).astype(np.float64) / 1e6)

    def _offer(self, at: int) -> Offer:
        market, asked, spec = self._placer.market, self._asked, self._asked.spec
        stall, bare = market.stalls[at], self._columns.offers[at]
        price = price_of(stall, spec, asked.customer)
        assert price is not None, "only what is priced fits"  # noqa: S101
        most = Money(int(self._most(np.array([at]))[0]), price.currency)
        offer = replace(bare, price=price.id, most=most, moving=moving(spec, stall.provision))
        if market.foresight is None:
            return offer
        found, limit = self._hopes.predicted(at), spec.wall_limit
        run = Quantiles(min(found.run.p50, limit), min(found.run.p90, limit))
        cost = costs(stall, spec, run, customer=asked.customer, market=market, bound=most)
        return replace(offer, prediction=replace(found, run=run), cost=cost)
