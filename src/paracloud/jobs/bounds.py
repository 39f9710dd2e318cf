"""The most that a job can cost at each offer, whoever pays: an hour of a package may have cost more than its price."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_paying
from paracloud.billing.cover import Place, Shelf
from paracloud.billing.pick import Customer
from paracloud.billing.reserve import Wanted, covered
from paracloud.jobs.market import Market
from paracloud.jobs.offers import most_at
from paracloud.jobs.spec import JobSpec
from paracloud.kit.money import Money
from paracloud.placement.explain import Bound
from paracloud.placement.offer import Offer


async def bounds(
    session: AsyncSession, fitting: Sequence[Offer], spec: JobSpec, *, customer: Customer, market: Market
) -> list[Bound]:
    """As a hold would be taken now at each of them, with what packages and credits have left. Nothing is locked, so
    another hold may come first."""
    packages = await store_paying.packages_of(session, [customer.project]) if fitting else []
    left = [one for one in packages if one.is_open_at(market.read_at) and one.free]
    found = []
    for offer in fitting:
        most = offer.most or Money(0)
        if left:
            bound = most_at(market, spec, customer, offer, spec.wall_limit)
            place = Place(bound.price.product_line, offer.centre, offer.queue)
            wanted = Wanted(customer.project, "quote", bound.amount, most=bound, place=place)
            kept = covered(Shelf(left, {}), wanted, market.read_at)
            found.append(Bound(kept.ceiling, kept.rest))
        else:
            found.append(Bound(most, most))
    return found
