"""Every query of this room."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.kit.identifiers import CentreName, NativeId, ProjectId, UnixAccount, UsageId
from paracloud.metering.tables import RevisionRow, StrangerRow, UsageRow
from paracloud.metering.usage import MEASURED, Usage, UsageKey, measured

EVIDENCE_CHARACTERS = 2000
STRANGERS_A_CENTRE = 1000
ROWS_A_STATEMENT = 500
"""asyncpg allows 32,767 parameters in a statement; a usage row has 27."""


async def known(session: AsyncSession, centre: CentreName, keys: Sequence[UsageKey]) -> dict[UsageKey, Usage]:
    """Locked until the transaction ends, so that two collectors do not both correct one usage."""
    columns = tuple_(UsageRow.record_id, UsageRow.submitted_at, UsageRow.restart_count)
    query = (
        select(UsageRow)
        .where(UsageRow.centre == centre, columns.in_([key[1:] for key in keys]))
        .order_by(UsageRow.id)
        .with_for_update()
    )
    found = map(usage_of_row, (await session.execute(query)).scalars())
    return {usage.key: usage for usage in found}


async def add(session: AsyncSession, usages: Sequence[Usage]) -> set[UsageId]:
    """The ids that were really added: a key that another has added meanwhile is left out."""
    added: set[UsageId] = set()
    for start in range(0, len(usages), ROWS_A_STATEMENT):
        rows = [_values(usage) for usage in usages[start : start + ROWS_A_STATEMENT]]
        statement = insert(UsageRow).values(rows).on_conflict_do_nothing().returning(UsageRow.id)
        added |= {UsageId(id_) for id_ in (await session.execute(statement)).scalars()}
    return added


async def correct(session: AsyncSession, usages: Iterable[Usage]) -> None:
    for usage in usages:
        values = {**measured(usage), "phase": usage.phase.value, "revision": usage.revision}
        await session.execute(update(UsageRow).where(UsageRow.id == usage.id).values(**values))


async def keep_revisions(session: AsyncSession, pairs: Sequence[tuple[Usage, AccountingRecord]], now: datetime) -> None:
    rows = [
        {
            "usage_id": usage.id,
            "revision": usage.revision,
            "measured": {field: _plain(value) for field, value in measured(usage).items()},
            "raw": record.raw[:EVIDENCE_CHARACTERS],
            "collected_at": now,
        }
        for usage, record in pairs
    ]
    if rows:
        await session.execute(insert(RevisionRow), rows)


async def keep_strangers(
    session: AsyncSession, centre: CentreName, records: Sequence[AccountingRecord], now: datetime
) -> None:
    counts = Counter(record.account for record in records)
    newest = {record.account: record for record in records}
    have = await session.execute(select(func.count()).select_from(StrangerRow).where(StrangerRow.centre == centre))
    room = STRANGERS_A_CENTRE - have.scalar_one()
    for account in sorted(newest)[: max(room, 0)]:
        evidence = newest[account].raw[:EVIDENCE_CHARACTERS]
        statement = insert(StrangerRow).values(
            centre=centre, account=account, records=counts[account], raw=evidence, seen_at=now
        )
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["centre", "account"],
                set_={"records": StrangerRow.records + counts[account], "raw": evidence, "seen_at": now},
            )
        )


async def of_reference(session: AsyncSession, project: ProjectId, reference: str) -> list[Usage]:
    query = select(UsageRow).where(UsageRow.project_id == project, UsageRow.reference == reference)
    return [usage_of_row(row) for row in (await session.execute(query.order_by(UsageRow.id))).scalars()]


async def of_project(session: AsyncSession, project: ProjectId, *, after: UsageId | None, limit: int) -> list[Usage]:
    query = select(UsageRow).where(UsageRow.project_id == project).order_by(UsageRow.id.desc()).limit(limit)
    if after is not None:
        query = query.where(UsageRow.id < after)
    return [usage_of_row(row) for row in (await session.execute(query)).scalars()]


async def ended_between(session: AsyncSession, centre: CentreName, start: datetime, end: datetime) -> list[Usage]:
    query = (
        select(UsageRow)
        .where(UsageRow.centre == centre, UsageRow.ended_at >= start, UsageRow.ended_at < end)
        .order_by(UsageRow.id)
    )
    return [usage_of_row(row) for row in (await session.execute(query)).scalars()]


def usage_of_row(row: UsageRow) -> Usage:
    same: dict[str, Any] = {field: getattr(row, field) for field in MEASURED}
    same["phase"] = NativePhase(row.phase)
    return Usage(
        id=UsageId(row.id),
        key=UsageKey(CentreName(row.centre), NativeId(row.record_id), row.submitted_at, row.restart_count),
        revision=row.revision,
        project=ProjectId(row.project_id),
        account=UnixAccount(row.account),
        reference=row.reference,
        is_duplicate=row.is_duplicate,
        native_id=NativeId(row.native_id),
        task_index=row.task_index,
        name=row.name,
        **same,
    )


def _values(usage: Usage) -> dict[str, object]:
    return {
        "id": usage.id,
        **usage.key._asdict(),
        "revision": usage.revision,
        "project_id": usage.project,
        "account": usage.account,
        "reference": usage.reference,
        "is_duplicate": usage.is_duplicate,
        "native_id": usage.native_id,
        "task_index": usage.task_index,
        "name": usage.name,
        **measured(usage),
        "phase": usage.phase.value,
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value
