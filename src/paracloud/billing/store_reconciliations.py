"""Every query on what the looks at a centre's days found."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.look import Look
from paracloud.billing.mismatch import Cause, Mismatch
from paracloud.billing.tables_reconciliations import MismatchRow, ReconciliationRow
from paracloud.kit.identifiers import CentreName, ProjectId


async def add(session: AsyncSession, look: Look, mismatches: Sequence[Mismatch]) -> bool:
    """False, and nothing is written, where somebody else kept this attempt meanwhile."""
    of_look = {"centre": look.centre, "day": look.day, "attempt": look.attempt}
    names = ("records", "untold", "accounted_micro", "charged_micro", "settled_micro", "reason_en", "reason_zh")
    values = {**of_look, "looked_at": look.at, **{name: getattr(look, name) for name in names}}
    adding = upsert(ReconciliationRow).values(values).on_conflict_do_nothing().returning(ReconciliationRow.attempt)
    if (await session.execute(adding)).scalar_one_or_none() is None:
        return False
    if mismatches:
        rows = [{**of_look, "number": number, **_values(one)} for number, one in enumerate(mismatches, start=1)]
        await session.execute(insert(MismatchRow), rows)
    return True


async def newest(
    session: AsyncSession, centre: CentreName | None = None, *, start: date | None = None, end: date | None = None
) -> list[Look]:
    """The last look at each day, days in [start, end), by centre and day."""
    row = ReconciliationRow
    query = select(row).ext(distinct_on(row.centre, row.day)).order_by(row.centre, row.day, row.attempt.desc())
    if centre is not None:
        query = query.where(row.centre == centre)
    if start is not None:
        query = query.where(row.day >= start)
    if end is not None:
        query = query.where(row.day < end)
    rows = (await session.scalars(query)).all()
    sums = await _sums(session, [(one.centre, one.day, one.attempt) for one in rows])
    return [_look(one, *sums.get((one.centre, one.day, one.attempt), (0, 0))) for one in rows]


async def mismatches_of(session: AsyncSession, look: Look) -> list[Mismatch]:
    row = MismatchRow
    of = (row.centre == look.centre) & (row.day == look.day) & (row.attempt == look.attempt)
    rows = (await session.scalars(select(row).where(of).order_by(row.number))).all()
    return [
        Mismatch(Cause(one.cause), one.record_id, ProjectId(one.project_id), one.micro, one.text_en, one.text_zh)
        for one in rows
    ]


_Key = tuple[str, date, int]


async def _sums(session: AsyncSession, looks: Collection[_Key]) -> dict[_Key, tuple[int, int]]:
    row = MismatchRow
    key = tuple_(row.centre, row.day, row.attempt)
    counted = select(row.centre, row.day, row.attempt, func.count(), func.sum(func.abs(row.micro)))
    query = counted.where(key.in_(looks)).group_by(row.centre, row.day, row.attempt)
    rows = (await session.execute(query)).all()
    return {(centre, day, attempt): (count, int(off)) for centre, day, attempt, count, off in rows}


def _look(row: ReconciliationRow, differences: int, off_micro: int) -> Look:
    return Look(
        centre=CentreName(row.centre),
        day=row.day,
        attempt=row.attempt,
        at=row.looked_at,
        records=row.records,
        accounted_micro=row.accounted_micro,
        charged_micro=row.charged_micro,
        settled_micro=row.settled_micro,
        differences=differences,
        off_micro=off_micro,
        reason_en=row.reason_en,
        reason_zh=row.reason_zh,
    )


def _values(one: Mismatch) -> dict[str, object]:
    return {
        "cause": one.cause.value,
        "record_id": one.record_id,
        "project_id": one.project,
        "micro": one.micro,
        "text_en": one.en,
        "text_zh": one.zh,
    }
