"""What the operator puts right by hand, each with a reason and under the own name."""

from uuid import UUID

from fastapi import APIRouter

from paracloud.api import shown
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import an_amount
from paracloud.api.operator import operator
from paracloud.api.paying import require_project
from paracloud.billing.adjust import adjust
from paracloud.billing.end_package import end_package
from paracloud.jobs.correct_bill import rate_usage, take_usage_back
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import PackageId, PriceVersionId, ProjectId, UsageId
from paracloud.kit.money import Money
from paracloud.wire.account import BookedModel
from paracloud.wire.corrections import (
    AdjustmentRequest,
    EndedModel,
    EndPackageRequest,
    RatedModel,
    RateRequest,
    ReversedModel,
    ReverseUsageRequest,
)

router = APIRouter(prefix="/operator", tags=["operator"])


@router.post("/adjustments", status_code=201)
async def adjustment(body: AdjustmentRequest, deps: TheDeps, token: Token) -> BookedModel:
    """Goodwill, or what is owed besides all charges. The same number counts once: `is_new` says whether it counted
    now."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await require_project(at.session, body.project)
        is_new = await adjust(
            at.session,
            ProjectId(body.project),
            an_amount("amount", body.amount),
            key=body.key,
            reason=body.reason,
            person=at.caller.login,
            now=now,
        )
    return BookedModel(id=body.key, is_new=is_new)


@router.post("/packages/{package}:end")
async def end(package: UUID, body: EndPackageRequest, deps: TheDeps, token: Token) -> EndedModel:
    """A package's or a credit's end, now: what is left of its price goes back to the wallet."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        returned = await end_package(
            at.session, PackageId(package), reason=body.reason, person=at.caller.login, now=now
        )
    return EndedModel(id=package, returned=shown.money(returned))


@router.post("/usages/{usage}:rate")
async def rate(usage: UUID, body: RateRequest, deps: TheDeps, token: Token) -> RatedModel:
    """Decide what usage costs that is unrated, that was reversed whole, or, where it is charged after all, that was
    waived. The same words again change nothing."""
    if body.waive == (body.price is not None):
        raise Invalid("Send price or waive, one of them.", "请提供 price 或 waive 之一。", field="price")
    price = None if body.price is None else PriceVersionId(body.price)
    async with asked(deps, token) as at:
        now = operator(at, deps)
        made = await rate_usage(at.session, UsageId(usage), price, reason=body.reason, person=at.caller.login, now=now)
    return RatedModel(
        usage=usage,
        revision=made.decision.revision,
        price=made.decision.price,
        amount=shown.money(Money(made.amount_micro)),
        is_new=made.is_new,
    )


@router.post("/usages/{usage}:reverse")
async def reverse(usage: UUID, body: ReverseUsageRequest, deps: TheDeps, token: Token) -> ReversedModel:
    """Take back all that a usage was charged, also where that was nothing: then its price can be decided anew."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        made = await take_usage_back(at.session, UsageId(usage), reason=body.reason, person=at.caller.login, now=now)
    return ReversedModel(usage=usage, amount=shown.money(Money(made.amount_micro)), entry=made.entry)
