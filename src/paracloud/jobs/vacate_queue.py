"""On the operator's word that a queue is gone for good, nobody waits for it any longer: who may move does, at once; the
others end. Only for a queue that its centre does not show any more; what runs there runs on."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.registry import get_centre, seen_queues
from paracloud.jobs import store, store_moves
from paracloud.jobs.begin_move import begin
from paracloud.jobs.finish import End, finish
from paracloud.jobs.go_at_once import elsewhere, go_elsewhere, moved_because
from paracloud.jobs.market import Market
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.wish import CANCEL
from paracloud.kit.errors import Conflict, Refused
from paracloud.kit.identifiers import CentreName, JobId
from paracloud.placement.reroute import MOVES_A_JOB

log = structlog.get_logger()

AT_ONCE = 100
"""Jobs in one transaction; who asks again goes on with the next."""


class Way(StrEnum):
    MOVED = "moved"
    LEAVING = "leaving"
    ENDED = "ended"
    CANCELLING = "cancelling"


@dataclass(frozen=True, slots=True)
class Vacated:
    """How many went elsewhere at once, leave by the steps of a move, ended at once, and are cancelled at the centre.
    `has_more`: others may still wait."""

    moved: int
    leaving: int
    ended: int
    cancelling: int
    has_more: bool


async def vacate_queue(
    session: AsyncSession, centre: CentreName, queue: str, *, market: Market, person: str, now: datetime
) -> Vacated:
    """NotFound without the centre; Conflict for a queue that it still shows. Who is being changed by somebody else at
    this moment is left for the next call, and so is what is on its way there: the scheduler refuses that."""
    await get_centre(session, centre)
    if any((one.centre, one.info.name) == (centre, queue) for one in await seen_queues(session)):
        raise Conflict(
            f"{centre} still shows {queue}: take it out of service there first, and say so a minute later.",
            f"{centre} 仍列出分区 {queue}：请先在该中心停用，一分钟后再执行。",
            field="queue",
        )
    waiting = await store_moves.waiting_at(session, centre, queue, AT_ONCE)
    ways = Counter([await _send(session, job, (centre, queue), market, now) for job in waiting])
    log.info("queue.vacated", centre=centre, queue=queue, jobs=len(waiting), person=person)
    return Vacated(
        moved=ways[Way.MOVED],
        leaving=ways[Way.LEAVING],
        ended=ways[Way.ENDED],
        cancelling=ways[Way.CANCELLING],
        has_more=len(waiting) == AT_ONCE,
    )


async def _send(
    session: AsyncSession, job: JobId, place: tuple[CentreName, str], market: Market, now: datetime
) -> Way | None:
    row = await store_moves.lock(session, job, skip=True)
    if row is None or (row.centre, row.queue) != place:
        return None
    gone = f"{row.centre} has no queue {row.queue} any more", f"{row.centre} 已不再设有分区 {row.queue}"
    may_move = row.movable and row.wish is None and row.moves < MOVES_A_JOB
    may_move = may_move and not await store_moves.is_needed(session, job)
    if row.state == JobState.QUEUED:
        return await _from_queue(session, row, gone, market, now, may_move=may_move)
    if row.state != JobState.ACCEPTED or row.tries:
        return None
    if may_move and await _goes(session, row, gone, market, now):
        return Way.MOVED
    await finish(session, {job: row}, [End(job, JobState.CANCELLED, now, reason=gone[0], note=gone[1])], now)
    return Way.ENDED


async def _goes(session: AsyncSession, row: AnyRow, why: tuple[str, str], market: Market, now: datetime) -> bool:
    try:
        return await go_elsewhere(session, row, why, market=market, now=now)
    except Refused:
        return False


async def _from_queue(
    session: AsyncSession, row: AnyRow, why: tuple[str, str], market: Market, now: datetime, *, may_move: bool
) -> Way:
    """By the steps of a move, or of a cancel: the centre may start it all the same until it has said otherwise."""
    places = await elsewhere(session, row, market) if may_move else ()
    if places:
        await begin(session, row, places[0], moved_because(row, places[0], why), now)
        return Way.LEAVING
    job = JobId(row.id)
    await store_moves.end_open(session, [job], now, *why)
    await store.change(session, job, wish=CANCEL)
    event = {"job_id": job, "at": now, "from_state": row.state, "to_state": row.state, "reason": why[0], "note": why[1]}
    await store.add_events(session, [event])
    await store.announce(session, row.centre)
    return Way.CANCELLING
