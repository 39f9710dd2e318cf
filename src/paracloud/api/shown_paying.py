"""Ways to pay, from the house's values to the wire's models."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.api import shown
from paracloud.api.shown_budgets import projects_budgets
from paracloud.billing.cover import Package, Unit
from paracloud.billing.dedication import Dedication, dedications_of
from paracloud.billing.funding import Funding, funding_of
from paracloud.billing.packages import packages_of
from paracloud.identity.caller import Caller
from paracloud.kit.identifiers import ProjectId
from paracloud.kit.money import Money
from paracloud.wire.paying import DedicationModel, FundingModel, Kind, PackageModel, PayingModel

UNITS: dict[Kind, Unit] = {
    "core-hours": Unit.CORE_SECOND,
    "card-hours": Unit.CARD_SECOND,
    "credit": Unit.MICRO,
}
KINDS = {unit: kind for kind, unit in UNITS.items()}
SECONDS_AN_HOUR = 3600


async def paying(session: AsyncSession, project: ProjectId, caller: Caller | None, now: datetime) -> PayingModel:
    """As the caller may see it; None: the operator, who sees all."""
    return PayingModel(
        project=project,
        funding=funding(await funding_of(session, project)),
        packages=[package_model(one) for one in await packages_of(session, [project])],
        dedicated=[dedication(one) for one in await dedications_of(session, [project])],
        budgets=await projects_budgets(session, project, caller, now),
    )


def funding(one: Funding) -> FundingModel:
    return FundingModel(
        line=shown.money(one.line),
        hold_seconds=None if one.hold is None else int(one.hold.total_seconds()),
        warnings=[shown.money(level) for level in one.warnings],
        signal=one.signal,
        grace_seconds=int(one.grace.total_seconds()),
    )


def package_model(one: Package) -> PackageModel:
    def count(units: int) -> str:
        if one.unit is Unit.MICRO:
            return str(Money(units, one.currency))
        return f"{Decimal(units) / SECONDS_AN_HOUR:.4f}"

    return PackageModel(
        id=one.id,
        name=one.name,
        kind=KINDS[one.unit],
        total=count(one.total),
        used=count(one.used),
        reserved=count(one.reserved),
        left=count(one.free if one.closed_at is None else 0),
        price=shown.money(Money(one.price_micro, one.currency)),
        product_line=one.product_line,
        centre=one.centre,
        queue=one.queue,
        valid_from=one.valid_from,
        expires_at=one.expires_at,
        closed_at=one.closed_at,
    )


def dedication(one: Dedication) -> DedicationModel:
    return DedicationModel(
        id=one.id,
        project=one.project,
        centre=one.centre,
        queue=one.queue,
        nodes=one.nodes,
        monthly=shown.money(one.monthly),
        valid_from=one.valid_from,
        valid_to=one.valid_to,
        created_at=one.created_at,
        created_by=one.created_by,
        ended_by=one.ended_by,
    )
