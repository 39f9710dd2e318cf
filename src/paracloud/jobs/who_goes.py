"""Which of the jobs that are kept back are to go to a centre now.

Whoever is expected to be done soonest goes first, so that what is free is used and most wait least. So that nobody is
passed for ever, whoever has waited longest is sent ahead to the queue that suits it best of those in which none of
ours waits: the scheduler there keeps a place for it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_kept
from paracloud.jobs.go_at_once import allowed, is_agreed, most_agreed
from paracloud.jobs.hopes import Asked
from paracloud.jobs.market import Market, Stall, customer_of
from paracloud.jobs.offers import dedicated_at
from paracloud.jobs.place import place
from paracloud.jobs.placer import Placer
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.taken import taken_at
from paracloud.jobs.vacancy import Vacancy, vacancy_of
from paracloud.jobs.written import read_spec
from paracloud.kit.identifiers import CentreName, JobId, ProjectId, UserId
from paracloud.placement.offer import Offer, Reason

READ_MOST, AHEAD_MOST = 200, 20
"""Kept jobs that are looked at in a round: for room, and to be sent ahead."""
CHOOSY = timedelta(minutes=1)
"""For so long a job is sent ahead to its best queue alone; then to any, or one that could not have its best place
would never go."""
HAS_ROOM = "it waited for room, and there is room now", "作业在等候空闲资源，而该处现有空闲"
IS_NEXT = "it has waited longest, and no other job of ours waits there", "该作业等候最久，且该处没有我方作业排队"


@dataclass(frozen=True, slots=True)
class Goes:
    job: JobId
    offer: Offer
    why: Reason


@dataclass(frozen=True, slots=True)
class Seen:
    """Up to where a centre has looked without finding anybody, so that who cannot go there stands before nobody;
    absent where the next look begins anew."""

    shortest: tuple[int, JobId] | None = None
    oldest: tuple[datetime, JobId] | None = None


async def who_goes(
    session: AsyncSession,
    centre: CentreName,
    placer: Placer,
    now: datetime,
    *,
    seen: Seen = Seen(),  # a value
    without: Collection[JobId] = (),
) -> tuple[Sequence[Goes], Seen]:
    """And what the next look begins with. `without`: jobs that are not to be asked about."""
    here = _part(placer.market, lambda stall: stall.centre.name == centre)
    sent = await store_kept.sent(session, centre)
    left = {
        stall.queue.name: vacancy_of(stall, [row for row in sent if row.queue == stall.queue.name], now)
        for stall in here.stalls
    }
    filling, shortest = await _filling(session, here, left, seen, without)
    if left.keys() <= {row.queue for row in sent if not row.runs}:
        return filling, replace(seen, shortest=shortest)
    rows = await store_kept.oldest(
        session, AHEAD_MOST, after=seen.oldest, without={*without, *(one.job for one in filling)}
    )
    ahead = await _ahead(session, centre, placer, rows, now)
    is_full = not ahead and len(rows) == AHEAD_MOST
    oldest = (rows[-1].accepted_at, JobId(rows[-1].id)) if is_full else None
    return [*filling, *ahead], Seen(shortest, oldest)


async def _filling(
    session: AsyncSession, here: Market, left: Mapping[str, Vacancy], seen: Seen, without: Collection[JobId]
) -> tuple[list[Goes], tuple[int, JobId] | None]:
    free = max((one.room.free for one in left.values()), default=0)
    if not free:
        return [], None
    rows = await store_kept.shortest(session, READ_MOST, cores_most=free, after=seen.shortest, without=without)
    going = []
    for row in rows:
        offer = await _with_room(session, row, here, left)
        if offer is not None:
            going.append(Goes(JobId(row.id), offer, HAS_ROOM))
    is_full = not going and len(rows) == READ_MOST
    return going, (rows[-1].expected, JobId(rows[-1].id)) if is_full else None


async def _with_room(session: AsyncSession, row: AnyRow, here: Market, left: Mapping[str, Vacancy]) -> Offer | None:
    """The best queue that holds it now: what it takes is taken."""
    if not any(one.holds(row, row.cores) for one in left.values()):
        return None
    spec = read_spec(row.spec, row.script)
    for offer in await allowed(session, row, here):
        cores = taken_at(here, spec, (offer.centre, offer.queue)) or row.cores
        if left[offer.queue].holds(row, cores):
            left[offer.queue].take(row, cores)
            return offer
    return None


async def _ahead(
    session: AsyncSession, centre: CentreName, placer: Placer, rows: Sequence[AnyRow], now: datetime
) -> Sequence[Goes]:
    """One, at the most: the first of which the best place is here, or any, where it has waited for its best."""
    awaited = await store_kept.awaited(session)
    for row in rows:
        is_choosy = now - row.accepted_at < CHOOSY
        offer = await _idle(session, row, placer, awaited, only=None if is_choosy else centre)
        if offer is not None and offer.centre == centre:
            return [Goes(JobId(row.id), offer, IS_NEXT)]
    return ()


async def _idle(
    session: AsyncSession, row: AnyRow, placer: Placer, awaited: Collection[tuple[str, str]], only: CentreName | None
) -> Offer | None:
    """The best place in which none of ours waits, as `allowed` says of each; of all centres, or of one."""
    spec, market = read_spec(row.spec, row.script), placer.market
    customer = await customer_of(session, ProjectId(row.project_id), market)
    most = await most_agreed(session, row, spec)
    for offer in place(placer, Asked(spec, customer, UserId(row.user_id))).offers():
        if (offer.centre, offer.queue) in awaited or (only is not None and offer.centre != only):
            continue
        if is_agreed(row, offer, most) and dedicated_at(market, spec, customer, offer) is None:
            return offer
    return None


def _part(market: Market, is_in: Callable[[Stall], bool]) -> Market:
    kept = [(stall, bare) for stall, bare in zip(market.stalls, market.bare, strict=True) if is_in(stall)]
    return replace(market, stalls=tuple(stall for stall, _ in kept), bare=tuple(bare for _, bare in kept))
