"""What placing many jobs in one reading of the market needs again and again, worked out once.

What depends on the market alone is columns; what depends on the shape of a job is kept for the next of that shape.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import NamedTuple, TypeVar

import numpy as np

from paracloud.billing.pick import ANYBODY, Customer
from paracloud.jobs.checks import INPUTS_LIMIT_BYTES
from paracloud.jobs.foresees import Prospects
from paracloud.jobs.given import Queues
from paracloud.jobs.hopes import Asked, unforeseen
from paracloud.jobs.market import Market
from paracloud.jobs.most_given import most_given
from paracloud.jobs.named import Named
from paracloud.jobs.need import need, tasks_in_array
from paracloud.jobs.offers import MOVING_MOST_SECONDS, own_nodes, price_of
from paracloud.jobs.rates import Rates
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.tariff import Place, Prices, Tariff, worth_one_by_one
from paracloud.placement.columns import Columns, Flags, Whole
from paracloud.placement.offer import Need

SHAPES_MOST, TERMS_MOST = 2048, 64
"""Kept of one market: some 35 bytes for each of its queues (60 for whom the market names), and some 70."""
SHAPE = attrgetter(
    "tasks", "cores_per_task", "nodes", "tasks_per_node", "memory_per_node_bytes", "memory_per_core_bytes",
    "gpus_per_node", "gpu_model", "exclusive",
)  # fmt: skip
"""Of a job, what its price depends on beside its array, its options and its customer."""
FIXED = attrgetter(
    "name", "nodes", "cores", "cores_per_node", "memory_per_node_bytes", "gpus_per_node", "gpu_model",
    "threads_per_core", "gives_whole_nodes", "gives_each_task_cores", "max_memory_per_core_bytes",
    "default_memory_per_core_bytes", "default_memory_per_node_bytes",
)  # fmt: skip
"""Of a queue, what the most that a job can be given depends on."""


Kept = TypeVar("Kept")


class _Terms(NamedTuple):
    """Of a customer that asks for a quality of service. `tariff`: None for one that is treated as all others are but at
    the places `unlike`. `is_open`: where no nodes are another's."""

    prices: Prices
    tariff: Tariff | None
    unlike: Sequence[int]
    is_open: Flags


class Placer:
    """Of one reading of the market."""

    def __init__(self, market: Market, before: "Placer | None" = None) -> None:
        """`before`: of an earlier reading, whose prices are taken over where nothing changed but what is free."""
        self.market = market
        self.columns = Columns(market.bare)
        self.ground = [(one.centre, FIXED(one.queue), one.prices) for one in market.stalls], market.dedications
        self._named = Named(market)
        is_same = before is not None and before.ground == self.ground
        self.kept: dict[object, Rates] = before.kept if before is not None and is_same else {}
        self.terms: dict[object, _Terms] = before.terms if before is not None and is_same else {}
        self._queues = Queues([one.queue for one in market.stalls])
        self._speed = np.array([one.provision.bytes_per_second or 0 for one in market.stalls], dtype=np.int64)

    def need(self, asked: Asked) -> Need:
        residency = self.market.residencies.get(asked.customer.project)
        return need(asked.spec, only_centre=asked.only_centre, residency=residency, asked_at=self.market.read_at)

    def prospects(self, asked: Asked, need: Need) -> Prospects:
        if self.market.foresight is None:
            return unforeseen(need, self.columns)
        return self.market.foresight.prospects(asked.customer.project, asked.user, asked.spec, self.columns.offers)

    def rates(self, asked: Asked) -> Rates:
        spec, whose = asked.spec, self._named.alike(asked.customer)
        options = frozenset(spec.extra.items()) if spec.extra else None
        key = SHAPE(spec), tasks_in_array(spec), options, whose
        found = self.kept.get(key)
        if found is None:
            found = _keep(self.kept, key, self._priced(replace(asked, customer=whose)), SHAPES_MOST)
        return found

    def _priced(self, asked: Asked) -> Rates:
        """`asked` by a customer as far as anything names it."""
        terms, tasks, place = self._terms(asked), tasks_in_array(asked.spec), partial(self.at, asked)
        if terms.tariff is None:
            everybodys = self.rates(replace(asked, customer=_nobody(asked.customer))).worth
            worth = everybodys.but(terms.unlike, worth_one_by_one([place(at) for at in terms.unlike]))
        elif (given := self._queues.given(asked.spec)) is not None:
            worth = terms.tariff.worth(given)
        else:
            worth = worth_one_by_one([place(at) for at in range(self.columns.size)])
        return Rates(terms.prices, worth, tasks, terms.is_open, place)

    def _terms(self, asked: Asked) -> _Terms:
        qos, customer, stalls = asked.spec.extra.get("qos", ""), asked.customer, self.market.stalls
        found = self.terms.get((qos, customer))
        if found is None:
            unlike = self._named.unlike_others(customer)
            if unlike:
                others = self._terms(replace(asked, customer=_nobody(customer)))
                chosen = list(others.prices.each)
                for at in unlike:
                    chosen[at] = price_of(stalls[at], asked.spec, customer)
            else:
                chosen = [price_of(one, asked.spec, customer) for one in stalls]
            tariff = None if unlike else Tariff(chosen, [one.centre.overrun for one in stalls])
            found = _Terms(Prices(chosen), tariff, unlike, self._named.is_open_to(customer))
            _keep(self.terms, (qos, customer), found, TERMS_MOST)
        return found

    def at(self, asked: Asked, at: int) -> Place:
        """One place, as this job meets it."""
        stall, customer = self.market.stalls[at], asked.customer
        upper = most_given(asked.spec, stall.queue)
        is_own = own_nodes(stall, upper, customer, self.market) is not None
        return Place(price_of(stall, asked.spec, customer), upper, stall.centre.overrun, is_own)

    def moving(self, spec: JobSpec) -> Whole | None:
        """Microseconds that the job's files take to each place; None where there are none."""
        if not spec.inputs:
            return None
        size = min(sum(one.size_bytes for one in spec.inputs), INPUTS_LIMIT_BYTES)
        if not size or not self._speed.any():
            return None
        speed = np.maximum(self._speed, 1)
        return np.where(self._speed > 0, np.minimum(-(-size // speed), MOVING_MOST_SECONDS) * 1_000_000, 0)


class Placers:
    """Keeps that of the newest market."""

    def __init__(self) -> None:
        self._newest: Placer | None = None

    def of(self, market: Market) -> Placer:
        if self._newest is None or self._newest.market is not market:
            self._newest = Placer(market, self._newest)
        return self._newest


def _nobody(customer: Customer) -> Customer:
    """Of the same line, whom nothing names."""
    return Customer(ANYBODY.project, None, customer.line)


def _keep(kept: dict[object, Kept], key: object, found: Kept, most: int) -> Kept:
    """In place of the oldest, where there are too many."""
    if len(kept) >= most:
        del kept[next(iter(kept))]
    kept[key] = found
    return found
