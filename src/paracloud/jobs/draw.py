"""Send jobs that are kept back to queues that have room for them now, each centre for itself.

Whoever is expected to be done soonest goes first, so that what is free is used and most wait least. So that nobody is
passed for ever, the one that has waited longest is sent ahead to the queue that suits it best of those in which none
of ours waits: the scheduler there keeps a place for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.leases import under
from paracloud.jobs import store, store_kept, store_moves
from paracloud.jobs.go_at_once import allowed, go, moved_because
from paracloud.jobs.leave import require_free
from paracloud.jobs.market import Market, MarketReader, Stall
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.vacancy import Vacancy, vacancy_of
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Fenced, ParacloudError
from paracloud.kit.identifiers import MOVES_MOST, CentreName, JobId
from paracloud.kit.lease import Lease
from paracloud.placement.offer import Offer

log = structlog.get_logger()

READ_MOST, AHEAD_MOST = 200, 20
"""Kept jobs that are looked at in a round: for room, and to be sent ahead."""
REFUSED_FOR = timedelta(minutes=10)
"""Who could not go to a centre, for want of money or of an account, does not stand before others for so long."""
HAS_ROOM = "it waited for room, and there is room now", "作业在等候空闲资源，而该处现有空闲"
IS_NEXT = "it has waited longest, and no other job of ours waits there", "该作业等候最久，且该处没有我方作业排队"


@dataclass(frozen=True, slots=True)
class _Goes:
    job: JobId
    offer: Offer
    why: tuple[str, str]


@dataclass(slots=True)
class Drawer:
    """`_refused`: by centre and job, until when it is not tried again."""

    database: Database
    clock: Clock
    market: MarketReader
    _refused: dict[tuple[CentreName, JobId], datetime] = field(default_factory=dict)

    async def round(self, lease: Lease) -> bool:
        """Under this centre's lease, from wherever they were placed. Whether any job is kept back anywhere."""
        async with self.database.begin() as session:
            if not await store_kept.is_any(session):
                return False
        market, now, centre = await self.market.now(), self.clock.now(), CentreName(lease.name)
        self._refused = {key: until for key, until in self._refused.items() if until > now}
        refused = frozenset(job for at, job in self._refused if at == centre)
        async with under(self.database, lease) as session:
            going = await plan(session, centre, market, now, without=refused)
        for one in going:
            await self._send(lease, one, market, now)
        return True

    async def _send(self, lease: Lease, one: _Goes, market: Market, now: datetime) -> None:
        """A transaction of its own: whoever needs its project's wallet waits for no other job."""
        try:
            async with under(self.database, lease) as session:
                await send(session, one.job, one.offer, one.why, market=market, now=now)
        except Fenced:
            raise
        except ParacloudError as trouble:  # of one job: the others go all the same
            self._refused[CentreName(lease.name), one.job] = now + REFUSED_FOR
            log.warning("job.not_drawn", job=str(one.job), to=one.offer.place, code=trouble.code, reason=trouble.en)


@dataclass(slots=True)
class LetGo:
    """Where the operator wants no job to move, none is kept back any more either."""

    database: Database

    async def round(self, lease: Lease) -> bool:
        centre = CentreName(lease.name)
        async with under(self.database, lease) as session:
            if await store_kept.let_go(session, centre):
                await store.announce(session, centre)
        return False


async def plan(
    session: AsyncSession, centre: CentreName, market: Market, now: datetime, *, without: frozenset[JobId] = frozenset()
) -> Sequence[_Goes]:
    """Who is to go to this centre now, and why."""
    here = _part(market, lambda stall: stall.centre.name == centre)
    sent = await store_kept.sent(session, centre)
    left = {
        stall.queue.name: vacancy_of(stall, [row for row in sent if row.queue == stall.queue.name], now)
        for stall in here.stalls
    }
    going: dict[JobId, _Goes] = {}
    free = max((one.room.free for one in left.values()), default=0)
    for row in await store_kept.shortest(session, free, READ_MOST) if free else ():
        if row.id not in without and (offer := await _with_room(session, row, here, left)) is not None:
            going[JobId(row.id)] = _Goes(JobId(row.id), offer, HAS_ROOM)
    if not left.keys() <= {row.queue for row in sent if not row.runs}:
        ahead = await _ahead(session, centre, market, without | going.keys())
        return [*going.values(), *ahead]
    return list(going.values())


async def send(
    session: AsyncSession, job: JobId, offer: Offer, why: tuple[str, str], *, market: Market, now: datetime
) -> None:
    """If it is kept back still. Refused (Conflict, NotEnoughFunds) where the place cannot be had: it waits on."""
    row = await store_moves.lock(session, job, skip=True)
    if row is None or not row.kept or (row.state, row.tries) != (JobState.ACCEPTED, 0):
        return
    if (row.centre, row.queue) == (offer.centre, offer.queue):
        await store_kept.let_one_go(session, offer.centre, job)
        await store.announce(session, offer.centre)
        log.info("job.let_go", job=str(job), to=offer.place)
    elif row.moves < MOVES_MOST:
        await require_free(session, row)
        await go(session, row, offer, moved_because(row, offer, why), market, now, since=row.accepted_at)


async def _with_room(session: AsyncSession, row: AnyRow, here: Market, left: Mapping[str, Vacancy]) -> Offer | None:
    """The best queue that holds it now: what it takes is taken."""
    if not any(one.holds(row) for one in left.values()):
        return None
    found = [offer for offer in await allowed(session, row, here) if left[offer.queue].holds(row)]
    if not found:
        return None
    left[found[0].queue].take(row)
    return found[0]


async def _ahead(
    session: AsyncSession, centre: CentreName, market: Market, without: frozenset[JobId]
) -> Sequence[_Goes]:
    """The first that has a place to go to decides: where that is elsewhere, it is drawn there."""
    taken = await store_kept.awaited(session)
    idle = _part(market, lambda stall: (stall.centre.name, stall.queue.name) not in taken)
    for row in await store_kept.oldest(session, AHEAD_MOST):
        if row.id not in without:
            found = await allowed(session, row, idle)
            if found:
                return [_Goes(JobId(row.id), found[0], IS_NEXT)] if found[0].centre == centre else ()
    return ()


def _part(market: Market, is_in: Callable[[Stall], bool]) -> Market:
    kept = [(stall, bare) for stall, bare in zip(market.stalls, market.bare, strict=True) if is_in(stall)]
    return replace(market, stalls=tuple(stall for stall, _ in kept), bare=tuple(bare for _, bare in kept))
