"""Prices and contracts, and usage that waits for one."""

from dataclasses import asdict
from uuid import UUID

from fastapi import APIRouter

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import a_decimal, an_amount
from paracloud.api.operator import operator
from paracloud.api.shown import money
from paracloud.billing.contract import Contract, Lent, Month, add_contract, contracts_of, end_contract
from paracloud.billing.known_queue import require_known
from paracloud.billing.price import Version, add_price, all_versions, end_price
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule, write_rule
from paracloud.billing.tiers import read_tiers, write_tiers
from paracloud.billing.unrated import unrated_page
from paracloud.dialects.resources import had
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.charge_waiting import charge_waiting
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName, OrganisationId, PriceVersionId, ProjectId, UsageId, new_uuid
from paracloud.kit.money import Money
from paracloud.wire.account import Created
from paracloud.wire.tariffs import (
    ChargedModel,
    ContractList,
    ContractModel,
    ContractRequest,
    EndRequest,
    PriceList,
    PriceModel,
    PriceRequest,
    TierModel,
    UnratedList,
    UnratedModel,
)

router = APIRouter(prefix="/operator", tags=["operator"])
PAGE = 100


@router.get("/prices")
async def prices(deps: TheDeps, token: Token) -> PriceList:
    """Every version of every price, by centre, queue and beginning."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await all_versions(at.session)
    return PriceList(items=[_shown(one) for one in found])


@router.get("/contracts")
async def contracts(deps: TheDeps, token: Token) -> ContractList:
    """Every contract, by centre, queue and beginning."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await contracts_of(at.session, None)
    return ContractList(items=[_shown_contract(one) for one in found])


@router.post("/prices/{price}:end")
async def end_a_price(price: UUID, body: EndRequest, deps: TheDeps, token: Token) -> Created:
    """The version holds until then, and no longer; one that has not begun is withdrawn. Jobs that were accepted with it
    keep it."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await end_price(at.session, PriceVersionId(price), body.at or now, person=at.caller.login, now=now)
    return Created(id=str(price))


@router.post("/contracts/{centre}:end")
async def end_a_contract(
    centre: str, body: EndRequest, deps: TheDeps, token: Token, queue: str | None = None
) -> Created:
    """The centre's own, or, with `queue`, that queue's; one that has not begun is withdrawn at its beginning."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await end_contract(at.session, CentreName(centre), body.at or now, person=at.caller.login, now=now, queue=queue)
    return Created(id=centre)


@router.get("/unrated")
async def unrated(deps: TheDeps, token: Token, after: UUID | None = None) -> UnratedList:
    """Usage that no price or contract fits, oldest first: never free, it waits."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await unrated_page(at.session, after=None if after is None else UsageId(after), limit=PAGE)
    return UnratedList(
        items=[
            UnratedModel(
                usage=one.usage.id,
                centre=one.usage.key.centre,
                queue=one.usage.queue,
                record_id=one.usage.key.record_id,
                project=one.usage.project,
                resources=had(one.usage.resources),
                en=one.reason_en,
                zh=one.reason_zh,
                listed_at=one.listed_at,
            )
            for one in found
        ],
        next=str(found[-1].usage.id) if len(found) == PAGE else None,
    )


@router.post("/unrated:charge")
async def charge_unrated(deps: TheDeps, token: Token) -> ChargedModel:
    """Charge what has its price and contract by now; the rest stays listed."""
    charged = left = 0
    after: UsageId | None = None
    while True:
        async with asked(deps, token) as at:
            page = await charge_waiting(at.session, after=after, now=operator(at, deps))
        charged, left, after = charged + page.charged, left + page.left, page.after
        if after is None:
            return ChargedModel(charged=charged, left=left)


@router.post("/prices", status_code=201)
async def price(body: PriceRequest, deps: TheDeps, token: Token) -> Created:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        version = _version(body)
        if not body.is_unseen:
            await require_known(at.session, CentreName(body.centre), body.queue)
        await add_price(
            at.session,
            CentreName(body.centre),
            body.queue,
            version,
            person=at.caller.login,
            now=now,
            valid_from=body.valid_from or now,
            valid_to=body.valid_to,
        )
    return Created(id=str(version.id))


def _version(body: PriceRequest) -> Price:
    if (body.core_hour is None) == (body.rule is None):
        raise Invalid("Send core_hour or rule, one of them.", "请提供 core_hour 或 rule 之一。", field="core_hour")
    return Price(
        PriceVersionId(new_uuid()),
        ProductLine(body.product_line),
        a_decimal("core_hour", "0" if body.core_hour is None else body.core_hour),
        None if body.card_hour is None else a_decimal("card_hour", body.card_hour),
        body.currency,
        None if body.rule is None else read_rule(body.rule),
        body.qos,
        None if body.project is None else ProjectId(body.project),
        None if body.organisation is None else OrganisationId(body.organisation),
        None if body.tiers is None else read_tiers([one.model_dump() for one in body.tiers]),
    )


@router.post("/contracts", status_code=201)
async def contract(body: ContractRequest, deps: TheDeps, token: Token) -> Created:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        if body.queue is not None and not body.is_unseen:
            await require_known(at.session, CentreName(body.centre), body.queue)
        await add_contract(
            at.session,
            CentreName(body.centre),
            body.share_basis_points,
            person=at.caller.login,
            now=now,
            valid_from=body.valid_from or now,
            valid_to=body.valid_to,
            queue=body.queue,
            lent=_lent(body),
            month=_month(body),
        )
    return Created(id=body.centre)


def _lent(body: ContractRequest) -> Lent | None:
    if body.owner is None and body.owner_basis_points:
        raise Invalid("owner: whose nodes are they?", "owner：请指明节点所有者。", field="owner")
    return None if body.owner is None else Lent(ProjectId(body.owner), body.owner_basis_points)


def _month(body: ContractRequest) -> Month:
    tiers = None if body.share_tiers is None else [one.model_dump() for one in body.share_tiers]
    return Month(
        None if tiers is None else read_tiers(tiers, "share_tiers"),
        an_amount("minimum", body.minimum).micro,
        an_amount("fixed", body.fixed).micro,
    )


def _shown(one: Version) -> PriceModel:
    price = one.price
    return PriceModel(
        id=price.id,
        centre=one.centre,
        queue=one.queue,
        product_line=price.product_line.value,
        core_hour=f"{price.core_hour:f}",
        card_hour=None if price.card_hour is None else f"{price.card_hour:f}",
        rule=None if price.rule is None else write_rule(price.rule),
        qos=price.qos,
        project=price.project,
        organisation=price.organisation,
        tiers=None if price.tiers is None else [TierModel.model_validate(one) for one in write_tiers(price.tiers)],
        currency=price.currency,
        valid_from=one.valid_from,
        valid_to=one.valid_to,
        **asdict(one.agreed),
    )


def _shown_contract(one: Contract) -> ContractModel:
    tiers = one.month.share_tiers
    return ContractModel(
        id=one.id,
        centre=one.centre,
        queue=one.queue,
        share_basis_points=one.share_basis_points,
        owner=one.owner,
        owner_basis_points=one.owner_basis_points,
        share_tiers=None if tiers is None else [TierModel.model_validate(step) for step in write_tiers(tiers)],
        minimum=money(Money(one.month.minimum_micro)),
        fixed=money(Money(one.month.fixed_micro)),
        valid_from=one.valid_from,
        valid_to=one.valid_to,
        **asdict(one.agreed),
    )
