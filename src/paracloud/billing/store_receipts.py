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
           charge.currency, charge.charged_at, charge.period, COALESCE(charge.reason, said.reason) AS reason,
           price.id AS price_id, price.product_line, price.core_hour, price.card_hour, price.rule, price.tiers,
           charge.dedication_id, charge.dedicated_seconds, usage.centre, usage.record_id, usage.submitted_at,
           seen.measured, before.list_micro AS list_before,
           before.amount_micro AS amount_before, before.credit_micro AS credit_before,
           COALESCE(given.micro, 0)::bigint AS package_before,
           COALESCE(given.core_seconds, 0)::bigint AS core_seconds_before,
           COALESCE(given.card_seconds, 0)::bigint AS card_seconds_before, COALESCE(paid.uses, '[]') AS paid
      FROM receipts_due AS due
      JOIN charges AS charge ON (charge.usage_id, charge.revision, charge.is_reversal)
                                = (due.usage_id, due.revision, due.is_reversal)
      JOIN usage ON usage.id = due.usage_id
      JOIN usage_revisions AS seen ON (seen.usage_id, seen.revision) = (due.usage_id, due.revision)
      JOIN price_versions AS price ON price.id = charge.price_version_id
      LEFT JOIN usage_decisions AS said ON (said.usage_id, said.revision) = (charge.usage_id, charge.revision)
       AND said.price_version_id IS NOT NULL
     CROSS JOIN LATERAL (SELECT COALESCE(max(back.revision), 0) AS revision FROM charges AS back
                          WHERE back.usage_id = charge.usage_id AND back.is_reversal
                            AND back.revision < charge.revision) AS reversed
     CROSS JOIN LATERAL (SELECT sum(list_micro)::bigint AS list_micro, sum(amount_micro)::bigint AS amount_micro,
                                sum(credit_micro)::bigint AS credit_micro
                           FROM charges AS earlier WHERE earlier.usage_id = charge.usage_id AND NOT earlier.is_reversal
                            AND earlier.revision > reversed.revision
                            AND earlier.revision < charge.revision + charge.is_reversal::int) AS before
     CROSS JOIN LATERAL (SELECT sum(earlier.micro + earlier.returned_micro) AS micro,
                                sum(earlier.units) FILTER (WHERE package.unit = 'core-second') AS core_seconds,
                                sum(earlier.units) FILTER (WHERE package.unit = 'card-second') AS card_seconds
                           FROM package_uses AS earlier JOIN packages AS package ON package.id = earlier.package_id
                          WHERE earlier.usage_id = charge.usage_id AND NOT earlier.is_reversal
                            AND earlier.revision > reversed.revision
                            AND earlier.revision < charge.revision + charge.is_reversal::int) AS given
     CROSS JOIN LATERAL (SELECT jsonb_agg(jsonb_build_object(
                                    'package', package.id, 'name', package.name, 'unit', package.unit,
                                    'units', own.units::text, 'micro', own.micro::text,
                                    'returned_micro', own.returned_micro::text)
                                    ORDER BY package.expires_at, package.id) AS uses
                           FROM package_uses AS own JOIN packages AS package ON package.id = own.package_id
                          WHERE (own.usage_id, own.revision, own.is_reversal)
                                = (charge.usage_id, charge.revision, charge.is_reversal)) AS paid
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
    """Once; what was charged before waits for its receipts too. A charge holds its project's row, by its table's
    trigger, so whoever locks that comes before or after each of them: none falls between."""
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
