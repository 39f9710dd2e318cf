"""Apply what the queue listing shows: states, reasons, absences. It ends nothing."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store, store_rounds
from paracloud.jobs.book import LiveJob, Move
from paracloud.jobs.finish import REASON_LIMIT
from paracloud.jobs.state import AT_CENTRE, JobState
from paracloud.jobs.tables import AnyRow
from paracloud.kit.identifiers import CentreName, JobId, NativeId, UnixAccount, submit_tag


async def observed(session: AsyncSession, centre: CentreName, moves: Sequence[Move]) -> None:
    """Only moves between states at the centre; a job that ended or was never submitted meanwhile stays as it is."""
    rows = await store_rounds.lock(session, centre, [move.job for move in moves])
    due = [
        (move, rows[move.job])
        for move in moves
        if move.to in AT_CENTRE and move.job in rows and JobState(rows[move.job].state) in AT_CENTRE
    ]
    await store_rounds.change(session, [_columns(move, row) for move, row in due])
    await store.add_events(session, [_event(move, row) for move, row in due if row.state != move.to])


async def live_jobs(session: AsyncSession, centre: CentreName) -> list[LiveJob]:
    """Ten thousand and more in one round: rows are taken apart by place, in half the time that names would take."""
    rows = await store_rounds.live(session, centre)
    return [
        LiveJob(JobId(id_), submit_tag(id_, moves), NativeId(native), UnixAccount(account), JobState(state), *rest)
        for id_, moves, native, account, state, *rest in rows
    ]


def _columns(move: Move, row: AnyRow) -> dict[str, object]:
    return {
        "id": move.job,
        "state": move.to.value,
        "native_state": move.native_state[:REASON_LIMIT],
        "reason": move.reason[:REASON_LIMIT],
        "started_at": move.started_at or row.started_at,
        "node_list": move.node_list,
        "absent_since": _absent_since(move, row.absent_since),
    }


def _absent_since(move: Move, before: datetime | None) -> datetime | None:
    if move.to is not JobState.VANISHED:
        return None
    return before or move.at


def _event(move: Move, row: AnyRow) -> dict[str, object]:
    return {
        "job_id": move.job,
        "at": move.at,
        "from_state": row.state,
        "to_state": move.to.value,
        "native_state": move.native_state[:REASON_LIMIT],
        "reason": move.reason[:REASON_LIMIT],
    }
