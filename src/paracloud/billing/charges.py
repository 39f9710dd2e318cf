"""Every query on charges and on unrated usage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.tables import ChargeRow, UnratedRow
from paracloud.kit.identifiers import EntryId, PriceVersionId, ProjectId, UsageId
from paracloud.metering.usage import Usage


@dataclass(frozen=True, slots=True)
class Before:
    """What all earlier revisions of a usage were charged together."""

    price: PriceVersionId
    share_basis_points: int
    amount_micro: int
    share_micro: int


@dataclass(frozen=True, slots=True)
class NewCharge:
    usage: Usage
    price: PriceVersionId
    share_basis_points: int
    amount_micro: int
    share_micro: int
    currency: str


async def before(session: AsyncSession, usages: Sequence[UsageId]) -> dict[UsageId, Before]:
    query = (
        select(
            ChargeRow.usage_id, ChargeRow.price_version_id, ChargeRow.share_basis_points,
            func.sum(ChargeRow.amount_micro), func.sum(ChargeRow.share_micro),
        )
        .where(ChargeRow.usage_id.in_(usages))
        .group_by(ChargeRow.usage_id, ChargeRow.price_version_id, ChargeRow.share_basis_points)
    )  # fmt: skip
    return {
        UsageId(usage): Before(PriceVersionId(price), basis_points, int(amount), int(share))
        for usage, price, basis_points, amount, share in (await session.execute(query)).all()
    }


async def add(session: AsyncSession, rows: Sequence[tuple[NewCharge, EntryId | None]], now: datetime) -> None:
    """A second charge for the same revision of a usage violates the primary key: the transaction fails whole."""
    values = [
        {
            "usage_id": row.usage.id,
            "revision": row.usage.revision,
            "project_id": row.usage.project,
            "reference": row.usage.reference,
            "price_version_id": row.price,
            "share_basis_points": row.share_basis_points,
            "amount_micro": row.amount_micro,
            "share_micro": row.share_micro,
            "currency": row.currency,
            "is_duplicate": row.usage.is_duplicate,
            "entry_id": entry,
            "charged_at": now,
        }
        for row, entry in rows
    ]
    if values:
        await session.execute(insert(ChargeRow), values)


async def list_unrated(session: AsyncSession, usage: Usage, now: datetime) -> None:
    place = f"{usage.key.centre}/{usage.queue}"
    statement = insert(UnratedRow).values(
        usage_id=usage.id,
        revision=usage.revision,
        reason_en=f"no price or no contract held for {place} at {usage.key.submitted_at.isoformat()}",
        reason_zh=f"{place} 在 {usage.key.submitted_at.isoformat()} 没有有效的价格或合同",
        listed_at=now,
    )
    await session.execute(statement.on_conflict_do_nothing())


async def of_reference(session: AsyncSession, project: ProjectId, reference: str) -> int:
    """Micro-units charged to this project for this job so far."""
    query = select(func.coalesce(func.sum(ChargeRow.amount_micro), 0)).where(
        ChargeRow.project_id == project, ChargeRow.reference == reference, ChargeRow.is_duplicate.is_(False)
    )
    return int((await session.execute(query)).scalar_one())
