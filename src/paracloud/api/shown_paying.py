"""Ways to pay, from the house's values to the wire's models."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.api import shown
from paracloud.billing.budget import Budget, budgets_of, spent_of
from paracloud.billing.cover import Package, Unit
from paracloud.billing.dedication import Dedication, dedications_of
from paracloud.billing.funding import Funding, funding_of
from paracloud.billing.packages import packages_of
from paracloud.identity.caller import Caller
from paracloud.kit.identifiers import ProjectId
from paracloud.kit.money import Money
from paracloud.wire.paying import BudgetModel, DedicationModel, FundingModel, Kind, PackageModel, PayingModel

UNITS: dict[Kind, Unit] = {
    "core-hours": Unit.CORE_SECOND,
    "card-hours": Unit.CARD_SECOND,
    "credit": Unit.MICRO,
}
KINDS = {unit: kind for kind, unit in UNITS.items()}
SECONDS_AN_HOUR = 3600


async def paying(session: AsyncSession, project: ProjectId, caller: Caller | None, now: datetime) -> PayingModel:
    """As the caller may see it; None: the operator, who sees all. Whoever does not own the project sees no other user's
    budget, and nobody of it what the rest of the organisation spent."""
    budgets = [
        one for one in await budgets_of(session, [project], now) if caller is None or _sees(caller, project, one)
    ]
    return PayingModel(
        project=project,
        funding=_funding(await funding_of(session, project)),
        packages=[package_model(one) for one in await packages_of(session, [project])],
        dedicated=[_dedication(one) for one in await dedications_of(session, [project])],
        budgets=[await _budget(session, one, now, is_operator=caller is None) for one in budgets],
    )


def _sees(caller: Caller, project: ProjectId, budget: Budget) -> bool:
    return budget.user in (None, caller.user) or caller.owns(project)


def _funding(one: Funding) -> FundingModel:
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


def _dedication(one: Dedication) -> DedicationModel:
    return DedicationModel(
        id=one.id,
        centre=one.centre,
        queue=one.queue,
        nodes=one.nodes,
        monthly=shown.money(one.monthly),
        valid_from=one.valid_from,
        valid_to=one.valid_to,
    )


async def _budget(session: AsyncSession, one: Budget, now: datetime, *, is_operator: bool) -> BudgetModel:
    is_seen = is_operator or one.project is not None
    return BudgetModel(
        id=one.id,
        of="user" if one.user else "project" if one.project else "organisation",
        user=one.user,
        amount=shown.money(one.amount),
        spent=shown.money(await spent_of(session, one, now)) if is_seen else None,
        is_monthly=one.is_monthly,
        is_hard=one.is_hard,
        warn_percent=list(one.warn_percent),
        valid_from=one.valid_from,
        valid_to=one.valid_to,
    )
