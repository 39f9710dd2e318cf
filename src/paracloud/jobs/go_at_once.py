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
from paracloud.jobs.market import Market, customer_of
from paracloud.jobs.movable import need_elsewhere
from paracloud.jobs.offers import dedicated_at, offers
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.written import read_spec
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import MOVES_MOST, CentreName, JobId, ProjectId, UserId
from paracloud.placement.choose import choose
from paracloud.placement.offer import Objective, Offer
from paracloud.placement.reroute import may_cost_more


async def go_at_once(session: AsyncSession, centre: CentreName, job: JobId, *, market: Market, now: datetime) -> None:
    """To the best place elsewhere that can be had and costs no more than its user agreed to, chosen as when it was
    submitted; where there is none, it waits. Refused where each of them was, by the first. Only before its first
    intent: from then on it may be there, whatever we hear."""
    row = await store_moves.lock(session, job, skip=True)
    if row is None or (row.centre, row.state, row.tries) != (centre, JobState.ACCEPTED, 0) or row.moves >= MOVES_MOST:
        return
    await require_free(session, row)
    why = f"{centre} does not answer and knew nothing of it yet", f"{centre} 无响应，且尚未收到该作业"
    await go_elsewhere(session, row, why, market=market, now=now)


async def go_elsewhere(
    session: AsyncSession,
    row: AnyRow,
    why: tuple[str, str],
    *,
    market: Market,
    now: datetime,
    is_queue_alone: bool = False,
) -> bool:
    """Whether there was a place for the job, whose row is locked and of which its centre knows nothing. Refused where
    each was. `is_queue_alone`: another queue of its centre will do."""
    refused: dict[CentreName, Refused] = {}
    for offer in await elsewhere(session, row, market, is_queue_alone=is_queue_alone):
        if offer.centre in refused:
            continue
        try:
            async with session.begin_nested():
                await go(session, row, offer, moved_because(row, offer, why), market, now)
        except Refused as no:
            refused[offer.centre] = no
        else:
            return True
    if refused:
        raise next(iter(refused.values()))
    return False


async def elsewhere(
    session: AsyncSession, row: AnyRow, market: Market, *, is_queue_alone: bool = False
) -> Sequence[Offer]:
    """The best one first; but for the customer's own nodes, for which nothing is held. `is_queue_alone`: it is its
    queue alone that it has to leave, and not its centre."""
    found = await allowed(session, row, market)
    left = (row.centre, row.queue)
    return [one for one in found if one.centre != row.centre or (is_queue_alone and (one.centre, one.queue) != left)]


async def allowed(session: AsyncSession, row: AnyRow, market: Market) -> Sequence[Offer]:
    """Where it may be, the best one first: where it is, and wherever else it costs no more than its user agreed to."""
    spec, user = read_spec(row.spec, row.script), UserId(row.user_id)
    customer = await customer_of(session, ProjectId(row.project_id), market)
    wanted = need_elsewhere(spec, customer, market)
    found = foreseen(wanted, offers(market, spec, customer), spec, customer=customer, user=user, market=market)
    choice = choose(wanted, found, Objective(spec.objective))
    most = await most_agreed(session, row, spec)
    return [
        one for one in choice.fitting if is_agreed(row, one, most) and dedicated_at(market, spec, customer, one) is None
    ]


async def most_agreed(session: AsyncSession, row: AnyRow, spec: JobSpec) -> int | None:
    """The most that it may cost elsewhere, in micro-units; None: what its wallet allows."""
    if may_cost_more(Objective(spec.objective), spec.constraints):
        return None
    return await most_held(session, str(row.id))


def is_agreed(row: AnyRow, offer: Offer, most: int | None) -> bool:
    """Whether its user agreed to what it can cost there. What it can where it is was held."""
    is_home = (offer.centre, offer.queue) == (row.centre, row.queue)
    return offer.most is not None and (most is None or is_home or offer.most.micro <= most)


def moved_because(row: AnyRow, to: Offer, why: tuple[str, str]) -> tuple[str, str]:
    left = f"{row.centre}/{row.queue}"
    return f"moved from {left} to {to.place} because {why[0]}", f"由 {left} 改派至 {to.place}：{why[1]}"


async def go(
    session: AsyncSession,
    row: AnyRow,
    offer: Offer,
    why: tuple[str, str],
    market: Market,
    now: datetime,
    *,
    since: datetime | None = None,
) -> None:
    """Its row is locked, and its centre knows nothing of it. Refused (Conflict, NotEnoughFunds): then the caller has to
    undo what was begun. `since`: as in `hand_over`."""
    job = JobId(row.id)
    await begin(session, row, offer, why, now)
    move = (await store_moves.open_of(session, [job]))[job]
    await store_moves.take(session, move.id, await take_place(session, row, move, market=market, now=now), now)
    await hand_over(session, (await store_moves.open_of(session, [job]))[job], now, market, since=since)
