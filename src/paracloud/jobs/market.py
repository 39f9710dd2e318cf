"""All that placement needs to know, read in a few queries: every queue, its price, its centre's health."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.dedication import Dedication, dedications_of
from paracloud.billing.pick import Customer, pick_price
from paracloud.billing.price import prices_at
from paracloud.billing.rate import Most, Price, most
from paracloud.billing.rule import Quantities, Unrated
from paracloud.centres.centre import NOTHING_SAID, Centre, Health, Provision
from paracloud.centres.health import sickness
from paracloud.centres.registry import all_centres, healths, provisions, seen_queues
from paracloud.dialects.records import QueueInfo
from paracloud.identity import residency
from paracloud.identity.overview import standings_of
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.foresees import Foresees
from paracloud.jobs.most_given import most_given
from paracloud.jobs.need import tasks_in_array
from paracloud.jobs.spec import JobSpec
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.identifiers import ProjectId
from paracloud.kit.money import Money
from paracloud.placement.offer import Offer

FRESH_FOR = timedelta(seconds=2)
MOVING_MOST_SECONDS = 10 * 366 * 86_400
"""What takes longer is said to take so long: every clock and column holds it."""


@dataclass(frozen=True, slots=True)
class Stall:
    """One queue of one centre on the market."""

    centre: Centre
    queue: QueueInfo
    prices: tuple[Price, ...]
    """Everybody's and customers' own; `pick_price` chooses."""
    health: Health | None
    provision: Provision = NOTHING_SAID
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """`bare`: the stalls as offers that say nothing of a job. `residencies`: where the data of those projects may be
    that are restricted. Without `foresight` nothing is predicted. `binds_late`: who has to wait may be kept back."""

    stalls: tuple[Stall, ...]
    bare: tuple[Offer, ...]
    dedications: tuple[Dedication, ...]
    read_at: datetime
    residencies: Mapping[ProjectId, frozenset[str]] = field(default_factory=dict)
    foresight: Foresees | None = None
    binds_late: bool = False

    @property
    def tells_customers_apart(self) -> bool:
        """Whether any price is an organisation's own, or of a product line of its own: then a project's must be
        known."""
        prices = (price for stall in self.stalls for price in stall.prices)
        return any(one.organisation is not None or one.product_line is not ProductLine.GENERAL for one in prices)

    @property
    def has_own_prices(self) -> bool:
        """Whether any price is one project's own."""
        return any(price.project is not None for stall in self.stalls for price in stall.prices)


class MarketReader:
    """Keeps the newest picture for FRESH_FOR. Two that find it old at once both read it: nothing is locked."""

    def __init__(
        self, database: Database, clock: Clock, foresight: Foresees | None = None, *, binds_late: bool = False
    ) -> None:
        self._database, self._clock, self._foresight, self._binds_late = database, clock, foresight, binds_late
        self._market: Market | None = None

    async def now(self) -> Market:
        at = self._clock.now()
        if self._market is None or not timedelta(0) <= at - self._market.read_at < FRESH_FOR:
            async with self._database.begin() as session:
                self._market = await read_market(session, at, self._foresight, binds_late=self._binds_late)
        return self._market


async def read_market(
    session: AsyncSession, now: datetime, foresight: Foresees | None = None, *, binds_late: bool = False
) -> Market:
    centres = {centre.name: centre for centre in await all_centres(session) if centre.is_reached}
    prices, health = await prices_at(session, now), await healths(session)
    said = await provisions(session)
    seen = [queue for queue in await seen_queues(session) if queue.centre in centres]
    stalls = tuple(
        Stall(
            centres[one.centre],
            one.info,
            tuple(prices.get((one.centre, one.info.name), ())),
            health.get(one.centre),
            said.get(one.centre, NOTHING_SAID),
            one.seen_at,
        )
        for one in seen
    )
    dedications = [one for one in await dedications_of(session, None) if one.holds_at(now)]
    if foresight is not None:
        await foresight.refresh(session)
    residencies = await residency.residencies(session)
    market = open_market(stalls, dedications, now, residencies=residencies, foresight=foresight)
    return replace(market, binds_late=binds_late)


def open_market(
    stalls: Sequence[Stall],
    dedications: Sequence[Dedication],
    now: datetime,
    *,
    residencies: Mapping[ProjectId, frozenset[str]] | None = None,
    foresight: Foresees | None = None,
) -> Market:
    """`dedications` hold now."""
    bare = tuple(_bare(stall, now) for stall in stalls)
    return Market(tuple(stalls), bare, tuple(dedications), now, residencies or {}, foresight)


async def customer_of(session: AsyncSession, project: ProjectId, market: Market) -> Customer:
    found = await standings_of(session, [project]) if market.tells_customers_apart else {}
    standing = found.get(project)
    return Customer(project, None) if standing is None else Customer(project, standing.organisation, standing.lines.now)


def offers(market: Market, spec: JobSpec, customer: Customer) -> list[Offer]:
    """Every queue, with the most that the job can cost there."""
    return [_offer(stall, bare, spec, customer, market) for stall, bare in zip(market.stalls, market.bare, strict=True)]


def most_at(market: Market, spec: JobSpec, customer: Customer, offer: Offer, wall: timedelta) -> Most:
    """What is to be reserved for the job at this offer, if it runs so long. Nothing on the customer's own nodes, where
    there are enough of them and no end of them is agreed: until one, nobody knows how long it waits."""
    stall = _stall(market, offer)
    price = price_of(stall, spec, customer)
    assert price is not None, "an offer has its price"  # noqa: S101
    upper = most_given(spec, stall.queue)
    if own_nodes(stall, upper, customer, market) is not None:
        return Most(price, 0, 0, Money(0, price.currency))
    return most(upper, wall, stall.centre.overrun, price, tasks=tasks_in_array(spec))


def price_at(market: Market, spec: JobSpec, customer: Customer, offer: Offer) -> Price:
    """That the offer was made at."""
    price = price_of(_stall(market, offer), spec, customer)
    assert price is not None, "an offer has its price"  # noqa: S101
    return price


def dedicated_at(market: Market, spec: JobSpec, customer: Customer, offer: Offer) -> Dedication | None:
    """The customer's own nodes that the job is on at this offer, for nothing until an end of them is agreed."""
    stall = _stall(market, offer)
    return own_nodes(stall, most_given(spec, stall.queue), customer, market)


def upper_at(market: Market, spec: JobSpec, offer: Offer) -> tuple[Quantities, timedelta]:
    """The most that one task can be given at this offer, and how far past its limit the centre may let it run."""
    stall = _stall(market, offer)
    return most_given(spec, stall.queue), stall.centre.overrun


def _stall(market: Market, offer: Offer) -> Stall:
    return next(one for one in market.stalls if (one.centre.name, one.queue.name) == (offer.centre, offer.queue))


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


def _bare(stall: Stall, now: datetime) -> Offer:
    queue = stall.queue
    return Offer(
        centre=stall.centre.name,
        queue=queue.name,
        nodes=queue.nodes,
        cores=queue.cores,
        cores_per_node=queue.cores_per_node,
        memory_per_node_bytes=queue.memory_per_node_bytes,
        gpus_per_node=queue.gpus_per_node,
        gpu_model=queue.gpu_model,
        free_cores=queue.free_cores,
        free_nodes=queue.free_nodes,
        free_gpus=queue.free_gpus,
        max_wall=queue.max_wall,
        max_nodes=queue.max_nodes,
        is_default=queue.is_default,
        price=None,
        most=None,
        unavailable=_unavailable(stall),
        region=stall.centre.region,
        provision=stall.provision,
        dialect=stall.centre.dialect,
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


def _unavailable(stall: Stall) -> tuple[str, str] | None:
    if not stall.centre.is_enabled:
        return "it takes no new jobs now, by its operator's word", "运营方已让该中心暂不接收新作业"
    if stall.health is not None and (why := sickness(stall.health)) is not None:
        return why
    if not stall.queue.is_up:
        return "the partition is down", "该分区已停用"
    return None
