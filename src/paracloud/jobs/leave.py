"""Take a new place for a job that is held where it is, or let it stay."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.cover import Place
from paracloud.billing.hold_beside import hold_beside, most_held
from paracloud.billing.reserve import Wanted
from paracloud.centres.account import account_for
from paracloud.jobs import store, store_moves, store_rounds
from paracloud.jobs.market import Market, customer_of
from paracloud.jobs.movable import need_elsewhere
from paracloud.jobs.moving import MoveStep, OpenMove, TakenPlace
from paracloud.jobs.offers import dedicated_at, most_at, offers
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.written import read_spec
from paracloud.kit.errors import Conflict, Refused
from paracloud.kit.identifiers import CentreName, JobId, ProjectId, UserId
from paracloud.placement.filter import RULES, filter_offers
from paracloud.placement.offer import Objective
from paracloud.placement.reroute import may_cost_more

STARTED = ("it had started there", "作业已在该处开始运行")
BOUND = (
    "it is bound to its place: its user named the centre, holds it or does not want it moved; or it is an array, "
    "depends on others or others on it, may be requeued, is paid for by the slice, or has options of this centre",
    "作业不可改派：用户指定了超算中心、挂起作业或不允许改派，或为作业数组、与其他作业有依赖、可重新排队、按时间片预留费用，"
    "或使用了仅该中心可能支持的选项",
)
_UNDECIDED = (MoveStep.HOLDING, MoveStep.LEAVING)
BEFORE_PLACE = (MoveStep.HOLDING, MoveStep.RELEASING)


async def leave(session: AsyncSession, centre: CentreName, job: JobId, *, market: Market, now: datetime) -> None:
    """The listing showed the job as held, after it was asked to be. From here on it is to be cancelled there; or it is
    to stay, where its user wants something else by now or the new place cannot be had."""
    row = await store_moves.lock(session, job)
    move = (await store_moves.open_of(session, [job])).get(job)
    if row is None or move is None or move.step is not MoveStep.HOLDING or row.centre != centre:
        return
    if row.state != JobState.QUEUED or row.started_at is not None:
        return
    try:
        await require_free(session, row)
        place = await take_place(session, row, move, market=market, now=now)
    except Refused as why:
        await release_moves(session, centre, [job], (why.en, why.zh), now)
        return
    await store_moves.take(session, move.id, place, now)


async def take_place(
    session: AsyncSession, row: AnyRow, move: OpenMove, *, market: Market, now: datetime
) -> TakenPlace:
    """An account there and the money for it, beside what is held already. Refused (Conflict, NotEnoughFunds) where it
    cannot be had: then nothing of it is taken, and the hold is as it was."""
    spec, project, (centre, queue) = read_spec(row.spec, row.script), ProjectId(row.project_id), move.to_place
    customer = await customer_of(session, project, market)
    # What was foreseen was looked at when the move was proposed.
    fitting, _ = filter_offers(need_elsewhere(spec, customer, market), offers(market, spec, customer), RULES)
    offer = next((one for one in fitting if (one.centre, one.queue) == (centre, queue)), None)
    if offer is None or dedicated_at(market, spec, customer, offer) is not None:
        raise Conflict(f"{centre}/{queue} does not take it any more", f"{centre}/{queue} 已不再接收该作业")
    most = most_at(market, spec, customer, offer, spec.wall_limit)
    is_bound = not may_cost_more(Objective(spec.objective), spec.constraints)
    if is_bound and most.amount.micro > await most_held(session, str(row.id)):
        raise Conflict(f"{offer.place} has become dearer", f"{offer.place} 已涨价")
    where = Place(most.price.product_line, centre, queue)
    wanted = Wanted(project, str(row.id), most.amount, UserId(row.user_id), most, where)
    async with session.begin_nested():  # who is refused goes on with the transaction
        account = await account_for(session, centre, project, now=now)
        amount = await hold_beside(session, wanted, key=str(move.id), now=now)
        await store.change(session, move.job, held_micro=amount.micro)
    return TakenPlace(account, most.price.id)


async def require_free(session: AsyncSession, row: AnyRow) -> None:
    """Conflict where its user has come to want something else of it, or never wanted it to move."""
    if row.wish is not None:
        raise Conflict("its user wants something else of it now", "用户已另有要求")
    if not row.movable or await store_moves.is_needed(session, JobId(row.id)):
        raise Conflict(*BOUND)


async def fenced(session: AsyncSession, centre: CentreName, ours: Mapping[JobId, bool], now: datetime) -> None:
    """Whose run marker is ours never runs there. Whose is not has started, or another submission of it has."""
    await store_rounds.lock(session, centre, ours)
    for job, move in (await store_moves.open_of(session, list(ours))).items():
        if move.step is MoveStep.LEAVING and move.from_place[0] == centre and ours[job]:
            await store_moves.change(session, move.id, now, step=MoveStep.CANCELLING.value)
    await release_moves(session, centre, [job for job, is_ours in ours.items() if not is_ours], STARTED, now)


async def release_moves(
    session: AsyncSession, centre: CentreName, jobs: Collection[JobId], why: tuple[str, str], now: datetime
) -> None:
    """They stay: a hold of ours is to be undone, also one that is still on its way."""
    moves = await store_moves.open_of(session, jobs) if jobs else {}
    due = [move for move in moves.values() if move.step in _UNDECIDED and move.from_place[0] == centre]
    for move in due:
        await store_moves.change(session, move.id, now, step=MoveStep.RELEASING.value, end_en=why[0], end_zh=why[1])
    await store.add_events(session, [_stays(move, why, now) for move in due])


async def stay(session: AsyncSession, centre: CentreName, jobs: Collection[JobId], now: datetime) -> None:
    """They have started, so there is nothing to undo any more."""
    moves = await store_moves.open_of(session, jobs)
    due = [move for move in moves.values() if move.step in BEFORE_PLACE and move.from_place[0] == centre]
    for move in due:
        why = dict(zip(("end_en", "end_zh"), STARTED, strict=True)) if move.step is MoveStep.HOLDING else {}
        await store_moves.change(session, move.id, now, step=MoveStep.STAYED.value, ended_at=now, **why)
    await store.add_events(session, [_stays(move, STARTED, now) for move in due if move.step is MoveStep.HOLDING])


def _stays(move: OpenMove, why: tuple[str, str], now: datetime) -> dict[str, object]:
    frm, to = ("/".join(place) for place in (move.from_place, move.to_place))
    return {
        "job_id": move.job, "at": now, "from_state": None, "to_state": JobState.QUEUED.value,
        "reason": f"stays at {frm}, and is not moved to {to}: {why[0]}", "note": f"留在 {frm}，不改派至 {to}：{why[1]}",
    }  # fmt: skip
