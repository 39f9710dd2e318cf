"""What a user wants done to a job: cancel, hold, release.

A job whose intent is not committed yet is changed here and now. Any other may be at its centre already: the wish is
kept, and the worker of that centre carries it out.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity.caller import Caller
from paracloud.jobs import store, store_moves
from paracloud.jobs.finish import End, finish
from paracloud.jobs.leave import BEFORE_PLACE, release_moves
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.show import no_such_job
from paracloud.jobs.state import FINAL, JobState
from paracloud.jobs.tables import AnyRow
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import JobId, ProjectId

CANCEL, HOLD, RELEASE = "cancel", "hold", "release"
SIGNAL = "signal"
"""Not a user's: what a job gets when its money ends (jobs.land)."""
OTHERWISE = ("its user wants something else of it now", "用户已另有要求")


async def cancel(session: AsyncSession, caller: Caller, job: JobId, *, now: datetime) -> JobState:
    """The state after it: cancelled at once, with the whole hold released, or what it is while the centre is asked.
    Cancelling again changes nothing. NotFound for a foreign job, Conflict for one that ended otherwise."""
    row = await _lock(session, caller, job)
    if row.state == JobState.CANCELLED:
        return JobState.CANCELLED
    _require_open(row)
    if row.state == JobState.ACCEPTED:
        await finish(session, {job: row}, [End(job, JobState.CANCELLED, now, reason="before submission")], now)
        return JobState.CANCELLED
    await _keep(session, row, CANCEL, now)
    return JobState(row.state)


async def hold(session: AsyncSession, caller: Caller, job: JobId, *, now: datetime) -> JobState:
    """Conflict for a job that runs or ended: only a waiting one can be held, and what waits of an array."""
    row = await _lock(session, caller, job)
    _require_waiting(row)
    if row.state == JobState.ACCEPTED:
        await store.change(session, job, starts_held=True, movable=False)
    elif row.wish != CANCEL:
        await _keep(session, row, HOLD, now)
    return JobState(row.state)


async def release(session: AsyncSession, caller: Caller, job: JobId, *, now: datetime) -> JobState:
    row = await _lock(session, caller, job)
    _require_waiting(row)
    if row.state == JobState.ACCEPTED:
        await store.change(session, job, starts_held=False)
    elif row.wish != CANCEL:
        await _keep(session, row, RELEASE, now)
    return JobState(row.state)


async def _lock(session: AsyncSession, caller: Caller, job: JobId) -> AnyRow:
    row = await store.lock(session, job, caller.reads())
    if row is None:
        raise no_such_job()
    caller.require_member(ProjectId(row.project_id))
    return row


async def _keep(session: AsyncSession, row: AnyRow, wish: str, now: datetime) -> None:
    if row.wish == wish:
        return
    await _before_its_move(session, JobId(row.id), wish, now)
    await store.change(session, JobId(row.id), wish=wish)
    event = {"job_id": row.id, "at": now, "from_state": row.state, "to_state": row.state, "note": f"{wish} asked for"}
    await store.add_events(session, [event])
    await store.announce(session, row.centre)


async def _before_its_move(session: AsyncSession, job: JobId, wish: str, now: datetime) -> None:
    """What a user wishes goes before a move to another centre. Whoever cancels the job ends its move, however far that
    has come. A job that its user holds is not held for a move, and is never moved any more. Once it is leaving, holding
    and releasing it is for its new place (`hand_over`)."""
    move = (await store_moves.open_of(session, [job])).get(job)
    if wish == HOLD:
        await store.change(session, job, movable=False)
    if move is None:
        return
    if wish == CANCEL or (wish == HOLD and move.step in BEFORE_PLACE):
        await store_moves.end_open(session, [job], now, *OTHERWISE)
    elif wish == RELEASE and move.step is MoveStep.HOLDING:
        await release_moves(session, move.from_place[0], [job], OTHERWISE, now)


def _require_open(row: AnyRow) -> None:
    if JobState(row.state) in FINAL:
        raise Conflict(f"The job has ended already: {row.state}.", f"作业已结束：{row.state}。", field="state")


def _require_waiting(row: AnyRow) -> None:
    _require_open(row)
    if JobState(row.state) is JobState.RUNNING and row.array is not None:
        return  # some of its tasks may still wait, and the centre knows which
    if JobState(row.state) not in {JobState.ACCEPTED, JobState.STAGING_IN, JobState.SUBMITTING, JobState.QUEUED}:
        raise Conflict(
            f"Only a waiting job can be held or released; this one is {row.state}.",
            f"只有等待中的作业可以挂起或释放；该作业状态为 {row.state}。",
            field="state",
        )
