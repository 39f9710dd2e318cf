"""Every query on charges and on unrated usage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Text, cast, delete, exists, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from paracloud.billing.entry import payable
from paracloud.billing.tables import ChargeRow, EntryRow, LedgerAccountRow, PostingRow, PriceRow, UnratedRow
from paracloud.kit.bulk import unnested
from paracloud.kit.identifiers import CentreName, EntryId, PriceVersionId, ProjectId, UsageId
from paracloud.metering.usage import Usage

CHARGE = (
    ChargeRow.usage_id, ChargeRow.revision, ChargeRow.project_id, ChargeRow.reference, ChargeRow.price_version_id,
    ChargeRow.share_basis_points, ChargeRow.amount_micro, ChargeRow.share_micro, ChargeRow.currency,
    ChargeRow.is_duplicate, ChargeRow.entry_id, ChargeRow.charged_at,
)  # fmt: skip
UNRATED = (
    UnratedRow.usage_id, UnratedRow.revision, UnratedRow.reason_en, UnratedRow.reason_zh, UnratedRow.listed_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unrated:
    """Why a usage cannot be charged now."""

    reason_en: str
    reason_zh: str


@dataclass(frozen=True, slots=True)
class Before:
    """What all earlier revisions of a usage were charged together; `revision` is the last of them. `is_reversed`: a
    person took one of these charges back."""

    price: PriceVersionId
    share_basis_points: int
    revision: int
    amount_micro: int
    share_micro: int
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class NewCharge:
    usage: Usage
    price: PriceVersionId
    share_basis_points: int
    amount_micro: int
    share_micro: int
    currency: str


async def before(session: AsyncSession, usages: Sequence[UsageId]) -> dict[UsageId, Before]:
    wanted = unnested([ChargeRow.usage_id], [(usage,) for usage in usages])
    reversal = exists().where(EntryRow.key == func.concat("reverse:", cast(ChargeRow.entry_id, Text)))
    query = (
        select(
            ChargeRow.usage_id, ChargeRow.price_version_id, ChargeRow.share_basis_points, func.max(ChargeRow.revision),
            func.sum(ChargeRow.amount_micro), func.sum(ChargeRow.share_micro), func.bool_or(reversal),
        )
        .join(wanted, wanted.c.usage_id == ChargeRow.usage_id)
        .group_by(ChargeRow.usage_id, ChargeRow.price_version_id, ChargeRow.share_basis_points)
    )  # fmt: skip
    return {
        UsageId(usage): Before(PriceVersionId(price), basis_points, revision, int(amount), int(share), is_reversed)
        for usage, price, basis_points, revision, amount, share, is_reversed in (await session.execute(query)).all()
    }


async def settled(session: AsyncSession, usages: Sequence[UsageId], centre: CentreName) -> dict[UsageId, int]:
    """What is posted to the centre for these usages, reversals included, in micro-units; nothing posted: absent."""
    wanted = unnested([ChargeRow.usage_id], [(usage,) for usage in usages])
    reversal = aliased(EntryRow)
    entries = (
        select(ChargeRow.usage_id, EntryRow.id.label("entry_id"))
        .join(wanted, wanted.c.usage_id == ChargeRow.usage_id)
        .join(EntryRow, EntryRow.id == ChargeRow.entry_id)
        .union_all(
            select(ChargeRow.usage_id, reversal.id)
            .join(wanted, wanted.c.usage_id == ChargeRow.usage_id)
            .join(reversal, reversal.key == func.concat("reverse:", cast(ChargeRow.entry_id, Text)))
        )
        .subquery()
    )
    query = (
        select(entries.c.usage_id, func.sum(PostingRow.micro))
        .join(PostingRow, PostingRow.entry_id == entries.c.entry_id)
        .join(LedgerAccountRow, LedgerAccountRow.id == PostingRow.account_id)
        .where(LedgerAccountRow.code == payable(centre))
        .group_by(entries.c.usage_id)
    )
    return {UsageId(usage): int(micro) for usage, micro in (await session.execute(query)).all()}


async def add(session: AsyncSession, rows: Sequence[tuple[NewCharge, EntryId | None]], now: datetime) -> None:
    """A second charge for the same revision of a usage violates the primary key: the transaction fails whole. What had
    been listed as unrated no longer is."""
    if not rows:
        return
    values = [
        (
            row.usage.id, row.usage.revision, row.usage.project, row.usage.reference, row.price, row.share_basis_points,
            row.amount_micro, row.share_micro, row.currency, row.usage.is_duplicate, entry, now,
        )
        for row, entry in rows
    ]  # fmt: skip
    new = unnested(CHARGE, values)
    await session.execute(insert(ChargeRow).from_select([one.key for one in CHARGE], select(*new.c)))
    charged = unnested([UnratedRow.usage_id], [(row.usage.id,) for row, _ in rows])
    await session.execute(
        delete(UnratedRow).where(UnratedRow.usage_id == charged.c.usage_id).execution_options(synchronize_session=False)
    )


async def list_unrated(session: AsyncSession, usages: Sequence[tuple[Usage, Unrated]], now: datetime) -> None:
    if usages:
        values = [(usage.id, usage.revision, why.reason_en, why.reason_zh, now) for usage, why in usages]
        rows = unnested(UNRATED, values)
        statement = insert(UnratedRow).from_select([one.key for one in UNRATED], select(*rows.c))
        await session.execute(statement.on_conflict_do_nothing())


async def unrated(session: AsyncSession, *, after: UsageId | None, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """usage_id, revision, reason_en, reason_zh, listed_at: the newest revision of each, oldest usage first."""
    query = (
        select(*UNRATED).ext(distinct_on(UnratedRow.usage_id)).order_by(UnratedRow.usage_id, UnratedRow.revision.desc())
    )
    if after is not None:
        query = query.where(UnratedRow.usage_id > after)
    return (await session.execute(query.limit(limit))).all()


async def of_reference(
    session: AsyncSession, projects: Sequence[ProjectId], reference: str
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Charges with their prices, oldest first; a job of another project has none."""
    query = (
        select(
            ChargeRow.usage_id, ChargeRow.revision, ChargeRow.amount_micro, ChargeRow.currency, ChargeRow.charged_at,
            PriceRow.id.label("price_id"), PriceRow.product_line, PriceRow.core_hour, PriceRow.card_hour,
            PriceRow.rule,
        )
        .join(PriceRow, PriceRow.id == ChargeRow.price_version_id)
        .where(ChargeRow.project_id.in_(projects), ChargeRow.reference == reference, ChargeRow.is_duplicate.is_(False))
        .order_by(ChargeRow.usage_id, ChargeRow.revision)
    )  # fmt: skip
    return (await session.execute(query)).all()
