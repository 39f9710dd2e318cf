"""Where a job could run, what it can cost there, and what is expected of it."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from paracloud.api import shown
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.submission import built_of
from paracloud.billing.rule_text import write_rule
from paracloud.jobs.quote import Quoted, quote
from paracloud.kit.identifiers import ProjectId
from paracloud.placement.choose import is_in_time
from paracloud.placement.expected import expected
from paracloud.placement.offer import Need, Offer
from paracloud.wire.jobs import JobRequest
from paracloud.wire.quotes import ExpectedModel, OfferModel, QuoteModel, RejectionModel

router = APIRouter(tags=["jobs"])
Cursor = Annotated[str | None, Query(max_length=500)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.post("/quotes")
async def quote_job(
    body: JobRequest, deps: TheDeps, token: Token, cursor: Cursor = None, limit: Limit = 50
) -> QuoteModel:
    """Where the job could run, at what price, what it can cost there at most and is expected to cost, when it is
    expected to start and to be done; and why the other partitions are out. Each page is of the queues as they are then:
    what has changed its place meanwhile may be on two pages or on none."""
    built = built_of(body)
    market = await deps.market.now()
    async with asked(deps, token) as at:
        project = ProjectId(body.project)
        found = await quote(at.session, at.caller, project, built.spec, market=market, after=cursor, limit=limit)
    return QuoteModel(
        offers=[_offer(one, found.need, deps.clock.now()) for one in found.offers],
        rejected=[RejectionModel(centre=one.centre, queue=one.queue, en=one.en, zh=one.zh) for one in found.rejected],
        offers_left=found.left[0],
        rejected_left=found.left[1],
        next=found.next,
        why_en=found.why_en,
        why_zh=found.why_zh,
        notices=shown.notices(built.notices),
    )


def _offer(of: Quoted, need: Need, now: datetime) -> OfferModel:
    offer, price = of.offer, of.price
    is_by_hours = price.rule is None
    return OfferModel(
        centre=offer.centre,
        queue=offer.queue,
        region=offer.region,
        most=shown.money(of.bound.ceiling),
        from_wallet=shown.money(of.bound.from_wallet),
        core_hour=f"{price.core_hour:f}" if is_by_hours else None,
        card_hour=f"{price.card_hour:f}" if is_by_hours and price.card_hour is not None else None,
        rule=None if price.rule is None else write_rule(price.rule),
        moving_seconds=_seconds(offer.moving),
        expected=_expected(offer, need, now),
        is_in_time=None if need.constraints.deadline is None else is_in_time(need, offer),
        free_cores=offer.free_cores,
        cores=offer.cores,
    )


def _expected(offer: Offer, need: Need, now: datetime) -> ExpectedModel | None:
    found, cost = offer.prediction, offer.cost
    if found is None or cost is None:
        return None
    finish = expected(need, offer).finish
    return ExpectedModel(
        wait_p50_seconds=_seconds(found.wait.p50),
        wait_p90_seconds=_seconds(found.wait.p90),
        run_p50_seconds=_seconds(found.run.p50),
        run_p90_seconds=_seconds(found.run.p90),
        finish_p50=now + finish.p50,
        finish_p90=now + finish.p90,
        cost_p50=shown.money(cost.p50),
        cost_p90=shown.money(cost.p90),
        model=found.model,
    )


def _seconds(time: timedelta) -> int:
    """A begun one as a whole one."""
    return -(-time // timedelta(seconds=1))
