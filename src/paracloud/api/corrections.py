"""What the operator puts right by hand, each with a reason and under the own name."""

from uuid import UUID

from fastapi import APIRouter

from paracloud.api import shown
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.jobs.correct_bill import rate_usage
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import PriceVersionId, UsageId
from paracloud.kit.money import Money
from paracloud.wire.corrections import RatedModel, RateRequest

router = APIRouter(prefix="/operator", tags=["operator"])


@router.post("/usages/{usage}:rate")
async def rate(usage: UUID, body: RateRequest, deps: TheDeps, token: Token) -> RatedModel:
    """Decide what usage costs that is unrated, or that was reversed whole. The same words again change nothing."""
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
