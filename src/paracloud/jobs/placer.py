"""What placing many jobs in one reading of the market needs again and again, worked out once.

What depends on the market alone is columns; what depends on the shape of a job is kept for the next of that shape.
"""

from functools import partial
from operator import attrgetter

import numpy as np

from paracloud.billing.pick import Customer
from paracloud.billing.rate import Price
from paracloud.jobs.checks import INPUTS_LIMIT_BYTES
from paracloud.jobs.foresees import ForeseesMany
from paracloud.jobs.given import Queues
from paracloud.jobs.hopes import Asked
from paracloud.jobs.market import MOVING_MOST_SECONDS, Market, anothers, own_nodes, price_of
from paracloud.jobs.most_given import most_given
from paracloud.jobs.need import need, tasks_in_array
from paracloud.jobs.rates import Rates
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.tariff import Place, Tariff, worth_one_by_one
from paracloud.placement.columns import Columns, Flags, Whole
from paracloud.placement.offer import Need

SHAPES_MOST, TARIFFS_MOST = 512, 64
"""Kept of one market: some 50 bytes for each of its queues."""
FIXED = attrgetter(
    "name", "nodes", "cores", "cores_per_node", "memory_per_node_bytes", "gpus_per_node", "gpu_model",
    "threads_per_core", "gives_whole_nodes", "gives_each_task_cores", "max_memory_per_core_bytes",
    "default_memory_per_core_bytes", "default_memory_per_node_bytes",
)  # fmt: skip
"""Of a queue, what the most that a job can be given depends on."""


class Placer:
    """Of one reading of the market."""

    def __init__(self, market: Market, before: "Placer | None" = None) -> None:
        """`before`: of an earlier reading, whose prices are taken over where nothing changed but what is free."""
        self.market = market
        self.columns = Columns(market.bare)
        foresight = market.foresight
        self.together = foresight if isinstance(foresight, ForeseesMany) else None
        self.ground = [(one.centre, FIXED(one.queue), one.prices) for one in market.stalls], market.dedications
        self._tells_apart = bool(market.dedications) or market.has_own_prices or market.tells_customers_apart
        is_same = before is not None and before.ground == self.ground
        self.kept: dict[object, Rates] = before.kept if before is not None and is_same else {}
        self.tariffs: dict[object, Tariff] = before.tariffs if before is not None and is_same else {}
        self._queues = Queues([one.queue for one in market.stalls])
        self._speed = np.array([one.provision.bytes_per_second or 0 for one in market.stalls], dtype=np.int64)

    def need(self, asked: Asked) -> Need:
        residency = self.market.residencies.get(asked.customer.project)
        return need(asked.spec, only_centre=asked.only_centre, residency=residency, asked_at=self.market.read_at)

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
            found = self.kept[key] = self._priced(asked)
        return found

    def _priced(self, asked: Asked) -> Rates:
        tasks, place = tasks_in_array(asked.spec), partial(self.at, asked)
        given = None if self.market.dedications else self._queues.given(asked.spec)
        if given is None:
            places = [place(at) for at in range(self.columns.size)]
            return Rates(worth_one_by_one(places), tasks, places.__getitem__)
        return Rates(self._tariff(asked).worth(given), tasks, place)

    def price(self, asked: Asked, at: int) -> Price | None:
        """Of the customer's choice there."""
        return self._tariff(asked).prices[at]

    def _tariff(self, asked: Asked) -> Tariff:
        key = asked.spec.extra.get("qos", ""), asked.customer if self._tells_apart else None
        found = self.tariffs.get(key)
        if found is None:
            if len(self.tariffs) >= TARIFFS_MOST:
                self.tariffs.clear()
            stalls = self.market.stalls
            prices = [price_of(one, asked.spec, asked.customer) for one in stalls]
            found = self.tariffs[key] = Tariff(prices, [one.centre.overrun for one in stalls])
        return found

    def at(self, asked: Asked, at: int) -> Place:
        """One place, as this job meets it."""
        stall, customer = self.market.stalls[at], asked.customer
        upper = most_given(asked.spec, stall.queue)
        is_own = bool(self.market.dedications) and own_nodes(stall, upper, customer, self.market) is not None
        return Place(self.price(asked, at), upper, stall.centre.overrun, is_own)

    def is_open_to(self, customer: Customer) -> Flags:
        """Where no nodes are another customer's."""
        stalls = self.market.stalls
        return np.array([anothers(one, customer, self.market) is None for one in stalls], dtype=np.bool_)

    def moving(self, spec: JobSpec) -> Whole | None:
        """Microseconds that the job's files take to each place; None where there are none."""
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
