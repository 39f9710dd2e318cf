"""Write down that a job is to move. Nothing is done about it yet."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.hold_beside import most_held
from paracloud.jobs import store_moves
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.tables import AnyRow
from paracloud.kit.identifiers import CentreName, JobId
from paracloud.placement.offer import Objective, Offer
from paracloud.placement.reroute import Waiting, explain_move

log = structlog.get_logger()


async def waiting_of(session: AsyncSession, row: AnyRow, now: datetime) -> Waiting:
    """`row` as `store_moves.late` gives it."""
    return Waiting(
        centre=CentreName(row.centre),
        queue=row.queue,
        objective=Objective(row.spec.get("objective", Objective.CHEAPEST)),
        waited=now - row.submitted_at,
        expected=None if row.expected_seconds is None else timedelta(seconds=row.expected_seconds),
        most_micro=await most_held(session, str(row.id)),
        moves=row.moves,
        rested=None if row.tried_at is None else now - row.tried_at,
    )


async def begin_move(session: AsyncSession, row: AnyRow, waiting: Waiting, best: Offer, now: datetime) -> None:
    await begin(session, row, best, explain_move(waiting, best), now)


async def begin(session: AsyncSession, row: AnyRow, to: Offer, why: tuple[str, str], now: datetime) -> None:
    """An earlier move that is still being undone is forgotten: of its commands the one that comes late finds a job that
    is leaving, and what starts by it finds the run marker taken."""
    await store_moves.end_open(session, [JobId(row.id)], now, "another try began", "开始新的改派")
    await store_moves.add(session, {
        "job_id": row.id, "attempt": row.moves, "step": MoveStep.HOLDING.value, "began_at": now, "changed_at": now,
        "from_centre": row.centre, "from_queue": row.queue, "from_account": row.account,
        "from_native_id": row.native_id, "from_tries": row.tries, "to_centre": to.centre, "to_queue": to.queue,
        "why_en": why[0], "why_zh": why[1],
    })  # fmt: skip
    log.info("job.move_begun", job=str(row.id), left=f"{row.centre}/{row.queue}", to=to.place)
