"""What the operator agrees with a customer: packages and credits, dedicated nodes, funding."""

from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import an_amount, whole_seconds
from paracloud.api.once import Key, created_once
from paracloud.api.operator import operator
from paracloud.api.shown_paying import UNITS, funding, paying
from paracloud.api.shown_paying import dedication as show_dedication
from paracloud.billing.cover import Package, Unit
from paracloud.billing.dedication import Dedication, dedicate, dedications_of, end_dedication, new_dedication_id
from paracloud.billing.funding import Changes, change_funding
from paracloud.billing.post_fees import pay_first_fee
from paracloud.billing.sell_package import sell_package
from paracloud.identity.overview import organisations_of
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import (
    CentreName,
    DedicationId,
    PackageId,
    ProjectId,
    new_uuid,
)
from paracloud.wire.account import Created
from paracloud.wire.paying import (
    DedicationList,
    DedicationRequest,
    FundingChangeModel,
    FundingRequest,
    PackageRequest,
    PayingModel,
)
from paracloud.wire.tariffs import EndRequest

router = APIRouter(prefix="/operator", tags=["operator"])


@router.post("/packages", status_code=201)
async def package(body: PackageRequest, request: Request, deps: TheDeps, token: Token, key: Key = None) -> Created:
    """Sell hours from the project's wallet, or give a credit."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        wanted = _package(body, now)

        async def create() -> PackageId:
            await require_project(at.session, body.project)
            await sell_package(at.session, wanted, person=at.caller.login, now=now, is_unseen=body.is_unseen)
            return wanted.id

        return await created_once(at, key, request, create, now=now)


@router.post("/dedications", status_code=201)
async def dedication(
    body: DedicationRequest, request: Request, deps: TheDeps, token: Token, key: Key = None
) -> Created:
    """Nodes for one customer alone; the fees of the months that have begun are paid now, or there are none."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        wanted = Dedication(
            id=new_dedication_id(),
            project=ProjectId(body.project),
            centre=CentreName(body.centre),
            queue=body.queue,
            nodes=body.nodes,
            monthly=an_amount("monthly", body.monthly),
            share_basis_points=body.share_basis_points,
            valid_from=body.valid_from or now,
            valid_to=body.valid_to,
        )

        async def create() -> DedicationId:
            await require_project(at.session, body.project)
            await dedicate(at.session, wanted, person=at.caller.login, now=now, is_unseen=body.is_unseen)
            await pay_first_fee(at.session, wanted, now=now)
            return wanted.id

        return await created_once(at, key, request, create, now=now)


@router.get("/dedications")
async def dedications(deps: TheDeps, token: Token, *, with_past: bool = False) -> DedicationList:
    """Those that hold or will; `with_past`: those that are over too."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        found = await dedications_of(at.session, None)
    shown = [one for one in found if with_past or one.valid_to is None or one.valid_to > max(now, one.valid_from)]
    return DedicationList(items=[show_dedication(one) for one in shown])


@router.post("/dedications/{dedication}:end")
async def end_dedicated(dedication: UUID, body: EndRequest, deps: TheDeps, token: Token) -> Created:
    """The nodes are the customer's until then, or never where they have not begun; what was paid in advance stays
    paid."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        id_, at_ = DedicationId(dedication), body.at or now
        await end_dedication(at.session, id_, at_, person=at.caller.login, now=now)
    return Created(id=str(dedication))


@router.patch("/projects/{project}/funding")
async def fund(project: UUID, body: FundingRequest, deps: TheDeps, token: Token) -> FundingChangeModel:
    """The credit line, and what happens when money runs out under running jobs. What is left out stays."""
    changes = _changes(body)
    async with asked(deps, token) as at:
        operator(at, deps)
        await require_project(at.session, project)
        before, after = await change_funding(at.session, ProjectId(project), changes)
    return FundingChangeModel(project=project, before=funding(before), after=funding(after))


@router.get("/projects/{project}/paying")
async def show_paying(project: UUID, deps: TheDeps, token: Token) -> PayingModel:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await require_project(at.session, project)
        return await paying(at.session, ProjectId(project), None, now)


def _changes(body: FundingRequest) -> Changes:
    given, changes = body.model_fields_set, Changes()
    if "line" in given:
        changes["line"] = an_amount("line", body.line)
    if "hold_seconds" in given:
        changes["hold"] = None if body.hold_seconds is None else timedelta(seconds=body.hold_seconds)
    if "warnings" in given:
        changes["warnings"] = tuple(an_amount("warnings", one) for one in body.warnings)
    if "signal" in given:
        changes["signal"] = body.signal
    if "grace_seconds" in given:
        changes["grace"] = timedelta(seconds=body.grace_seconds)
    return changes


def _package(body: PackageRequest, now: datetime) -> Package:
    unit = UNITS[body.kind]
    is_credit = unit is Unit.MICRO
    price = an_amount("price", body.price)
    return Package(
        id=PackageId(new_uuid()),
        project=ProjectId(body.project),
        name=body.name,
        unit=unit,
        total=an_amount("amount", body.amount).micro if is_credit else whole_seconds("amount", body.amount),
        used=0,
        reserved=0,
        price_micro=price.micro,
        currency=price.currency,
        product_line=body.product_line,
        centre=None if body.centre is None else CentreName(body.centre),
        queue=body.queue,
        valid_from=body.valid_from or now,
        expires_at=body.expires_at,
    )


async def require_project(session: AsyncSession, project: UUID) -> None:
    """NotFound where there is none."""
    if not await organisations_of(session, [ProjectId(project)]):
        raise NotFound("There is no such project.", "课题组不存在。", field="project")
