"""End jobs, whoever ended them: the state, the event, the release of what is left of the hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.hold import release
from paracloud.jobs import store, store_moves, store_rounds
from paracloud.jobs.state import JobState, may_move
from paracloud.jobs.tables import AnyRow
from paracloud.kit.identifiers import JobId

REASON_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class End:
    job: JobId
    state: JobState
    at: datetime
    native_state: str = ""
    reason: str = ""
    note: str = ""
    started_at: datetime | None = None
    node_list: str = ""
    exit_code: int | None = None
    exit_signal: int | None = None


async def finish(session: AsyncSession, rows: Mapping[JobId, AnyRow], ends: Sequence[End], now: datetime) -> None:
    """`rows` are the jobs as they are now, locked. An end that no move allows changes nothing."""
    due = [end for end in ends if end.job in rows and may_move(JobState(rows[end.job].state), end.state)]
    await store_rounds.change(session, [_columns(end, rows[end.job]) for end in due])
    await store.add_events(session, [_event(end, rows[end.job], now) for end in due])
    await store_moves.end_open(session, [end.job for end in due], now, "it ended there", "作业已在该处结束")
    await release(session, [str(end.job) for end in due], now=now)


def _columns(end: End, row: AnyRow) -> dict[str, object]:
    return {
        "id": end.job,
        "state": end.state.value,
        "ended_at": end.at,
        "native_state": end.native_state,
        "reason": end.reason[:REASON_LIMIT],
        "started_at": end.started_at or row.started_at,
        "node_list": end.node_list,
        "exit_code": end.exit_code,
        "exit_signal": end.exit_signal,
        "wish": None,
        "absent_since": None,
    }


def _event(end: End, row: AnyRow, now: datetime) -> dict[str, object]:
    return {
        "job_id": end.job,
        "at": now,
        "from_state": row.state,
        "to_state": end.state.value,
        "native_state": end.native_state,
        "reason": end.reason[:REASON_LIMIT],
        "note": end.note[:REASON_LIMIT],
    }
