"""Every query on disputes."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.kit.identifiers import DisputeId, SettlementId, UsageId
from paracloud.settlement.settled import Dispute, Settlement
from paracloud.settlement.store import settlement
from paracloud.settlement.tables import DisputeRow, SettlementRow


async def add(session: AsyncSession, new: Dispute) -> None:
    values = {
        "id": new.id, "settlement_id": new.settlement, "usage_id": new.usage, "reason": new.reason,
        "person": new.person, "opened_at": new.opened_at,
    }  # fmt: skip
    await session.execute(insert(DisputeRow).values(values))


async def disputes(session: AsyncSession, settlements: Sequence[SettlementId]) -> list[Dispute]:
    query = (
        select(DisputeRow)
        .where(DisputeRow.settlement_id.in_(settlements))
        .order_by(DisputeRow.opened_at, DisputeRow.id)
    )
    rows = await session.scalars(query.execution_options(populate_existing=True))
    return [_dispute(row) for row in rows.all()]


async def open_disputes(session: AsyncSession, period: date | None) -> list[tuple[Dispute, Settlement]]:
    """Without an answer, the oldest first, of one month or of all, with the statements that they are about."""
    query = (
        select(DisputeRow, SettlementRow)
        .join(SettlementRow, SettlementRow.id == DisputeRow.settlement_id)
        .where(DisputeRow.answer.is_(None))
        .order_by(DisputeRow.opened_at, DisputeRow.id)
    )
    if period is not None:
        query = query.where(SettlementRow.period == period)
    return [(_dispute(one), settlement(of)) for one, of in (await session.execute(query)).all()]


async def dispute(session: AsyncSession, id_: DisputeId) -> Dispute | None:
    row = (await session.scalars(select(DisputeRow).where(DisputeRow.id == id_))).one_or_none()
    return None if row is None else _dispute(row)


async def answer(session: AsyncSession, id_: DisputeId, values: Mapping[str, object]) -> None:
    changing = update(DisputeRow).where(DisputeRow.id == id_).values(**values)
    await session.execute(changing.execution_options(synchronize_session=False))


def _dispute(row: DisputeRow) -> Dispute:
    return Dispute(
        DisputeId(row.id), SettlementId(row.settlement_id), None if row.usage_id is None else UsageId(row.usage_id),
        row.reason, row.person, row.opened_at, row.adjusted_micro, row.answer, row.answered_by, row.answered_at,
    )  # fmt: skip
