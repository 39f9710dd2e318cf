"""Move a job of which its centre cannot know: nothing was sent there, so nothing has to be undone there."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.hold_beside import most_held
from paracloud.jobs import store_moves
from paracloud.jobs.begin_move import begin
from paracloud.jobs.hand_over import hand_over
from paracloud.jobs.leave import require_free, take_place
from paracloud.jobs.market import Market, customer_of, dedicated_at, offers
from paracloud.jobs.movable import need_elsewhere
from paracloud.jobs.state import JobState
from paracloud.jobs.written import read_spec
from paracloud.kit.identifiers import MOVES_MOST, CentreName, JobId, ProjectId
from paracloud.placement.choose import choose
from paracloud.placement.offer import Objective
from paracloud.placement.reroute import MAY_COST_MORE


async def go_at_once(session: AsyncSession, centre: CentreName, job: JobId, *, market: Market, now: datetime) -> None:
    """To the best place elsewhere that costs no more than its user agreed to; where there is none, it waits. Refused
    where that place cannot be had. Only before its first intent: from then on it may be there, whatever we hear."""
    row = await store_moves.lock(session, job, skip=True)
    if row is None or (row.centre, row.state, row.tries) != (centre, JobState.ACCEPTED, 0) or row.moves >= MOVES_MOST:
        return
    await require_free(session, row)
    spec = read_spec(row.spec, row.script)
    customer = await customer_of(session, ProjectId(row.project_id), market)
    choice = choose(need_elsewhere(spec, customer, market), offers(market, spec, customer), Objective(spec.objective))
    most = await most_held(session, str(job)) if choice.objective not in MAY_COST_MORE else None
    best = next(
        (
            one
            for one in choice.fitting
            if one.centre != centre and one.most is not None and (most is None or one.most.micro <= most)
            # for the customer's own nodes nothing is held
            if dedicated_at(market, spec, customer, one) is None
        ),
        None,
    )
    if best is None:
        return
    left = f"{row.centre}/{row.queue}"
    en = f"moved from {left} to {best.place} because {centre} does not answer and knew nothing of it yet"
    zh = f"由 {left} 改派至 {best.place}：{centre} 无响应，且尚未收到该作业"
    await begin(session, row, best, (en, zh), now)
    move = (await store_moves.open_of(session, [job]))[job]
    await store_moves.take(session, move.id, await take_place(session, row, move, market=market, now=now), now)
    await hand_over(session, (await store_moves.open_of(session, [job]))[job], now, market)
