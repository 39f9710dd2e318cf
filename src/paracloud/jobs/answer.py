"""Keep what the guard answered: a native id, a definite no, or nothing yet."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store, store_rounds
from paracloud.jobs.finish import REASON_LIMIT, End, finish
from paracloud.jobs.state import BEFORE_CENTRE, JobState
from paracloud.jobs.tables import AnyRow
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import CentreName, JobId, NativeId

RETRY_MOST = timedelta(seconds=60)


def backoff(tries: int) -> timedelta:
    """One second after the first try, twice as long after each other one, a minute at most."""
    return min(timedelta(seconds=2 ** min(max(tries - 1, 0), 10)), RETRY_MOST)


async def answer(
    session: AsyncSession,
    centre: CentreName,
    answers: Mapping[JobId, NativeId | Refused],
    postponed: Mapping[JobId, str],
    *,
    now: datetime,
) -> None:
    """A job that has a native id or an end already stays as it is: an answer may come twice."""
    rows = await store_rounds.lock(session, centre, [*answers, *postponed])
    waiting = {job: row for job, row in rows.items() if JobState(row.state) in BEFORE_CENTRE}
    accepted = {job: said for job, said in answers.items() if job in waiting and not isinstance(said, Refused)}
    await store_rounds.change(session, [_submitted(job, native_id, now) for job, native_id in accepted.items()])
    await store.add_events(session, [_event(waiting[job], now) for job in accepted])
    ends = [
        End(job, JobState.REFUSED, now, reason=said.en, note=said.zh)
        for job, said in answers.items()
        if job in waiting and isinstance(said, Refused)
    ]
    await finish(session, waiting, ends, now)
    later = [_postponed(waiting[job], why, now) for job, why in postponed.items() if job in waiting]
    await store_rounds.change(session, later)


def _submitted(job: JobId, native_id: NativeId, now: datetime) -> dict[str, object]:
    return {
        "id": job,
        "native_id": native_id,
        "state": JobState.QUEUED.value,
        "submitted_at": now,
        "reason": "",
    }


def _event(row: AnyRow, now: datetime) -> dict[str, object]:
    return {"job_id": row.id, "at": now, "from_state": row.state, "to_state": JobState.QUEUED.value}


def _postponed(row: AnyRow, why: str, now: datetime) -> dict[str, object]:
    return {"id": row.id, "retry_at": now + backoff(row.tries), "reason": why[:REASON_LIMIT]}
