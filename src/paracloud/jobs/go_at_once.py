"""Move a job of which its centre cannot know: nothing was sent there, so nothing has to be undone there."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.hold_beside import most_held
from paracloud.jobs import store_moves
from paracloud.jobs.begin_move import begin
from paracloud.jobs.expect import foreseen
from paracloud.jobs.hand_over import hand_over
from paracloud.jobs.leave import require_free, take_place
from paracloud.jobs.market import Market, customer_of, dedicated_at, offers
from paracloud.jobs.movable import need_elsewhere
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.written import read_spec
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import MOVES_MOST, CentreName, JobId, ProjectId, UserId
from paracloud.placement.choose import choose
from paracloud.placement.offer import Objective, Offer
from paracloud.placement.reroute import MAY_COST_MORE


async def go_at_once(session: AsyncSession, centre: CentreName, job: JobId, *, market: Market, now: datetime) -> None:
    """To the best place elsewhere that can be had and costs no more than its user agreed to, chosen as when it was
    submitted; where there is none, it waits. Refused where each of them was, by the first. Only before its first
    intent: from then on it may be there, whatever we hear."""
    row = await store_moves.lock(session, job, skip=True)
    if row is None or (row.centre, row.state, row.tries) != (centre, JobState.ACCEPTED, 0) or row.moves >= MOVES_MOST:
        return
    await require_free(session, row)
    refused: dict[CentreName, Refused] = {}
    for offer in await _elsewhere(session, row, market):
        if offer.centre in refused:
            continue
        try:
            async with session.begin_nested():
                await _go(session, row, offer, market, now)
        except Refused as why:
            refused[offer.centre] = why
        else:
            return
    if refused:
        raise next(iter(refused.values()))


async def _elsewhere(session: AsyncSession, row: AnyRow, market: Market) -> Sequence[Offer]:
    """The best one first; but for the customer's own nodes, for which nothing is held."""
    spec, user = read_spec(row.spec, row.script), UserId(row.user_id)
    customer = await customer_of(session, ProjectId(row.project_id), market)
    wanted = need_elsewhere(spec, customer, market)
    found = foreseen(wanted, offers(market, spec, customer), spec, customer=customer, user=user, market=market)
    choice = choose(wanted, found, Objective(spec.objective))
    most = await most_held(session, str(row.id)) if choice.objective not in MAY_COST_MORE else None
    return [
        one
        for one in choice.fitting
        if one.centre != row.centre and one.most is not None and (most is None or one.most.micro <= most)
        if dedicated_at(market, spec, customer, one) is None
    ]


async def _go(session: AsyncSession, row: AnyRow, offer: Offer, market: Market, now: datetime) -> None:
    job, left = JobId(row.id), f"{row.centre}/{row.queue}"
    en = f"moved from {left} to {offer.place} because {row.centre} does not answer and knew nothing of it yet"
    zh = f"由 {left} 改派至 {offer.place}：{row.centre} 无响应，且尚未收到该作业"
    await begin(session, row, offer, (en, zh), now)
    move = (await store_moves.open_of(session, [job]))[job]
    await store_moves.take(session, move.id, await take_place(session, row, move, market=market, now=now), now)
    await hand_over(session, (await store_moves.open_of(session, [job]))[job], now, market)
