"""Give a job to its new centre, in the transaction that knows for certain that it never ran at the old one."""

from collections.abc import Collection
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store, store_moves
from paracloud.jobs.foretell import foretell_drawn, foretell_moved
from paracloud.jobs.market import Market
from paracloud.jobs.moving import MoveStep, OpenMove, TakenPlace
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.taken import taken_at
from paracloud.jobs.wish import HOLD
from paracloud.jobs.written import read_spec
from paracloud.kit.identifiers import JobId

log = structlog.get_logger()


async def hand_over_departed(
    session: AsyncSession, jobs: Collection[JobId], now: datetime, market: Market | None
) -> frozenset[JobId]:
    """Those of these jobs, whose rows are locked, whose run markers are ours: each goes to its new centre. Which they
    were."""
    moves = await store_moves.open_of(session, jobs) if jobs else {}
    departed = [move for move in moves.values() if move.step is MoveStep.CANCELLING]
    for move in departed:
        await hand_over(session, move, now, market)
    return frozenset(move.job for move in departed)


async def hand_over(
    session: AsyncSession, move: OpenMove, now: datetime, market: Market | None, *, since: datetime | None = None
) -> None:
    """Its row is locked. The new centre's worker hears of it when the transaction is committed. What is expected of it
    there is read off the market, where there is one. `since`: from when on it waits, for a job that was kept back until
    the new centre had room; what was expected of its wait when it was accepted is held against it still."""
    row = await store_moves.lock(session, move.job)
    assert row is not None, "a job that moves is there"  # noqa: S101
    assert move.taken is not None, "its place is taken"  # noqa: S101
    await store_moves.change(session, move.id, now, step=MoveStep.MOVED.value, ended_at=now)
    takes = taken_at(market, read_spec(row.spec, row.script), move.to_place)
    await store.change(
        session, move.job, **_arrived(row, move, move.taken, since or now), cores_taken=takes, retry_at=now
    )
    event = {
        "job_id": move.job, "at": now, "from_state": row.state, "to_state": JobState.ACCEPTED.value,
        "reason": move.why_en, "note": move.why_zh,
    }  # fmt: skip
    await store.add_events(session, [event])
    if market is not None and since is None:
        await foretell_moved(session, row, move.to_place, market=market, now=now)
    elif market is not None and since is not None:
        await foretell_drawn(session, row, move.to_place, market=market, since=since)
    await store.announce(session, move.to_place[0])
    log.info("job.moved", job=str(move.job), left="/".join(move.from_place), to="/".join(move.to_place))


def _arrived(row: AnyRow, move: OpenMove, taken: TakenPlace, since: datetime) -> dict[str, object]:
    """As if it had been accepted for the new place. What its user wished meanwhile holds there: held, or not."""
    return {
        "centre": move.to_place[0],
        "account": taken.account,
        "queue": move.to_place[1],
        "price_version_id": taken.price,
        "why_en": move.why_en,
        "why_zh": move.why_zh,
        "state": JobState.ACCEPTED.value,
        "moves": row.moves + 1,
        "moved_at": since,
        "movable": row.movable and row.wish != HOLD,
        "starts_held": row.wish == HOLD,
        "kept": False,
        "wish": None,
        "native_id": None,
        "native_state": "",
        "reason": "",
        "node_list": "",
        "tries": 0,
        "submitted_at": None,
        "started_at": None,
        "absent_since": None,
    }
