"""What is expected of a job at the offers that fit it: predictions, and what the price says of them. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from paracloud.billing.pick import Customer
from paracloud.billing.rate import most
from paracloud.jobs.market import Market, Stall
from paracloud.jobs.most_given import most_given
from paracloud.jobs.need import tasks_in_array
from paracloud.jobs.offers import own_nodes, price_of
from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import UserId
from paracloud.kit.money import Money
from paracloud.placement.filter import RULES, filter_offers
from paracloud.placement.offer import Need, Offer
from paracloud.placement.prediction import Costs, Prediction, Quantiles

NO_OVERRUN = timedelta(0)


def foreseen(
    wanted: Need, found: Sequence[Offer], spec: JobSpec, *, customer: Customer, user: UserId, market: Market
) -> list[Offer]:
    """`found` are the market's offers, in its order. Those that fit say what is expected of the job there; the others
    stay as they are, and all do where nobody foresees."""
    foresight = market.foresight
    if foresight is None:
        return list(found)
    fitting, _ = filter_offers(wanted, found, RULES)
    places = {one.place for one in fitting}
    return [
        _with(offer, foresight.predict(customer.project, user, spec, offer), stall, spec, customer=customer, of=market)
        if offer.place in places
        else offer
        for stall, offer in zip(market.stalls, found, strict=True)
    ]


def _with(
    offer: Offer, prediction: Prediction, stall: Stall, spec: JobSpec, *, customer: Customer, of: Market
) -> Offer:
    limit = spec.wall_limit
    run = Quantiles(min(prediction.run.p50, limit), min(prediction.run.p90, limit))
    return replace(
        offer,
        prediction=replace(prediction, run=run),
        cost=costs(stall, spec, run, customer=customer, market=of, bound=offer.most),
    )


def costs(
    stall: Stall, spec: JobSpec, run: Quantiles, *, customer: Customer, market: Market, bound: Money | None
) -> Costs | None:
    """What the price says of runs that last so long, with all that the job can be given, at the dearest of its tiers:
    as the most that it can cost is counted, but for the time. Nothing on the customer's own nodes."""
    price, upper = price_of(stall, spec, customer), most_given(spec, stall.queue)
    if price is None or bound is None:
        return None
    if own_nodes(stall, upper, customer, market) is not None:
        return Costs(Money(0, price.currency), Money(0, price.currency))
    tasks = tasks_in_array(spec)
    p50, p90 = (most(upper, one, NO_OVERRUN, price, tasks=tasks).amount for one in (run.p50, run.p90))
    return Costs(min(p50, bound), min(p90, bound))
