"""Where a job could run, what it can cost there and what is expected of it, without submitting it."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.pick import Customer
from paracloud.billing.rate import Price
from paracloud.identity.caller import Caller
from paracloud.jobs import store, store_moves
from paracloud.jobs.bounds import bounds
from paracloud.jobs.expect import foreseen
from paracloud.jobs.market import Market, customer_of
from paracloud.jobs.need import need
from paracloud.jobs.offers import offers, price_at
from paracloud.jobs.spec import JobSpec
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName, ProjectId, UserId
from paracloud.placement.choose import choose
from paracloud.placement.explain import Bound, explain
from paracloud.placement.offer import Choice, Need, Objective, Offer, Rejection

SHOWN_REASONS = 6


@dataclass(frozen=True, slots=True)
class Weighed:
    need: Need
    choice: Choice


@dataclass(frozen=True, slots=True)
class Quoted:
    """An offer that fits, at its price; `bound` is the most that the job can cost there, whoever pays."""

    offer: Offer
    price: Price
    bound: Bound


@dataclass(frozen=True, slots=True)
class Quote:
    """A page of the whole choice: `offers` are those that fit, in its order; after the last of them come those that are
    out. `left`: how many of either come after this page. `next` is the place that the next page comes after, None on
    the last. `why` is empty where nothing fits."""

    need: Need
    choice: Choice
    offers: tuple[Quoted, ...]
    rejected: tuple[Rejection, ...]
    left: tuple[int, int]
    next: str | None
    why_en: str
    why_zh: str


async def quote(
    session: AsyncSession,
    caller: Caller,
    project: ProjectId,
    spec: JobSpec,
    *,
    market: Market,
    after: str | None = None,
    limit: int = 50,
) -> Quote:
    """The page of `limit` places that come after a place. NotFound for a foreign project; Invalid for a dependency on a
    job that is not the project's, for a deadline that is over, or where that place is gone."""
    caller.require_reader(project)
    customer = await customer_of(session, project, market)
    only_centre = await dependency_centre(session, project, spec)
    weighed = weigh(spec, market, customer, only_centre, user=caller.user)
    choice = weighed.choice
    fitting, rejected, left, following = _page(choice, after, limit)
    best = choice.fitting[:1]
    most = await bounds(session, [*best, *fitting], spec, customer=customer, market=market)
    why = explain(weighed.need, choice, most[0]) if best else ("", "")
    quoted = tuple(
        Quoted(offer, price_at(market, spec, customer, offer), bound)
        for offer, bound in zip(fitting, most[len(best) :], strict=True)
    )
    return Quote(weighed.need, choice, quoted, rejected, left, following, *why)


def _page(
    choice: Choice, after: str | None, limit: int
) -> tuple[tuple[Offer, ...], tuple[Rejection, ...], tuple[int, int], str | None]:
    """What it has, how many of either come after it, and its last place. Invalid where the place to come after is
    gone."""
    count = len(choice.fitting)
    places = [one.place for one in choice.fitting] + [f"{one.centre}/{one.queue}" for one in choice.rejected]
    if after is not None and after not in places:
        raise Invalid(
            f"cursor: there is no {after} any more; ask without a cursor for the first page.",
            f"cursor：{after} 已不存在；请去掉 cursor，重新获取第一页。",
            field="cursor",
        )
    start = 0 if after is None else places.index(after) + 1
    end = min(start + limit, len(places))
    left = max(count - end, 0), len(places) - max(count, end)
    rejected = choice.rejected[max(start - count, 0) : max(end - count, 0)]
    return choice.fitting[start:end], rejected, left, places[end - 1] if end < len(places) else None


def weigh(
    spec: JobSpec, market: Market, customer: Customer, only_centre: CentreName | None, *, user: UserId
) -> Weighed:
    """Invalid for a deadline that is over."""
    require_ahead(spec, market)
    residency = market.residencies.get(customer.project)
    wanted = need(spec, only_centre=only_centre, residency=residency, asked_at=market.read_at)
    found = offers(market, spec, customer)
    known = foreseen(wanted, found, spec, customer=customer, user=user, market=market)
    return Weighed(wanted, choose(wanted, known, Objective(spec.objective)))


def require_ahead(spec: JobSpec, market: Market) -> None:
    """Invalid for a deadline that is over."""
    if spec.constraints.deadline is not None and spec.constraints.deadline <= market.read_at:
        raise Invalid(
            "deadline: it is over already; name a later moment.",
            "deadline：截止时间已过，请给出更晚的时间。",
            field="deadline",
        )


def nothing_fits(spec: JobSpec, choice: Choice) -> Invalid:
    """Says why each of the first few is out, those that the user named first, and so what to change."""
    named = [one for one in choice.rejected if one.queue == spec.queue or one.centre == spec.centre]
    shown = (named or list(choice.rejected))[:SHOWN_REASONS]
    queues = sorted({one.queue for one in choice.rejected})
    if spec.queue is not None and spec.queue not in queues:
        return Invalid(
            f"No centre has a partition {spec.queue}; there are: {', '.join(queues[:20]) or 'none'}.",
            f"没有名为 {spec.queue} 的分区；现有：{'、'.join(queues[:20]) or '无'}。",
            field="partition",
        )
    en = "; ".join(f"{one.centre}/{one.queue}: {one.en}" for one in shown)
    zh = "；".join(f"{one.centre}/{one.queue}：{one.zh}" for one in shown)
    return Invalid(
        f"No partition can run this job. {en or 'No centre is connected'}.",
        f"没有分区能运行该作业。{zh or '尚未接入任何超算中心'}。",
        field="partition" if spec.queue is not None else "centre" if spec.centre is not None else None,
    )


async def dependency_centre(
    session: AsyncSession, project: ProjectId, spec: JobSpec, *, is_final: bool = False
) -> CentreName | None:
    """The one centre of the jobs that this one depends on; None where it depends on nothing. `is_final`: it will depend
    on them, so they stay there."""
    if not spec.depends_on:
        return None
    needed = {one.job for one in spec.depends_on}
    leaving = await store_moves.bind(session, project, needed) if is_final else {}
    found = await store.needed(session, project, needed) | leaving
    absent = next((one.job for one in spec.depends_on if one.job not in found), None)
    if absent is not None:
        raise Invalid(
            f"The job {absent} to depend on does not exist in this project.",
            f"所依赖的作业 {absent} 在该课题组中不存在。",
            field="dependency",
        )
    if len(set(found.values())) > 1:
        raise Invalid(
            "The jobs to depend on are at different centres; a job can only depend on jobs at its own.",
            "所依赖的作业位于不同的超算中心；作业只能依赖同一中心的作业。",
            field="dependency",
        )
    return CentreName(next(iter(found.values())))
