"""Every query of this room."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Row,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.dialects.resources import frozen
from paracloud.kit.bulk import COPIED_FROM, put_in, unnested
from paracloud.kit.identifiers import CentreName, NativeId, ProjectId, UnixAccount, UsageId
from paracloud.metering.tables import RevisionRow, StrangerRow, UsageRow
from paracloud.metering.usage import MEASURED, Usage, UsageKey, figures_of

EVIDENCE_CHARACTERS = 2000
STRANGERS_A_CENTRE = 1000

KEY = (UsageRow.centre, UsageRow.record_id, UsageRow.submitted_at, UsageRow.restart_count)
CLAIMED = (
    UsageRow.revision, UsageRow.project_id, UsageRow.account, UsageRow.reference, UsageRow.is_duplicate,
    UsageRow.native_id, UsageRow.task_index, UsageRow.name,
)  # fmt: skip
FIGURES = tuple(getattr(UsageRow, field) for field in MEASURED)
COLUMNS = (UsageRow.id, *KEY, *CLAIMED, *FIGURES)
REVISION = (
    RevisionRow.usage_id, RevisionRow.revision, RevisionRow.measured, RevisionRow.raw, RevisionRow.collected_at,
)  # fmt: skip
STRANGER = (StrangerRow.centre, StrangerRow.account, StrangerRow.records, StrangerRow.raw, StrangerRow.seen_at)


async def known(session: AsyncSession, keys: Sequence[UsageKey], *, lock: bool = False) -> dict[UsageKey, Usage]:
    """Those of the keys that are there; `lock` keeps others from correcting them until the transaction ends, and lets
    them charge or reverse what there is: they may hold a wallet that this transaction waits for next."""
    if not keys:
        return {}
    wanted = unnested(KEY, keys)
    query = select(*COLUMNS).join(wanted, and_(*(one == wanted.c[one.key] for one in KEY)))
    if lock:
        query = query.order_by(UsageRow.id).with_for_update(of=UsageRow, key_share=True)
    return {usage.key: usage for usage in await _usages(session, query)}


async def add(session: AsyncSession, usages: Sequence[Usage]) -> set[UsageId]:
    """The ids that were really added: a key that another has added meanwhile is left out."""
    if not usages:
        return set()
    values = [_values(usage) for usage in usages]
    if len(values) >= COPIED_FROM:
        with suppress(IntegrityError):
            async with session.begin_nested():
                await put_in(session, COLUMNS, values)
            return {usage.id for usage in usages}
    rows = unnested(COLUMNS, values)
    statement = insert(UsageRow).from_select([one.key for one in COLUMNS], select(*rows.c))
    added = await session.execute(statement.on_conflict_do_nothing().returning(UsageRow.id))
    return {UsageId(id_) for id_ in added.scalars()}


async def correct(session: AsyncSession, usages: Sequence[Usage]) -> None:
    if usages:
        new = unnested(COLUMNS, [_values(usage) for usage in usages])
        changed = {one.key: new.c[one.key] for one in (UsageRow.revision, *FIGURES)}
        statement = update(UsageRow).values(changed).where(UsageRow.id == new.c.id)
        await session.execute(statement.execution_options(synchronize_session=False))


async def keep_revisions(session: AsyncSession, pairs: Sequence[tuple[Usage, AccountingRecord]], now: datetime) -> None:
    if pairs:
        values = [(one.id, one.revision, _plain(one), record.raw[:EVIDENCE_CHARACTERS], now) for one, record in pairs]
        await put_in(session, REVISION, values)


async def lock(session: AsyncSession, usage: UsageId) -> Usage | None:
    """As in `known`."""
    query = select(*COLUMNS).where(UsageRow.id == usage).with_for_update(of=UsageRow, key_share=True)
    return next(iter(await _usages(session, query)), None)


async def keep_again(session: AsyncSession, usage: Usage, now: datetime) -> None:
    """The evidence of the revision before is that of this one."""
    same = (RevisionRow.usage_id, literal(usage.revision), RevisionRow.measured, RevisionRow.raw, literal(now))
    query = select(*same).where(RevisionRow.usage_id == usage.id, RevisionRow.revision == usage.revision - 1)
    await session.execute(insert(RevisionRow).from_select([one.key for one in REVISION], query))


async def measured_at(
    session: AsyncSession, revisions: Sequence[tuple[UsageId, int]]
) -> dict[tuple[UsageId, int], Mapping[str, object]]:
    """What was measured in these revisions, by the names of MEASURED."""
    wanted = unnested(REVISION[:2], revisions)
    same = (RevisionRow.usage_id == wanted.c.usage_id) & (RevisionRow.revision == wanted.c.revision)
    query = select(RevisionRow.usage_id, RevisionRow.revision, RevisionRow.measured).join(wanted, same)
    rows = (await session.execute(query)).all()
    return {(UsageId(usage), revision): _as_measured(figures) for usage, revision, figures in rows}


async def keep_strangers(
    session: AsyncSession, centre: CentreName, records: Sequence[AccountingRecord], now: datetime
) -> None:
    """One row an account, at most STRANGERS_A_CENTRE: a hostile centre fills no disk."""
    if not records:
        return
    counts = Counter(record.account for record in records)
    newest = {record.account: record for record in records}
    have = set(await session.scalars(select(StrangerRow.account).where(StrangerRow.centre == centre)))
    room = max(STRANGERS_A_CENTRE - len(have), 0)
    kept = sorted([*(newest.keys() & have), *sorted(newest.keys() - have)[:room]])
    rows = unnested(STRANGER, [(centre, one, counts[one], newest[one].raw[:EVIDENCE_CHARACTERS], now) for one in kept])
    statement = insert(StrangerRow).from_select([one.key for one in STRANGER], select(*rows.c))
    fresh = statement.excluded
    newer = {"records": StrangerRow.records + fresh.records, "raw": fresh.raw, "seen_at": fresh.seen_at}
    await session.execute(statement.on_conflict_do_update(index_elements=["centre", "account"], set_=newer))


async def of_reference(session: AsyncSession, projects: Sequence[ProjectId], reference: str) -> list[Usage]:
    query = select(*COLUMNS).where(UsageRow.project_id.in_(projects), UsageRow.reference == reference)
    return await _usages(session, query.order_by(UsageRow.id))


async def has_run(session: AsyncSession, project: ProjectId, centre: CentreName, queue: str, since: datetime) -> bool:
    query = select(UsageRow.id).where(
        UsageRow.project_id == project, UsageRow.centre == centre, UsageRow.queue == queue, UsageRow.ended_at > since
    )
    return (await session.execute(query.limit(1))).first() is not None


async def duplicates(session: AsyncSession, centre: CentreName, names: Collection[str]) -> list[tuple[str, NativeId]]:
    query = select(UsageRow.name, UsageRow.native_id).where(
        UsageRow.centre == centre, UsageRow.name.in_(names), UsageRow.is_duplicate
    )
    return [(name, NativeId(native_id)) for name, native_id in await session.execute(query.distinct())]


async def of_projects(
    session: AsyncSession, projects: Sequence[ProjectId], *, before: UsageId | None, limit: int
) -> list[Usage]:
    query = select(*COLUMNS).where(UsageRow.project_id.in_(projects)).order_by(UsageRow.id.desc()).limit(limit)
    return await _usages(session, query if before is None else query.where(UsageRow.id < before))


async def of_ids(session: AsyncSession, ids: Sequence[UsageId]) -> list[Usage]:
    return await _usages(session, select(*COLUMNS).where(UsageRow.id.in_(ids)).order_by(UsageRow.id))


async def of_records(session: AsyncSession, centre: CentreName, records: Sequence[NativeId]) -> list[Usage]:
    wanted = any_(bindparam("records", list(records), type_=ARRAY(Text)))
    return await _usages(session, select(*COLUMNS).where(UsageRow.centre == centre, UsageRow.record_id == wanted))


async def ended_between(session: AsyncSession, centre: CentreName, start: datetime, end: datetime) -> list[Usage]:
    query = select(*COLUMNS).where(UsageRow.centre == centre, UsageRow.ended_at >= start, UsageRow.ended_at < end)
    return await _usages(session, query.order_by(UsageRow.id))


async def totals(session: AsyncSession, start: datetime, end: datetime) -> Sequence[Row[*tuple[Any, ...]]]:
    """centre, day (UTC), usages, core_seconds, gpu_seconds of what ended in [start, end)."""
    day = func.date_trunc("day", UsageRow.ended_at, "UTC")
    query = (
        select(
            UsageRow.centre, day.label("day"), func.count().label("usages"),
            func.sum(UsageRow.cores * UsageRow.elapsed_seconds).label("core_seconds"),
            func.sum(UsageRow.gpus * UsageRow.elapsed_seconds).label("gpu_seconds"),
        )
        .where(UsageRow.ended_at >= start, UsageRow.ended_at < end)
        .group_by(UsageRow.centre, day)
        .order_by(UsageRow.centre, day)
    )  # fmt: skip
    return (await session.execute(query)).all()


async def _usages(session: AsyncSession, query: Select[Any]) -> list[Usage]:
    return [_usage(row) for row in (await session.execute(query)).all()]


def _usage(row: Row[Any]) -> Usage:
    figures: dict[str, Any] = dict(zip(MEASURED, row[len(COLUMNS) - len(MEASURED) :], strict=True))
    figures |= {"phase": NativePhase(row.phase), "resources": frozen(row.resources), "unsaid": frozenset(row.unsaid)}
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
        **figures,
    )


def _values(usage: Usage) -> tuple[object, ...]:
    """In the order of COLUMNS, as the driver writes them."""
    *figures, resources, unsaid = figures_of(usage)
    return (
        usage.id, *usage.key,
        usage.revision, usage.project, usage.account, usage.reference, usage.is_duplicate,
        usage.native_id, usage.task_index, usage.name,
        *figures, dict(resources), sorted(unsaid),
    )  # fmt: skip


def _plain(usage: Usage) -> dict[str, object]:
    """What JSON can hold."""
    plain = dict(zip(MEASURED, figures_of(usage), strict=True))
    plain["started_at"] = None if usage.started_at is None else usage.started_at.isoformat()
    plain["ended_at"] = usage.ended_at.isoformat()
    plain["resources"], plain["unsaid"] = dict(usage.resources), sorted(usage.unsaid)
    return plain


def _as_measured(figures: Mapping[str, object]) -> Mapping[str, object]:
    """As the usage has them; what was not kept then is absent."""
    unsaid = figures.get("unsaid")
    return {**figures, "unsaid": frozenset(unsaid)} if isinstance(unsaid, list) else figures
