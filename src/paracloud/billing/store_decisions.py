"""Every query on what persons decided of usages."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Uuid, any_, bindparam, delete, exists, func, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.decision import Decision
from paracloud.billing.tables import ChargeRow, UnratedRow
from paracloud.billing.tables_decisions import FeeReversalRow, UsageDecisionRow
from paracloud.kit.bulk import unnested
from paracloud.kit.identifiers import EntryId, PriceVersionId, UsageId

ROW = (
    UsageDecisionRow.usage_id, UsageDecisionRow.revision, UsageDecisionRow.price_version_id,
    UsageDecisionRow.is_carried, UsageDecisionRow.reason, UsageDecisionRow.person, UsageDecisionRow.decided_at,
)  # fmt: skip


async def add(session: AsyncSession, new: Sequence[Decision]) -> None:
    """What costs nothing by these words waits for no price any more."""
    if not new:
        return
    values = [(one.usage, one.revision, one.price, one.is_carried, one.reason, one.person, one.at) for one in new]
    rows = unnested(ROW, values)
    await session.execute(insert(UsageDecisionRow).from_select([one.key for one in ROW], select(*rows.c)))
    waived = [(one.usage, one.revision) for one in new if one.waives]
    if waived:
        over = unnested([UnratedRow.usage_id, UnratedRow.revision], waived)
        waiting = (UnratedRow.usage_id == over.c.usage_id) & (UnratedRow.revision <= over.c.revision)
        await session.execute(delete(UnratedRow).where(waiting).execution_options(synchronize_session=False))


async def newest(session: AsyncSession, usages: Sequence[UsageId]) -> dict[UsageId, Decision]:
    """The last word on each, carried ones too; few usages have one."""
    query = (
        select(UsageDecisionRow)
        .ext(distinct_on(UsageDecisionRow.usage_id))
        .where(UsageDecisionRow.usage_id == any_(bindparam("usages", list(usages), type_=ARRAY(Uuid))))
        .order_by(UsageDecisionRow.usage_id, UsageDecisionRow.revision.desc())
    )
    return {UsageId(row.usage_id): _decision(row) for row in (await session.scalars(query)).all()}


async def of_usage(session: AsyncSession, usage: UsageId) -> list[Decision]:
    """Oldest revision first."""
    query = select(UsageDecisionRow).where(UsageDecisionRow.usage_id == usage)
    return [_decision(row) for row in (await session.scalars(query.order_by(UsageDecisionRow.revision))).all()]


async def reversals(session: AsyncSession, usages: Sequence[UsageId]) -> dict[UsageId, Decision]:
    """The last reversal of each, as the word that it costs nothing."""
    row = ChargeRow
    query = (
        select(row.usage_id, row.revision, row.reason, row.person, row.charged_at)
        .ext(distinct_on(row.usage_id))
        .where(row.usage_id == any_(bindparam("usages", list(usages), type_=ARRAY(Uuid))), row.is_reversal)
        .order_by(row.usage_id, row.revision.desc())
    )
    return {
        UsageId(usage): Decision(UsageId(usage), revision, None, reason or "", person or "", at)
        for usage, revision, reason, person, at in (await session.execute(query)).all()
    }


async def amounts_of(session: AsyncSession, entry: EntryId) -> dict[str, int]:
    """By reference, what an entry of charges is for, in micro-units; nothing of history, which has none."""
    row = ChargeRow
    query = select(row.reference, func.sum(row.amount_micro)).where(row.entry_id == entry, row.reference.is_not(None))
    return {str(of): int(micro) for of, micro in (await session.execute(query.group_by(row.reference))).all()}


async def is_listed(session: AsyncSession, usage: UsageId) -> bool:
    """Whether some revision of it is listed as unrated."""
    return bool((await session.execute(select(exists().where(UnratedRow.usage_id == usage)))).scalar_one())


async def keep_fee_reversal(session: AsyncSession, fee: EntryId, reversal: EntryId, period: date) -> None:
    await session.execute(insert(FeeReversalRow).values(entry_id=fee, reversal_id=reversal, period=period))


def _decision(row: UsageDecisionRow) -> Decision:
    return Decision(
        UsageId(row.usage_id), row.revision,
        None if row.price_version_id is None else PriceVersionId(row.price_version_id),
        row.reason, row.person, row.decided_at, row.is_carried,
    )  # fmt: skip
