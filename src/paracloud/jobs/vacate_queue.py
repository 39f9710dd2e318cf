"""On the operator's word that a queue is gone for good, nobody waits for it any longer: who may move does, at once; the
others end. Only for a queue that its centre does not show any more; what runs there runs on."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.registry import get_centre, seen_queues
from paracloud.jobs import store, store_given_up, store_moves
from paracloud.jobs.begin_move import begin
from paracloud.jobs.finish import End, finish
from paracloud.jobs.go_at_once import elsewhere, go_elsewhere, moved_because
from paracloud.jobs.market import Market
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.wish import CANCEL
from paracloud.kit.errors import Conflict, NotFound, Refused
from paracloud.kit.identifiers import MOVES_MOST, CentreName, JobId

AT_ONCE = 100
"""Jobs in one call; who asks again goes on with the next."""


class Way(StrEnum):
    """It went elsewhere at once, leaves by the steps of a move, ended at once, or is cancelled at the centre."""

    MOVED = "moved"
    LEAVING = "leaving"
    ENDED = "ended"
    CANCELLING = "cancelling"


async def waiting_for(session: AsyncSession, centre: CentreName, queue: str) -> list[JobId]:
    """The first of those that wait for a queue that is gone, AT_ONCE at the most. NotFound without the centre, and for
    a queue that no job was ever sent to; Conflict for one that the centre still shows."""
    await get_centre(session, centre)
    if any((one.centre, one.info.name) == (centre, queue) for one in await seen_queues(session)):
        raise Conflict(
            f"{centre} still shows {queue}: take it out of service there first, and say so a minute later.",
            f"{centre} 仍列出分区 {queue}：请先在该中心停用，一分钟后再执行。",
            field="queue",
        )
    if not await store_given_up.had_jobs(session, centre, queue):
        raise NotFound(
            f"No job was ever sent to a queue of this name at {centre}: check it. A job's page names its queue.",
            f"{centre} 从未有作业提交到该名称的分区：请核对分区名称。",
            field="queue",
        )
    return await store_moves.waiting_at(session, centre, queue, AT_ONCE)


async def vacate_job(
    session: AsyncSession, job: JobId, place: tuple[CentreName, str], *, market: Market, now: datetime
) -> Way | None:
    """In a transaction of its own: whoever needs its project's wallet waits for no other job. None for who is being
    changed by somebody else at this moment, or is on its way there, which the scheduler will refuse: the next call
    finds them."""
    row = await store_moves.lock(session, job, skip=True)
    if row is None or (row.centre, row.queue) != place:
        return None
    gone = f"{row.centre} has no queue {row.queue} any more", f"{row.centre} 已不再设有分区 {row.queue}"
    may_move = row.movable and row.wish is None and row.moves < MOVES_MOST
    may_move = may_move and not await store_moves.is_needed(session, job)
    if row.state == JobState.QUEUED:
        return await _from_queue(session, row, gone, market, now, may_move=may_move)
    if row.state != JobState.ACCEPTED or row.tries:
        return None
    if may_move and await _goes(session, row, gone, market, now):
        return Way.MOVED
    en, zh = _nowhere(gone, may_move=may_move)
    await finish(session, {job: row}, [End(job, JobState.CANCELLED, now, reason=en, note=zh)], now)
    return Way.ENDED


def _nowhere(gone: tuple[str, str], *, may_move: bool) -> tuple[str, str]:
    if not may_move:
        return gone
    return (
        f"{gone[0]}, and no other place takes it now for the most that was agreed to be paid: submit it again, with "
        "--max-cost for what it may cost",
        f"{gone[1]}，且目前没有其他分区能在约定的最多费用内接收该作业：请重新提交，可用 --max-cost 指定最多费用",
    )


async def _goes(session: AsyncSession, row: AnyRow, why: tuple[str, str], market: Market, now: datetime) -> bool:
    try:
        return await go_elsewhere(session, row, why, market=market, now=now, is_queue_alone=True)
    except Refused:
        return False


async def _from_queue(
    session: AsyncSession, row: AnyRow, why: tuple[str, str], market: Market, now: datetime, *, may_move: bool
) -> Way:
    """By the steps of a move, or of a cancel: the centre may start it all the same until it has said otherwise."""
    places = await elsewhere(session, row, market, is_queue_alone=True) if may_move else ()
    if places:
        await begin(session, row, places[0], moved_because(row, places[0], why), now)
        return Way.LEAVING
    job, (en, zh) = JobId(row.id), _nowhere(why, may_move=may_move)
    await store_moves.end_open(session, [job], now, en, zh)
    await store.change(session, job, wish=CANCEL)
    event = {"job_id": job, "at": now, "from_state": row.state, "to_state": row.state, "reason": en, "note": zh}
    await store.add_events(session, [event])
    await store.announce(session, row.centre)
    return Way.CANCELLING
