"""The offers of one market as columns, so that a job is held against all of them at once. Pure.

It says just what `placement.filter` says of each offer alone; a test holds the two against each other.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.placement.offer import Need, Offer

Flags: TypeAlias = NDArray[np.bool_]
Whole: TypeAlias = NDArray[np.int64]
NO_LIMIT = np.iinfo(np.int64).max
MICROSECOND = timedelta(microseconds=1)
KEPT_MOST = 4096
"""Answers to what many jobs ask alike: a shape, a region."""
SHAPE = attrgetter(
    "cores", "cores_per_task", "nodes", "tasks_per_node", "memory_per_node_bytes", "memory_per_core_bytes",
    "gpus_per_node", "gpu_model", "least_cores_per_node",
)  # fmt: skip
PLACE = attrgetter(
    "centre", "only_centre", "queue", "constraints.region", "constraints.residency", "constraints.applications",
    "constraints.licences", "constraints.least_trust", "unsaid",
)  # fmt: skip
ANYWHERE: Final = (*[None] * 5, frozenset[str](), frozenset[str](), 0, ())


class Columns:
    """`offers` say nothing of the job: neither what it can cost nor what is expected of it."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        self.offers = tuple(offers)
        self.size = len(self.offers)
        self.cores, self.nodes = self._whole(lambda o: o.cores), self._whole(lambda o: o.nodes)
        self.cores_per_node = self._whole(lambda o: o.cores_per_node)
        self.gpus_per_node = self._whole(lambda o: o.gpus_per_node)
        self.memory_per_node = self._whole(lambda o: o.memory_per_node_bytes)
        self.free_cores, self.free_gpus = self._whole(lambda o: o.free_cores), self._whole(lambda o: o.free_gpus)
        self.most_nodes = self._whole(lambda o: o.most_nodes)
        self.max_wall = self._whole(lambda o: NO_LIMIT if o.max_wall is None else o.max_wall // MICROSECOND)
        self.trust = self._whole(lambda o: o.provision.trust)
        self.is_available = self._flags(lambda o: o.unavailable is None)
        share = [o.free_cores / o.cores if o.cores else 0.0 for o in self.offers]
        self.taken_share = -np.array(share, dtype=np.float64)
        in_order = sorted(range(self.size), key=lambda at: self.offers[at].place)
        self.place = np.empty(self.size, dtype=np.int64)
        self.place[in_order] = np.arange(self.size)
        self._limits = sorted({*self.max_wall.tolist()})
        self._kept: dict[object, Flags] = {}

    def fits(self, need: Need) -> Flags:
        """By every rule but those on price, cost and wait."""
        which = bisect_left(self._limits, need.wall_limit // MICROSECOND)
        shape, place = (SHAPE(need), which, need.queue is None), PLACE(need)
        able = self._kept.get(shape)
        if able is None:
            able = self._keep(shape, lambda: self._holds(need) & self._within(which))
        if place == ANYWHERE:
            return able
        demanded = self._kept.get(place)
        return able & (self._keep(place, lambda: self._demanded(need)) if demanded is None else demanded)

    def starts_now(self, need: Need) -> Flags:
        cards = need.gpus_per_node * need.least_nodes
        found: Flags = (self.free_cores >= need.cores) & (self.free_gpus >= cards)
        return found

    def _holds(self, need: Need) -> Flags:
        nodes = self.most_nodes if need.nodes is None else need.nodes
        found = (
            self.is_available
            & (self.most_nodes >= need.least_nodes)
            & (np.minimum(self.cores, nodes * self.cores_per_node) >= need.cores)
            & (self.cores_per_node >= need.cores_on_a_node)
            & (self.memory_per_node >= need.memory_on_a_node_bytes)
            & (self.gpus_per_node >= need.gpus_per_node)
        )
        if need.gpu_model is not None:
            found &= self._same("gpu_model", need.gpu_model)
        if need.gpus_per_node == 0 and need.queue is None:
            found &= self.gpus_per_node == 0
        return found

    def _within(self, which: int) -> Flags:
        """Where a limit is allowed that lies below so many of the different ones, and above the others."""
        if which == len(self._limits):
            return np.zeros(self.size, dtype=np.bool_)
        found: Flags = self.max_wall >= self._limits[which]
        return found

    def _demanded(self, need: Need) -> Flags:
        found = np.ones(self.size, dtype=np.bool_)
        for wanted, of in (("centre", need.centre), ("centre", need.only_centre), ("queue", need.queue)):
            if of is not None:
                found &= self._same(wanted, of)
        for dialect, _ in need.unsaid:
            found &= ~self._same("dialect", dialect)
        demands = need.constraints
        if demands.region is not None:
            found &= self._same("region", demands.region)
        if demands.residency is not None:
            allowed = demands.residency
            found &= self._flags(lambda o: o.region in allowed)
        for name in demands.applications:
            found &= self._has_application(name)
        for name in demands.licences:
            found &= self._has_licence(name)
        return found & (self.trust >= demands.least_trust)

    def _same(self, field: str, value: str) -> Flags:
        return self._keep((field, value), lambda: self._flags(lambda o: getattr(o, field) == value))

    def _has_application(self, name: str) -> Flags:
        return self._keep(("has", name), lambda: self._flags(lambda o: name in o.provision.applications))

    def _has_licence(self, name: str) -> Flags:
        def has(offer: Offer) -> bool:
            return offer.provision.licences is None or name in offer.provision.licences

        return self._keep(("licence", name), lambda: self._flags(has))

    def _keep(self, key: object, make: Callable[[], Flags]) -> Flags:
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= KEPT_MOST:
                self._kept.clear()
            found = self._kept[key] = make()
        return found

    def _whole(self, of: Callable[[Offer], int]) -> Whole:
        return np.array([of(one) for one in self.offers], dtype=np.int64)

    def _flags(self, of: Callable[[Offer], bool]) -> Flags:
        return np.array([of(one) for one in self.offers], dtype=np.bool_)
