"""All that placement needs to know, read in a few queries: every queue, its price, its centre's health."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.dedication import Dedication, dedications_of
from paracloud.billing.pick import Customer, pick_price
from paracloud.billing.price import prices_at
from paracloud.billing.rate import Most, Price, most
from paracloud.billing.rule import Quantities, Unrated
from paracloud.centres.centre import Centre, Health
from paracloud.centres.health import well_after
from paracloud.centres.registry import all_centres, healths, seen_queues
from paracloud.dialects.records import QueueInfo
from paracloud.identity.overview import standings_of
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.array import read_array
from paracloud.jobs.most_given import most_given
from paracloud.jobs.spec import JobSpec
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.identifiers import CentreName, ProjectId
from paracloud.kit.money import Money
from paracloud.placement.offer import Need, Offer

FRESH_FOR = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Stall:
    """One queue of one centre on the market."""

    centre: Centre
    queue: QueueInfo
    prices: tuple[Price, ...]
    """Everybody's and customers' own; `pick_price` chooses."""
    health: Health | None


@dataclass(frozen=True, slots=True)
class Market:
    stalls: tuple[Stall, ...]
    dedications: tuple[Dedication, ...]
    read_at: datetime

    @property
    def tells_customers_apart(self) -> bool:
        """Whether any price is an organisation's own, or of a product line of its own: then a project's must be
        known."""
        prices = (price for stall in self.stalls for price in stall.prices)
        return any(one.organisation is not None or one.product_line is not ProductLine.GENERAL for one in prices)


class MarketReader:
    """Keeps the newest picture for FRESH_FOR. Two that find it old at once both read it: nothing is locked."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._market: Market | None = None

    async def now(self) -> Market:
        at = self._clock.now()
        if self._market is None or not timedelta(0) <= at - self._market.read_at < FRESH_FOR:
            async with self._database.begin() as session:
                self._market = await read_market(session, at)
        return self._market


async def read_market(session: AsyncSession, now: datetime) -> Market:
    centres = {centre.name: centre for centre in await all_centres(session) if centre.is_enabled}
    prices, health = await prices_at(session, now), await healths(session)
    seen = [queue for queue in await seen_queues(session) if queue.centre in centres]
    stalls = (
        Stall(centres[one.centre], one.info, tuple(prices.get((one.centre, one.info.name), ())), health.get(one.centre))
        for one in seen
    )
    dedications = [one for one in await dedications_of(session, None) if one.holds_at(now)]
    return Market(tuple(stalls), tuple(dedications), now)


async def customer_of(session: AsyncSession, project: ProjectId, market: Market) -> Customer:
    found = await standings_of(session, [project]) if market.tells_customers_apart else {}
    standing = found.get(project)
    return Customer(project, None) if standing is None else Customer(project, standing.organisation, standing.lines.now)


def offers(market: Market, spec: JobSpec, customer: Customer) -> list[Offer]:
    """Every queue, with the most that the job can cost there."""
    return [_offer(stall, spec, customer, market) for stall in market.stalls]


def most_at(market: Market, spec: JobSpec, customer: Customer, offer: Offer, wall: timedelta) -> Most:
    """What is to be reserved for the job at this offer, if it runs so long. Nothing on the customer's own nodes, where
    there are enough of them and no end of them is agreed: until one, nobody knows how long it waits."""
    stall = _stall(market, offer)
    price = _price(stall, spec, customer)
    assert price is not None, "an offer has its price"  # noqa: S101
    upper = most_given(spec, stall.queue)
    if _dedicated(stall, upper, customer, market) is not None:
        return Most(price, 0, 0, Money(0, price.currency))
    return most(upper, wall, stall.centre.overrun, price, tasks=tasks_in_array(spec))


def dedicated_at(market: Market, spec: JobSpec, customer: Customer, offer: Offer) -> Dedication | None:
    """The customer's own nodes that the job is on at this offer, for nothing until an end of them is agreed."""
    stall = _stall(market, offer)
    return _dedicated(stall, most_given(spec, stall.queue), customer, market)


def upper_at(market: Market, spec: JobSpec, offer: Offer) -> tuple[Quantities, timedelta]:
    """The most that one task can be given at this offer, and how far past its limit the centre may let it run."""
    stall = _stall(market, offer)
    return most_given(spec, stall.queue), stall.centre.overrun


def _stall(market: Market, offer: Offer) -> Stall:
    return next(one for one in market.stalls if (one.centre.name, one.queue.name) == (offer.centre, offer.queue))


def _price(stall: Stall, spec: JobSpec, customer: Customer) -> Price | None:
    return pick_price(stall.prices, customer, spec.extra.get("qos", ""))


def _dedicated(stall: Stall, upper: Quantities, customer: Customer, market: Market) -> Dedication | None:
    """The customer's own nodes that each task of the job is on, whatever it is given and however long it waits."""
    place = (customer.project, stall.centre.name, stall.queue.name, int(upper["nodes"]))
    return next((one for one in market.dedications if one.valid_to is None and one.covers(*place)), None)


def need(spec: JobSpec, *, only_centre: CentreName | None = None) -> Need:
    return Need(
        cores=spec.cores,
        wall_limit=spec.wall_limit,
        cores_per_task=spec.cores_per_task,
        nodes=spec.nodes,
        tasks_per_node=spec.tasks_per_node,
        memory_per_node_bytes=spec.memory_per_node_bytes,
        memory_per_core_bytes=spec.memory_per_core_bytes,
        gpus_per_node=spec.gpus_per_node,
        gpu_model=spec.gpu_model,
        tasks_in_array=tasks_in_array(spec),
        centre=spec.centre,
        queue=spec.queue,
        only_centre=only_centre,
    )


def tasks_in_array(spec: JobSpec) -> int:
    return read_array(spec.array).tasks if spec.array else 1


def _offer(stall: Stall, spec: JobSpec, customer: Customer, market: Market) -> Offer:
    queue, price = stall.queue, _price(stall, spec, customer)
    ceiling, unavailable = None, _unavailable(stall) or _anothers(stall, customer, market)
    upper = most_given(spec, queue)
    if price is not None and _dedicated(stall, upper, customer, market) is not None:
        ceiling = Money(0, price.currency)
    elif price is not None:
        try:
            ceiling = most(upper, spec.wall_limit, stall.centre.overrun, price, tasks=tasks_in_array(spec)).amount
        except Unrated as why:
            unavailable = unavailable or (f"its price does not cover such a job: {why.en}", f"价格不适用：{why.zh}")
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
        price=price.id if price is not None else None,
        most=ceiling,
        unavailable=unavailable,
    )


def _anothers(stall: Stall, customer: Customer, market: Market) -> tuple[str, str] | None:
    """Who pays for nodes by the month has them alone."""
    place = (stall.centre.name, stall.queue.name)
    if all(one.project == customer.project or (one.centre, one.queue) != place for one in market.dedications):
        return None
    return "its nodes are dedicated to another customer", "其节点已由其他客户独占"


def _unavailable(stall: Stall) -> tuple[str, str] | None:
    if stall.health is not None and stall.health.sick_since is not None:
        return _sick(stall.health)
    if not stall.queue.is_up:
        return "the partition is down", "该分区已停用"
    return None


def _sick(health: Health) -> tuple[str, str]:
    since, better = health.failing_since or health.checked_at, health.good_since
    if better is None:
        return (
            f"the centre has not answered since {since:%Y-%m-%d %H:%M} UTC, and takes no new jobs",
            f"该超算中心自 {since:%Y-%m-%d %H:%M} UTC 起无响应，暂不接收新作业",
        )
    wait = well_after(health).total_seconds() / 60
    return (
        f"the centre failed from {since:%Y-%m-%d %H:%M} UTC on, and answers again since {better:%H:%M} UTC: it takes "
        f"jobs again when it has done so for {wait:.0f} min",
        f"该超算中心自 {since:%Y-%m-%d %H:%M} UTC 起故障，{better:%H:%M} UTC 起恢复应答："
        f"连续应答 {wait:.0f} 分钟后重新接收作业",
    )
