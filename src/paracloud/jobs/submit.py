"""Accept a job: placed, priced, its hold taken, its row and first event written, in the caller's one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.cover import Place
from paracloud.billing.dedication import Dedication
from paracloud.billing.funding import Funding, funding_of
from paracloud.billing.hold import set_aside
from paracloud.billing.rate import PLAINLY_PRICED
from paracloud.billing.reserve import Wanted
from paracloud.billing.rule import Quantities
from paracloud.centres.account import account_for
from paracloud.data.keep import require_held
from paracloud.identity.caller import Caller
from paracloud.jobs import store, store_funds
from paracloud.jobs.bounds import bounds
from paracloud.jobs.foretell import foretell
from paracloud.jobs.hopes import Asked
from paracloud.jobs.keep_back import IS_KEPT, KEPT, kept_back
from paracloud.jobs.landing import checkpoint_signal, first_hold
from paracloud.jobs.market import Market, customer_of
from paracloud.jobs.movable import is_movable
from paracloud.jobs.need import tasks_in_array
from paracloud.jobs.offers import dedicated_at, most_at, upper_at
from paracloud.jobs.place import place
from paracloud.jobs.placer import Placer
from paracloud.jobs.quote import dependency_centre, nothing_fits, require_ahead, weigh
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.state import JobState
from paracloud.jobs.taken import taken_at
from paracloud.jobs.written import write_spec
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import CentreName, JobId, ProjectId, UnixAccount, new_uuid
from paracloud.kit.money import Money
from paracloud.placement.explain import Bound, explain_best
from paracloud.placement.offer import Offer


@dataclass(frozen=True, slots=True)
class Accepted:
    job: JobId
    centre: CentreName
    queue: str
    held: Money
    why_en: str
    why_zh: str


async def submit(
    session: AsyncSession,
    caller: Caller,
    project: ProjectId,
    spec: JobSpec,
    *,
    market: Market,
    now: datetime,
    placer: Placer | None = None,
) -> Accepted:
    """`placer`: one that is kept for this market, where many jobs are submitted. Raises NotFound or Forbidden for the
    project, Invalid where nothing fits (with the reasons) or an input is missing, NotEnoughFunds with the missing
    amount, Conflict where no fitting centre has an account left. The worker of the chosen centre hears of it when the
    transaction is committed."""
    caller.require_member(project)
    customer = await customer_of(session, project, market)
    only_centre = await dependency_centre(session, project, spec, is_final=True)
    require_ahead(spec, market)
    asked = Asked(spec, customer, caller.user, only_centre)
    placed = place(placer or Placer(market), asked)
    if not placed.fits:
        raise nothing_fits(spec, weigh(spec, market, customer, only_centre, user=caller.user).choice)
    await _check_inputs(session, project, spec)
    passed, offer, account = await _place(session, project, placed.offers(), now)
    job = JobId(new_uuid())
    funding = await funding_of(session, project)
    wall = first_hold(funding, spec.wall_limit)
    most = most_at(market, spec, customer, offer, wall)
    own = dedicated_at(market, spec, customer, offer)
    is_held_in_parts = wall < spec.wall_limit or spec.requeue  # a run after a requeue is held for when it comes
    has_funds = own is not None or (is_held_in_parts and most.amount.micro > 0)
    movable = is_movable(spec) and not has_funds
    # Before the wallet is locked: it asks for all that waits.
    kept = await kept_back(session, asked, offer, placed, market) if movable else None
    offer = kept or offer
    where = Place(most.price.product_line, offer.centre, offer.queue)
    wanted = Wanted(project, str(job), most.amount, caller.user, most, where)
    reserved = await set_aside(session, wanted, now=now)
    held = reserved.rest
    if wall < spec.wall_limit:
        (bound,) = await bounds(session, [offer], spec, customer=customer, market=market)
    else:
        bound = Bound(reserved.ceiling, reserved.rest)
    why_en, why_zh = explain_best(placed.need, offer, placed.objective, (placed.fits - passed, placed.out), bound)
    if kept is not None:
        why_en, why_zh = why_en + IS_KEPT[0], why_zh + IS_KEPT[1]
    values = _values(job, caller, project, spec, offer, account, (why_en, why_zh), now)
    values |= {"currency": held.currency, "held_micro": held.micro, "movable": movable}
    values["cores_taken"] = taken_at(market, spec, (offer.centre, offer.queue))
    if kept is not None:
        values |= {"kept": True, "reason": KEPT}
    needs = [{"job_id": job, "needs_job_id": one.job, "kind": one.kind} for one in spec.depends_on]
    await store.add_job(session, values, needs, now)
    if has_funds:
        await store_funds.add(session, _funds(job, spec, funding, upper_at(market, spec, offer), own))
    await foretell(session, job, project, spec, offer, user=caller.user, market=market, now=now)
    await store.announce(session, offer.centre)
    return Accepted(job, offer.centre, offer.queue, held, why_en, why_zh)


async def _check_inputs(session: AsyncSession, project: ProjectId, spec: JobSpec) -> None:
    held = await require_held(session, project, [one.blob for one in spec.inputs])
    wrong = next((one for one in spec.inputs if held[one.blob] != one.size_bytes), None)
    if wrong is not None:
        raise Invalid(
            f"The input {wrong.path} has {held[wrong.blob]} bytes, not {wrong.size_bytes}.",
            f"输入文件 {wrong.path} 为 {held[wrong.blob]} 字节，而不是 {wrong.size_bytes}。",
            field="inputs",
        )


async def _place(
    session: AsyncSession, project: ProjectId, fitting: Iterable[Offer], now: datetime
) -> tuple[int, Offer, UnixAccount]:
    """The best offer whose centre has an account for the project, and how many better ones were passed over."""
    full: dict[CentreName, Conflict] = {}
    for passed, offer in enumerate(fitting):
        if offer.centre in full:
            continue
        try:
            return passed, offer, await account_for(session, offer.centre, project, now=now)
        except Conflict as error:
            full[offer.centre] = error
    raise next(iter(full.values()))


def _funds(
    job: JobId, spec: JobSpec, funding: Funding, upper: tuple[Quantities, timedelta], own: Dedication | None
) -> dict[str, object]:
    """On the customer's `own` nodes nothing is held, before an end of them is near."""
    quantities, overrun = upper
    first = timedelta(0) if own is not None else first_hold(funding, spec.wall_limit)
    return {
        "job_id": job,
        **{name: int(quantities[name]) for name in PLAINLY_PRICED},
        "resources": {name: int(count) for name, count in quantities.items() if name not in PLAINLY_PRICED},
        "slice_seconds": int((funding.hold or spec.wall_limit).total_seconds()),
        "grace_seconds": int(funding.grace.total_seconds()),
        "overrun_seconds": int(overrun.total_seconds()),
        "signal": checkpoint_signal(spec, funding),
        "held_seconds": int(first.total_seconds()),
        "dedication_id": None if own is None else own.id,
    }


def _values(
    job: JobId,
    caller: Caller,
    project: ProjectId,
    spec: JobSpec,
    offer: Offer,
    account: UnixAccount,
    why: tuple[str, str],
    now: datetime,
) -> dict[str, object]:
    return {
        "id": job,
        "project_id": project,
        "user_id": caller.user,
        "centre": offer.centre,
        "account": account,
        "queue": offer.queue,
        "name": spec.name,
        "script": spec.script,
        "spec": write_spec(spec),
        "array": spec.array,
        "tasks": tasks_in_array(spec),
        "cores": spec.cores,
        "gpus": spec.gpus_per_node * (spec.nodes or 1),
        "wall_limit_seconds": int(spec.wall_limit.total_seconds()),
        "why_en": why[0],
        "why_zh": why[1],
        "price_version_id": offer.price,
        "state": JobState.ACCEPTED.value,
        "starts_held": spec.hold,
        "accepted_at": now,
        "retry_at": now,
    }
