"""What the market offers a job, and what it costs at each offer: all that is known without asking anybody."""

from dataclasses import replace
from datetime import timedelta

from paracloud.billing.dedication import Dedication
from paracloud.billing.pick import Customer, pick_price
from paracloud.billing.rate import Most, Price, most
from paracloud.billing.rule import Quantities, Unrated
from paracloud.centres.centre import Provision
from paracloud.jobs.market import Market, Stall
from paracloud.jobs.most_given import most_given
from paracloud.jobs.need import tasks_in_array
from paracloud.jobs.spec import JobSpec
from paracloud.kit.money import Money
from paracloud.placement.offer import Offer

MOVING_MOST_SECONDS = 10 * 366 * 86_400
"""What takes longer is said to take so long: every clock and column holds it."""


def offers(market: Market, spec: JobSpec, customer: Customer) -> list[Offer]:
    """Every queue, with the most that the job can cost there."""
    return [_offer(stall, bare, spec, customer, market) for stall, bare in zip(market.stalls, market.bare, strict=True)]


def most_at(market: Market, spec: JobSpec, customer: Customer, offer: Offer, wall: timedelta) -> Most:
    """What is to be reserved for the job at this offer, if it runs so long. Nothing on the customer's own nodes, where
    there are enough of them and no end of them is agreed: until one, nobody knows how long it waits."""
    stall = market.at(offer)
    price = price_of(stall, spec, customer)
    assert price is not None, "an offer has its price"  # noqa: S101
    upper = most_given(spec, stall.queue)
    if own_nodes(stall, upper, customer, market) is not None:
        return Most(price, 0, 0, Money(0, price.currency))
    return most(upper, wall, stall.centre.overrun, price, tasks=tasks_in_array(spec))


def price_at(market: Market, spec: JobSpec, customer: Customer, offer: Offer) -> Price:
    """That the offer was made at."""
    price = price_of(market.at(offer), spec, customer)
    assert price is not None, "an offer has its price"  # noqa: S101
    return price


def dedicated_at(market: Market, spec: JobSpec, customer: Customer, offer: Offer) -> Dedication | None:
    """The customer's own nodes that the job is on at this offer, for nothing until an end of them is agreed."""
    stall = market.at(offer)
    return own_nodes(stall, most_given(spec, stall.queue), customer, market)


def upper_at(market: Market, spec: JobSpec, offer: Offer) -> tuple[Quantities, timedelta]:
    """The most that one task can be given at this offer, and how far past its limit the centre may let it run."""
    stall = market.at(offer)
    return most_given(spec, stall.queue), stall.centre.overrun


def price_of(stall: Stall, spec: JobSpec, customer: Customer) -> Price | None:
    return pick_price(stall.prices, customer, spec.extra.get("qos", ""))


def own_nodes(stall: Stall, upper: Quantities, customer: Customer, market: Market) -> Dedication | None:
    """The customer's own nodes that each task of the job is on, whatever it is given and however long it waits."""
    place = (customer.project, stall.centre.name, stall.queue.name, int(upper["nodes"]))
    return next((one for one in market.dedications if one.valid_to is None and one.covers(*place)), None)


def _offer(stall: Stall, bare: Offer, spec: JobSpec, customer: Customer, market: Market) -> Offer:
    price = price_of(stall, spec, customer)
    ceiling, unavailable = None, bare.unavailable or anothers(stall, customer, market)
    upper = most_given(spec, stall.queue)
    if price is not None and own_nodes(stall, upper, customer, market) is not None:
        ceiling = Money(0, price.currency)
    elif price is not None:
        try:
            ceiling = most(upper, spec.wall_limit, stall.centre.overrun, price, tasks=tasks_in_array(spec)).amount
        except Unrated as why:
            unavailable = unavailable or (f"its price does not cover such a job: {why.en}", f"价格不适用：{why.zh}")
    return replace(
        bare,
        price=price.id if price is not None else None,
        most=ceiling,
        unavailable=unavailable,
        moving=moving(spec, stall.provision),
    )


def moving(spec: JobSpec, to: Provision) -> timedelta:
    """How long the job's files take to a centre of which it is known how fast they come there; a started second as a
    whole one, and never more than MOVING_MOST_SECONDS. Every job has its own copies, so it makes no difference what the
    centre was sent before."""
    if to.bytes_per_second is None:
        return timedelta(0)
    seconds = -(-sum(one.size_bytes for one in spec.inputs) // to.bytes_per_second)
    return timedelta(seconds=min(seconds, MOVING_MOST_SECONDS))


def anothers(stall: Stall, customer: Customer, market: Market) -> tuple[str, str] | None:
    """Who pays for nodes by the month has them alone."""
    place = (stall.centre.name, stall.queue.name)
    if all(one.project == customer.project or (one.centre, one.queue) != place for one in market.dedications):
        return None
    return "its nodes are dedicated to another customer", "其节点已由其他客户独占"
