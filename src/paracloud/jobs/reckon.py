"""Settle accounting records: meter, charge, end tasks, end jobs, in one transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.charge import charge
from paracloud.centres.registry import owners
from paracloud.dialects.records import AccountingRecord
from paracloud.jobs import store_funds, store_rounds
from paracloud.jobs.array import indexes, unstarted_of
from paracloud.jobs.book import Settled
from paracloud.jobs.finish import End, finish
from paracloud.jobs.hand_over import hand_over_departed
from paracloud.jobs.known import known, named, told_of
from paracloud.jobs.landing import SIGNALLED_EN, SIGNALLED_ZH, STOPPED_EN, STOPPED_ZH
from paracloud.jobs.market import Market
from paracloud.jobs.match import Match, Whose, match
from paracloud.jobs.outcome import TaskEnd, end_of_job, end_of_task
from paracloud.jobs.state import FINAL, JobState
from paracloud.jobs.tables import AnyRow, TaskRow
from paracloud.jobs.tell_given_up import tell_given_up
from paracloud.kit.identifiers import (
    CentreName,
    JobId,
    NativeId,
    PriceVersionId,
    ProjectId,
)
from paracloud.metering.collect import Collected, collect
from paracloud.metering.usage import Claim, UsageKey, key_of


async def reckon(
    session: AsyncSession,
    centre: CentreName,
    records: Sequence[AccountingRecord],
    *,
    alive: Collection[NativeId],
    read_until: datetime | None,
    now: datetime,
    market: Market | None = None,
) -> Settled:
    """`market`: where the jobs that leave are sent to, and what is expected of them there."""
    lent = await owners(session, centre)
    rows = await store_rounds.lock(session, centre, named(records))
    matches = match(records, await known(session, centre, records, rows), lent)
    due = [one for one in matches if one.whose is not Whose.NOT_YET]
    projects = {account: owner.project for account, owner in lent.items()}
    nobodys = {key_of(centre, one.record) for one in due if one.whose is Whose.NOBODY}
    collected = await collect(
        session,
        centre,
        [one.record for one in due],
        owners=projects,
        claims=_claims(centre, due),
        now=now,
        nobodys=nobodys,
    )
    await _charge(session, collected, rows, now)
    await tell_given_up(session, centre, due, [*collected.new, *collected.corrected], now)
    await _end(session, centre, [one for one in due if one.whose is Whose.JOB], collected, rows, frozenset(alive), now)
    await hand_over_departed(session, told_of(due, rows), now, market)
    if read_until is not None:
        await store_rounds.put_read_until(session, centre, read_until)
    return Settled(
        charged=len(collected.new),
        corrected=len(collected.corrected),
        known=collected.known,
        unclaimed=collected.strangers,
        waiting=len(matches) - len(due),
    )


def _claims(centre: CentreName, matches: Sequence[Match]) -> dict[UsageKey, Claim]:
    ours = {key_of(centre, one.record): Claim(str(one.job)) for one in matches if one.whose is Whose.JOB}
    doubles = {key_of(centre, one.record) for one in matches if one.whose in (Whose.DUPLICATE, Whose.GIVEN_UP)}
    return ours | dict.fromkeys(doubles, Claim(None, is_duplicate=True))


async def _charge(session: AsyncSession, collected: Collected, rows: Mapping[JobId, AnyRow], now: datetime) -> None:
    usages = [*collected.new, *collected.corrected]
    if not usages:
        return
    pinned = {str(job): PriceVersionId(row.price_version_id) for job, row in rows.items()}
    of = {usage.id: usage.reference for usage in usages}
    amounts: dict[JobId, int] = defaultdict(int)
    ending = {ProjectId(row.project_id) for row in rows.values()}
    for charged in await charge(session, usages, pinned=pinned, now=now, releasing=ending):
        reference = of[charged.usage]
        if reference is not None and charged.amount_micro:
            amounts[JobId(UUID(reference))] += charged.amount_micro
    await store_rounds.add_charged(session, amounts)


async def _end(
    session: AsyncSession,
    centre: CentreName,
    matches: Sequence[Match],
    collected: Collected,
    rows: Mapping[JobId, AnyRow],
    alive: frozenset[NativeId],
    now: datetime,
) -> None:
    changed = {usage.key for usage in (*collected.new, *collected.corrected)}
    ended: list[dict[str, object]] = []
    never_ran: list[dict[str, object]] = []
    for one in matches:
        row = rows[one.job] if one.job is not None else None
        if row is None or (
            JobState(row.state) in FINAL - {JobState.LOST} and key_of(centre, one.record) not in changed
        ):
            continue
        # A lost job is not looked at any more: nobody says whether it ran again.
        state = end_of_task(one.record, frozenset() if row.state == JobState.LOST else alive)
        places = _places(row, one.record) if state is not None else ()
        kept = never_ran if row.array and one.record.task_index is None else ended
        kept.extend(_task(row, one.record, index, state) for index in places if state is not None)
    await store_rounds.put_tasks(session, ended)
    await store_rounds.fill_tasks(session, never_ran)
    touched = {JobId(UUID(str(task["job_id"]))) for task in (*ended, *never_ran)}
    await _end_jobs(session, touched, rows, now)


def _places(row: AnyRow, record: AccountingRecord) -> Collection[int]:
    """Which tasks the record ends: its own, or for an array's record without an index all that never started."""
    if row.array is None:
        return (0,)
    if record.task_index is None:
        return sorted(unstarted_of(row.array, record.unstarted))
    return (record.task_index,) if record.task_index in indexes(row.array) else ()


def _task(row: AnyRow, record: AccountingRecord, index: int, state: JobState) -> dict[str, object]:
    return {
        "job_id": row.id,
        "task_index": index,
        "record_id": record.record_id,
        "restart_count": record.restart_count,
        "state": state.value,
        "native_state": record.native_state,
        "exit_code": record.exit_code,
        "exit_signal": record.exit_signal,
        "submitted_at": record.submitted_at,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "elapsed_seconds": record.elapsed_seconds,
        "core_seconds": record.core_seconds,
        "node_list": record.node_list,
    }


async def _end_jobs(
    session: AsyncSession, jobs: Collection[JobId], rows: Mapping[JobId, AnyRow], now: datetime
) -> None:
    """A job ends when all its tasks have; until then it only counts them."""
    counts = await store_rounds.ended_tasks(session, jobs)
    moved = [{"id": job, "tasks_ended": count} for job, count in counts.items() if count != rows[job].tasks_ended]
    await store_rounds.change(session, moved)
    over = [job for job, count in counts.items() if count >= rows[job].tasks]
    tasks: dict[JobId, list[TaskEnd]] = defaultdict(list)
    for task in await store_rounds.tasks(session, over):
        tasks[JobId(task.job_id)].append(_task_end(task))
    landed = await store_funds.landed(session, over)
    await finish(
        session, rows, [_job_end(job, end_of_job(tasks[job]), was_stopped=landed.get(job)) for job in over], now
    )


def _task_end(row: TaskRow) -> TaskEnd:
    return TaskEnd(
        state=JobState(row.state),
        exit_code=row.exit_code,
        exit_signal=row.exit_signal,
        started_at=row.started_at,
        ended_at=row.ended_at,
        native_state=row.native_state,
        node_list=row.node_list,
    )


def _job_end(job: JobId, end: TaskEnd, *, was_stopped: bool | None) -> End:
    """`was_stopped` None: money did not end under it."""
    return End(
        job=job,
        state=end.state,
        at=end.ended_at,
        native_state=end.native_state,
        reason="" if was_stopped is None or end.state is JobState.COMPLETED else _why(was_stopped=was_stopped),
        started_at=end.started_at,
        node_list=end.node_list,
        exit_code=end.exit_code,
        exit_signal=end.exit_signal,
    )


def _why(*, was_stopped: bool) -> str:
    return f"{STOPPED_EN} {STOPPED_ZH}" if was_stopped else f"{SIGNALLED_EN} {SIGNALLED_ZH}"
