"""Which price and which contract hold for a usage or a job: the most special one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from paracloud.billing.contract import Contract
from paracloud.billing.dedication import Dedication
from paracloud.billing.rate import Price
from paracloud.kit.identifiers import CentreName, OrganisationId, ProjectId


@dataclass(frozen=True, slots=True)
class Customer:
    """`organisation` may be None where no price is an organisation's own."""

    project: ProjectId
    organisation: OrganisationId | None


ANYBODY = Customer(ProjectId(UUID(int=0)), None)
"""Who has no price of their own."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`dedication`: the usage is on the customer's own nodes, which are paid by the month."""

    price: Price
    contract: Contract
    dedication: Dedication | None = None


def pick_price(candidates: Iterable[Price], customer: Customer, qos: str) -> Price | None:
    """Of prices that hold at one time for one queue: the project's own, else its organisation's, else everybody's; of
    these the one for the quality of service, else the one for any; of several product lines the first by name."""
    fitting = [
        one
        for one in candidates
        if one.project in (None, customer.project)
        and one.organisation in (None, customer.organisation)
        and one.qos in (None, qos)
    ]
    return min(fitting, key=_specialty, default=None)


def _specialty(price: Price) -> tuple[bool, bool, bool, str]:
    return price.project is None, price.organisation is None, price.qos is None, price.product_line


def pick_contract(candidates: Iterable[Contract], centre: CentreName, queue: str) -> Contract | None:
    """Of contracts that hold at one time: the queue's own, else the centre's."""
    fitting = [one for one in candidates if one.centre == centre and one.queue in (None, queue)]
    return min(fitting, key=lambda one: one.queue is None, default=None)
