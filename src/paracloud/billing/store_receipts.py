"""Every query on receipts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Uuid, bindparam, delete, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.receipt import Signed
from paracloud.billing.tables_receipts import DueRow, ReceiptChainRow, ReceiptKeyRow, ReceiptRow
from paracloud.kit.bulk import put_in, unnested
from paracloud.kit.identifiers import ProjectId

LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('receipts:' || :project, 0))")
LOCK_PROJECT = text("SELECT 1 FROM projects WHERE id = :project FOR UPDATE").bindparams(
    bindparam("project", type_=Uuid)
)
CHARGED = text("""
    INSERT INTO receipts_due (usage_id, revision, is_reversal, project_id, charged_at)
    SELECT usage_id, revision, is_reversal, project_id, charged_at FROM charges
     WHERE project_id = :project AND NOT is_duplicate
""").bindparams(bindparam("project", type_=Uuid))
DUE = text("""
    SELECT charge.usage_id, charge.revision, charge.is_reversal, charge.reference, charge.list_micro,
           charge.volume_micro, charge.volume_month, charge.amount_micro, charge.package_micro, charge.credit_micro,
           charge.currency, charge.charged_at, charge.period, charge.reason,
           price.id AS price_id, price.product_line, price.core_hour, price.card_hour, price.rule, price.tiers,
           charge.dedication_id, charge.dedicated_seconds, usage.centre, usage.record_id, usage.submitted_at,
           seen.measured
      FROM receipts_due AS due
      JOIN charges AS charge ON (charge.usage_id, charge.revision, charge.is_reversal)
                                = (due.usage_id, due.revision, due.is_reversal)
      JOIN usage ON usage.id = due.usage_id
      JOIN usage_revisions AS seen ON (seen.usage_id, seen.revision) = (due.usage_id, due.revision)
      JOIN price_versions AS price ON price.id = charge.price_version_id
     WHERE due.project_id = :project
     ORDER BY due.charged_at, due.usage_id, due.revision, due.is_reversal LIMIT :limit
""").bindparams(bindparam("project", type_=Uuid))
COLUMNS = (
    ReceiptRow.project_id, ReceiptRow.number, ReceiptRow.usage_id, ReceiptRow.revision, ReceiptRow.is_reversal,
    ReceiptRow.body, ReceiptRow.previous, ReceiptRow.hash, ReceiptRow.signature, ReceiptRow.key_id,
    ReceiptRow.issued_at,
)  # fmt: skip
KEY = (DueRow.usage_id, DueRow.revision, DueRow.is_reversal)


async def lock_chain(session: AsyncSession, project: ProjectId) -> None:
    """Whoever issues for this project comes after whoever does now."""
    await session.execute(LOCK, {"project": str(project)})


async def begin_chain(session: AsyncSession, project: ProjectId, now: datetime) -> None:
    """Once; what was charged before waits for its receipts too. A charge holds its project's row by its foreign key, so
    whoever locks that comes before or after each of them: none falls between."""
    if await session.get(ReceiptChainRow, project) is not None:
        return
    await session.execute(LOCK_PROJECT, {"project": project})
    await session.execute(insert(ReceiptChainRow).values(project_id=project, began_at=now))
    await session.execute(CHARGED, {"project": project})


async def last(session: AsyncSession, project: ProjectId) -> tuple[int, str] | None:
    """Number and hash."""
    query = select(ReceiptRow.number, ReceiptRow.hash).where(ReceiptRow.project_id == project)
    row = (await session.execute(query.order_by(ReceiptRow.number.desc()).limit(1))).one_or_none()
    return None if row is None else (row.number, row.hash)


async def due(session: AsyncSession, project: ProjectId, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Charges without a receipt, oldest first, with what was used and at which price."""
    return (await session.execute(DUE, {"project": project, "limit": limit})).all()


async def behind(session: AsyncSession) -> ProjectId | None:
    """A project that has a chain, and charges that are not on it."""
    found = (await session.scalars(select(DueRow.project_id).order_by(DueRow.project_id).limit(1))).one_or_none()
    return None if found is None else ProjectId(found)


async def register(session: AsyncSession, key: str, public: str, now: datetime) -> None:
    adding = insert(ReceiptKeyRow).values(id=key, public_key=public, registered_at=now)
    await session.execute(adding.on_conflict_do_nothing())


async def keys(session: AsyncSession) -> dict[str, str]:
    """Every public key that ever signed, by its name."""
    rows = await session.execute(select(ReceiptKeyRow.id, ReceiptKeyRow.public_key).order_by(ReceiptKeyRow.id))
    return {key: public for key, public in rows.all()}  # noqa: C416  # rows are no pairs to mypy


async def add(
    session: AsyncSession,
    project: ProjectId,
    first: int,
    made: Sequence[tuple[Row[*tuple[Any, ...]], str, Signed]],
    now: datetime,
) -> None:
    """`made`: the charge, the hash before, and what was signed."""
    rows = [
        (project, first + at, charge.usage_id, charge.revision, charge.is_reversal, signed.text, previous, signed.hash,
         signed.signature, signed.key, now)
        for at, (charge, previous, signed) in enumerate(made)
    ]  # fmt: skip
    await put_in(session, COLUMNS, rows)
    done = unnested(KEY, [(charge.usage_id, charge.revision, charge.is_reversal) for charge, _, _ in made])
    waited = tuple_(*KEY).in_(select(*done.c))
    await session.execute(delete(DueRow).where(waited).execution_options(synchronize_session=False))


async def page(session: AsyncSession, project: ProjectId, start: int, limit: int) -> list[Signed]:
    query = select(ReceiptRow).where(ReceiptRow.project_id == project, ReceiptRow.number >= start)
    rows = (await session.scalars(query.order_by(ReceiptRow.number).limit(limit))).all()
    return [Signed(row.body, row.hash, row.signature, row.key_id) for row in rows]
