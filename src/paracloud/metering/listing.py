"""Usage to look at: of a job, of projects page by page, and sums by centre and day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import CentreName, NativeId, ProjectId, UsageId
from paracloud.metering import store, store_requeued
from paracloud.metering.usage import Usage, UsageKey

PAGE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What ended at a centre on a day (UTC)."""

    centre: CentreName
    day: date
    usages: int
    core_seconds: int
    gpu_seconds: int


async def usage_of_job(session: AsyncSession, projects: Sequence[ProjectId], reference: str) -> list[Usage]:
    """One for each execution of each task, oldest first; empty for a job of another project."""
    return await store.of_reference(session, projects, reference)


async def duplicates(session: AsyncSession, centre: CentreName, names: Collection[str]) -> list[tuple[str, NativeId]]:
    """(name, native id) of the usage under these names that is at the platform's cost."""
    return await store.duplicates(session, centre, names) if names else []


async def seconds_before(
    session: AsyncSession, references: Collection[str], *, after: datetime | None = None
) -> dict[str, int]:
    """How long each of these jobs has run, `after` a moment where one is given, in executions after which the scheduler
    runs it again (of an array: the task that did so longest)."""
    return await store_requeued.brought_back(session, references, after) if references else {}


async def usage_page(
    session: AsyncSession, projects: Sequence[ProjectId], *, before: UsageId | None = None, limit: int = 50
) -> list[Usage]:
    """Newest first; `before` is the last id of the page that was seen."""
    return await store.of_projects(session, projects, before=before, limit=min(max(limit, 1), PAGE_LIMIT))


async def usage_by_id(session: AsyncSession, ids: Sequence[UsageId]) -> list[Usage]:
    """For the platform's own work, in no project's scope."""
    return await store.of_ids(session, ids)


async def lock_usage(session: AsyncSession, usage: UsageId) -> Usage:
    """Nobody corrects it until the transaction ends. NotFound where it is not there."""
    found = await store.lock(session, usage)
    if found is None:
        raise NotFound("There is no such usage.", "该用量不存在。", field="usage")
    return found


async def measured_at(
    session: AsyncSession, revisions: Sequence[tuple[UsageId, int]]
) -> dict[tuple[UsageId, int], Mapping[str, object]]:
    """What was measured in these revisions, by the names of `usage.MEASURED`."""
    return await store.measured_at(session, revisions) if revisions else {}


async def usage_ended(session: AsyncSession, centre: CentreName, start: datetime, end: datetime) -> list[Usage]:
    """What ended at a centre in [start, end), whoever's it is, in its newest figures."""
    return await store.ended_between(session, centre, start, end)


async def has_run(session: AsyncSession, project: ProjectId, centre: CentreName, queue: str, since: datetime) -> bool:
    """Whether anything of the project is known that ran in this queue after `since`."""
    return await store.has_run(session, project, centre, queue, since)


async def usage_by_key(session: AsyncSession, keys: Sequence[UsageKey]) -> dict[UsageKey, Usage]:
    """Those of the keys that were metered."""
    return await store.known(session, keys)


async def usage_by_record(session: AsyncSession, centre: CentreName, records: Sequence[NativeId]) -> list[Usage]:
    """All that was metered under these ids, whenever it was submitted: ids recycle."""
    return await store.of_records(session, centre, records)


async def day_totals(session: AsyncSession, start: datetime, end: datetime) -> list[DayTotal]:
    """All centres, what ended in [start, end), in the newest figures."""
    rows = await store.totals(session, start, end)
    return [
        DayTotal(CentreName(row.centre), row.day.date(), row.usages, int(row.core_seconds), int(row.gpu_seconds))
        for row in rows
    ]
