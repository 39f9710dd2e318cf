"""Commit the intent to submit: from then on a job may exist at its centre, whatever we hear of it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store, store_rounds
from paracloud.jobs.book import Dispatch
from paracloud.jobs.finish import End, finish
from paracloud.jobs.request import request
from paracloud.jobs.state import FINAL, JobState
from paracloud.jobs.tables import AnyRow, JobRow
from paracloud.jobs.written import read_spec
from paracloud.kit.identifiers import CentreName, JobId, NativeId, UnixAccount, submit_tag

NEVER = "DependencyNeverSatisfied"


class Need(StrEnum):
    OPEN = "open"
    """The scheduler must watch it."""
    MET = "met"
    NEVER = "never"


def need(kind: str, state: JobState) -> Need:
    """What a dependency means now. An ended job is judged here: the scheduler forgets it soon, and its id recycles."""
    if state not in FINAL:
        return Need.OPEN
    if kind in ("after", "afterany"):
        return Need.MET
    went_well = state is JobState.COMPLETED
    return Need.MET if went_well == (kind == "afterok") else Need.NEVER


async def intend(session: AsyncSession, centre: CentreName, *, limit: int, now: datetime) -> Sequence[Dispatch]:
    rows = await store_rounds.intended(session, centre, now, limit)
    if not rows:
        return ()
    needs: dict[JobId, list[AnyRow]] = defaultdict(list)
    for one in await store_rounds.needs(session, [JobId(row.id) for row in rows]):
        needs[JobId(one.job_id)].append(one)
    hopeless = {
        JobId(row.id)
        for row in rows
        if any(need(one.kind, JobState(one.state)) is Need.NEVER for one in needs[JobId(row.id)])
    }
    await _end_untried(session, [row for row in rows if row.id in hopeless and row.tries == 0], now)
    going = [row for row in rows if row.tries > 0 or row.id not in hopeless]
    dispatches = [_dispatch(row, needs[JobId(row.id)], hopeless) for row in going]
    # Before the change, which the rows follow.
    events = [_event(row, now) for row in going if row.state != JobState.SUBMITTING]
    await store_rounds.change(session, [_columns(row, hopeless) for row in going])
    await store.add_events(session, events)
    return dispatches


async def _end_untried(session: AsyncSession, rows: Sequence[JobRow], now: datetime) -> None:
    locked = (
        await store_rounds.lock(session, CentreName(rows[0].centre), [JobId(row.id) for row in rows]) if rows else {}
    )
    ends = [End(job, JobState.CANCELLED, now, reason=NEVER) for job in locked]
    await finish(session, locked, ends, now)


def _columns(row: JobRow, hopeless: set[JobId]) -> dict[str, object]:
    # One that was tried may be at the centre already: it is submitted held, if at all, and cancelled there.
    wish = "cancel" if row.id in hopeless else row.wish
    return {"id": row.id, "state": JobState.SUBMITTING.value, "tries": row.tries + 1, "wish": wish, **_is_sent(row)}


def _is_sent(row: JobRow) -> dict[str, object]:
    """One that was kept back is so no more."""
    return {"kept": False, "reason": "" if row.kept else row.reason}


def _event(row: JobRow, now: datetime) -> dict[str, object]:
    return {"job_id": row.id, "at": now, "from_state": row.state, "to_state": JobState.SUBMITTING.value}


def _dispatch(row: JobRow, needs: Sequence[AnyRow], hopeless: set[JobId]) -> Dispatch:
    job, spec = JobId(row.id), read_spec(row.spec, row.script)
    depends_on = [
        (one.kind, NativeId(one.native_id)) for one in needs if need(one.kind, JobState(one.state)) is Need.OPEN
    ]
    is_held = row.starts_held or row.wish == "cancel" or job in hopeless
    return Dispatch(
        job=job,
        tag=submit_tag(job, row.moves),
        account=UnixAccount(row.account),
        request=request(job, spec, row.queue, depends_on, is_held=is_held, moves=row.moves),
        inputs=spec.inputs,
        is_first_try=row.tries == 0,
    )
