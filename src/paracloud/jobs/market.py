"""All that placement needs to know, read in a few queries: every queue, its price, its centre's health."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.dedication import Dedication, dedications_of
from paracloud.billing.pick import Customer
from paracloud.billing.price import prices_at
from paracloud.billing.rate import Price
from paracloud.centres.centre import NOTHING_SAID, Centre, Health, Provision
from paracloud.centres.health import sickness
from paracloud.centres.registry import all_centres, healths, provisions, seen_queues
from paracloud.dialects.records import QueueInfo
from paracloud.identity import residency
from paracloud.identity.overview import standings_of
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.foresees import Foresees
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.identifiers import CentreName, ProjectId
from paracloud.placement.offer import Offer

FRESH_FOR = timedelta(seconds=2)


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
    _by_place: dict[tuple[str, str], Stall] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_place = {(one.centre.name, one.queue.name): one for one in self.stalls}
        object.__setattr__(self, "_by_place", by_place)

    def at(self, offer: Offer) -> Stall:
        """The stall that it was made at."""
        return self._by_place[offer.centre, offer.queue]

    def find(self, place: tuple[CentreName, str]) -> Stall | None:
        """Centre and queue."""
        return self._by_place.get(place)

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
    return open_market(stalls, dedications, now, residencies=residencies, foresight=foresight, binds_late=binds_late)


def open_market(
    stalls: Sequence[Stall],
    dedications: Sequence[Dedication],
    now: datetime,
    *,
    residencies: Mapping[ProjectId, frozenset[str]] | None = None,
    foresight: Foresees | None = None,
    binds_late: bool = False,
) -> Market:
    """`dedications` hold now."""
    bare = tuple(_bare(stall, now) for stall in stalls)
    return Market(tuple(stalls), bare, tuple(dedications), now, residencies or {}, foresight, binds_late)


async def customer_of(session: AsyncSession, project: ProjectId, market: Market) -> Customer:
    found = await standings_of(session, [project]) if market.tells_customers_apart else {}
    standing = found.get(project)
    return Customer(project, None) if standing is None else Customer(project, standing.organisation, standing.lines.now)


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


def _unavailable(stall: Stall) -> tuple[str, str] | None:
    if not stall.centre.is_enabled:
        return "it takes no new jobs now, by its operator's word", "运营方已让该中心暂不接收新作业"
    if stall.health is not None and (why := sickness(stall.health)) is not None:
        return why
    if not stall.queue.is_up:
        return "the partition is down", "该分区已停用"
    return None
