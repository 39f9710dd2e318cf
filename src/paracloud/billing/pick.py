"""Which price and which contract hold for a usage or a job: the most special one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from paracloud.billing.contract import Contract
from paracloud.billing.dedication import Dedication
from paracloud.billing.rate import Price
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import CentreName, OrganisationId, ProjectId
from paracloud.metering.usage import Usage


@dataclass(frozen=True, slots=True)
class Customer:
    """`organisation` may be None where no price is an organisation's own, and `line` be left out where all prices are
    of the general line."""

    project: ProjectId
    organisation: OrganisationId | None
    line: ProductLine = ProductLine.GENERAL


ANYBODY = Customer(ProjectId(UUID(int=0)), None)
"""Who has no price and no product line of their own."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`dedicated`: the usage was on the customer's own nodes, which are paid by the month, while one of these held."""

    price: Price
    contract: Contract
    dedicated: tuple[Dedication, ...] = ()

    def billed(self, usage: Usage) -> Usage:
        """As a run of only the seconds that are not paid by the month: all outside of what is dedicated, a begun one
        as a whole. A run that was suspended is shorter than its span: it costs no more than it ran."""
        if not self.dedicated or usage.started_at is None:
            return usage
        span = usage.ended_at - usage.started_at
        outside = span - sum((one.holds_of(usage.started_at, usage.ended_at) for one in self.dedicated), timedelta(0))
        return replace(usage, elapsed_seconds=min(-(-outside // timedelta(seconds=1)), usage.elapsed_seconds))


def pick_price(candidates: Iterable[Price], customer: Customer, qos: str) -> Price | None:
    """Of prices that hold at one time for one queue: the project's own, else its organisation's, else everybody's; of
    these those of the customer's product line, else of the general one; of these the one for the quality of service,
    else the one for any. None where there is none: a price of another line is not the customer's."""
    fitting = [
        one
        for one in candidates
        if one.project in (None, customer.project)
        and one.organisation in (None, customer.organisation)
        and one.product_line in (customer.line, ProductLine.GENERAL)
        and one.qos in (None, qos)
    ]

    def specialty(price: Price) -> tuple[bool, ...]:
        is_own_line = price.product_line == customer.line
        return price.project is None, price.organisation is None, not is_own_line, price.qos is None

    return min(fitting, key=specialty, default=None)


def pick_contract(candidates: Iterable[Contract], centre: CentreName, queue: str) -> Contract | None:
    """Of contracts that hold at one time: the queue's own, else the centre's."""
    fitting = [one for one in candidates if one.centre == centre and one.queue in (None, queue)]
    return min(fitting, key=lambda one: one.queue is None, default=None)
