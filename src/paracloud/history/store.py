"""Every query on imports."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.dialects.history import Unreadable
from paracloud.history.imported import By, Fault, Import, ImportState, Unmapped
from paracloud.history.tables import FaultRow, ImportRow
from paracloud.kit.bulk import unnested
from paracloud.kit.identifiers import BlobId, CentreName, ImportId, ProjectId

FAULT = (FaultRow.import_id, FaultRow.line, FaultRow.reason_en, FaultRow.reason_zh, FaultRow.text)
COUNTS = ("lines", "records", "done", "new", "corrected", "known", "unrated", "faults")
AGAIN = timedelta(days=7)
"""So long after it ended an import is held against its log a second time."""
OPEN = [state.value for state in ImportState if not state.is_final]


async def add(session: AsyncSession, new: Import) -> None:
    row = ImportRow(
        id=new.id, sha256=new.sha256, name=new.name, centre=new.centre, format=new.format, person=new.person,
        by=new.by.value, owners={name: str(project) for name, project in new.owners.items()},
        accept_faults=new.accept_faults, leave_out=new.leave_out, state=new.state.value, created_at=new.created_at,
    )  # fmt: skip
    session.add(row)
    await session.flush()


async def one(session: AsyncSession, id_: ImportId) -> Import | None:
    row = (await session.execute(select(ImportRow).where(ImportRow.id == id_))).scalar_one_or_none()
    return None if row is None else _import(row)


async def newest(session: AsyncSession, limit: int) -> list[Import]:
    rows = await session.scalars(select(ImportRow).order_by(ImportRow.created_at.desc(), ImportRow.id).limit(limit))
    return [_import(row) for row in rows.all()]


async def claim(session: AsyncSession, by: UUID, now: datetime, until: datetime) -> Import | None:
    """The oldest that is open and nobody's."""
    free = or_(ImportRow.claimed_until.is_(None), ImportRow.claimed_until < now)
    query = select(ImportRow).where(ImportRow.state.in_(OPEN), free).order_by(ImportRow.created_at).limit(1)
    row = (await session.scalars(query.with_for_update(skip_locked=True))).one_or_none()
    if row is None:
        return None
    row.claim, row.claimed_until = by, until
    await session.flush()
    return _import(row)


async def claim_reconciling(session: AsyncSession, by: UUID, now: datetime, until: datetime) -> Import | None:
    """The oldest that has ended, stored something, is nobody's, and was not looked at since, or for a week."""
    row_ = ImportRow
    week_after = row_.ended_at + AGAIN
    due = or_(row_.reconciled_at.is_(None), and_(row_.reconciled_at < week_after, week_after <= now))
    free = or_(row_.claimed_until.is_(None), row_.claimed_until < now)
    query = select(row_).where(row_.ended_at.is_not(None), row_.done > 0, due, free).order_by(row_.ended_at).limit(1)
    row = (await session.scalars(query.with_for_update(skip_locked=True))).one_or_none()
    if row is None:
        return None
    row.claim, row.claimed_until = by, until
    await session.flush()
    return _import(row)


async def taken_in(session: AsyncSession, centre: CentreName, start: datetime, end: datetime) -> list[Import]:
    """Those of which something is stored that may have ended in [start, end), in the order in which they came."""
    row = ImportRow
    is_in_span = or_(row.earliest.is_(None), and_(row.earliest < end, row.latest >= start))
    query = select(row).where(row.centre == centre, row.done > 0, is_in_span)
    return [_import(one) for one in (await session.scalars(query.order_by(row.created_at, row.id))).all()]


async def change(session: AsyncSession, id_: ImportId, by: UUID, **values: object) -> bool:
    """False where another has claimed it meanwhile: then nothing of the transaction may stay."""
    changing = update(ImportRow).where(ImportRow.id == id_, ImportRow.claim == by).values(**values)
    done = await session.execute(changing.returning(ImportRow.id).execution_options(synchronize_session=False))
    return done.scalar_one_or_none() is not None


async def add_crash(session: AsyncSession, id_: ImportId, by: UUID) -> int:
    """How many there are now since the last batch; 0 where another has claimed it meanwhile."""
    of = (ImportRow.id == id_, ImportRow.claim == by)
    adding = update(ImportRow).where(*of).values(crashes=ImportRow.crashes + 1).returning(ImportRow.crashes)
    done = await session.execute(adding.execution_options(synchronize_session=False))
    return done.scalar_one_or_none() or 0


async def add_faults(session: AsyncSession, id_: ImportId, faults: Sequence[Unreadable]) -> None:
    if faults:
        rows = unnested(
            FAULT,
            [(id_, one.line, one.en, one.zh, one.text.replace("\0", "\N{REPLACEMENT CHARACTER}")) for one in faults],
        )
        adding = insert(FaultRow).from_select([one.key for one in FAULT], select(*rows.c))
        await session.execute(adding.on_conflict_do_nothing())  # checked again after its worker was killed


async def faults(session: AsyncSession, id_: ImportId, *, after: int, limit: int) -> list[Fault]:
    query = select(FaultRow).where(FaultRow.import_id == id_, FaultRow.line > after).order_by(FaultRow.line)
    rows = (await session.scalars(query.limit(limit))).all()
    return [Fault(row.line, row.reason_en, row.reason_zh, row.text) for row in rows]


def _import(row: ImportRow) -> Import:
    counts: Mapping[str, int] = {name: getattr(row, name) for name in COUNTS}
    return Import(
        id=ImportId(row.id),
        sha256=BlobId(row.sha256),
        name=row.name,
        centre=CentreName(row.centre),
        format=row.format,
        person=row.person,
        by=By(row.by),
        owners={name: ProjectId(UUID(project)) for name, project in row.owners.items()},
        accept_faults=row.accept_faults,
        leave_out=row.leave_out,
        state=ImportState(row.state),
        **counts,
        left_out=row.left_out,
        unmapped={name: Unmapped(records, seconds) for name, (records, seconds) in row.unmapped.items()},
        reason_en=row.reason_en,
        reason_zh=row.reason_zh,
        created_at=row.created_at,
        ended_at=row.ended_at,
        earliest=row.earliest,
        latest=row.latest,
    )
