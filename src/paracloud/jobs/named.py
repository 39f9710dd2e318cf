"""The customers that a market names: by a price of their own, or by nodes that are theirs alone. All others are alike,
so what is worked out for one of them holds for all; and whom it names is unlike them at few of its places."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from paracloud.billing.pick import ANYBODY, Customer
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.market import Market
from paracloud.jobs.offers import anothers
from paracloud.placement.columns import Flags


class Named:
    """Of one market."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._at: dict[Hashable, set[int]] = defaultdict(set)
        self._alike: dict[Customer, Customer] = {}
        self._lines = {price.product_line for stall in market.stalls for price in stall.prices}
        owners = defaultdict(list)
        for one in market.dedications:
            owners[one.centre, one.queue].append(one.project)
        self._dedicated: list[int] = []
        for at, stall in enumerate(market.stalls):
            theirs = owners.get((stall.centre.name, stall.queue.name), [])
            self._dedicated += [at] if theirs else []
            names = [name for price in stall.prices for name in (price.project, price.organisation)]
            for name in {*names, *theirs} - {None}:
                self._at[name].add(at)

    def alike(self, customer: Customer) -> Customer:
        """As much of the customer as prices and dedications name; ANYBODY for most. Who are alike are one object."""
        has_line = customer.line is not ProductLine.GENERAL and customer.line in self._lines
        is_named = customer.project in self._at
        if not (is_named or has_line or customer.organisation in self._at):
            return ANYBODY
        project = customer.project if is_named else ANYBODY.project
        organisation = customer.organisation if customer.organisation in self._at else None
        found = Customer(project, organisation, customer.line if has_line else ProductLine.GENERAL)
        return self._alike.setdefault(found, found)

    def unlike_others(self, customer: Customer) -> Sequence[int]:
        """The places where it is another thing whether this customer asks, or one of the same line that nobody
        names."""
        return sorted(self._at.get(customer.project, set()) | self._at.get(customer.organisation, set()))

    def is_open_to(self, customer: Customer) -> Flags:
        """Where no nodes are another customer's."""
        found = np.ones(len(self._market.stalls), dtype=np.bool_)
        for at in self._dedicated:
            found[at] = anothers(self._market.stalls[at], customer, self._market) is None
        return found
