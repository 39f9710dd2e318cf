"""What of an accepted job's time is paid for otherwise than by its hold, or was used before."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.free_until import ends_of
from paracloud.jobs.tables import AnyRow
from paracloud.kit.identifiers import DedicationId, JobId, ProjectId
from paracloud.metering.listing import seconds_before


@dataclass(frozen=True, slots=True)
class Past:
    """`earlier_seconds`: of runs before the present one that the hold paid for. `free_until`: of a job on dedicated
    nodes, until when it costs nothing; None: no end is in sight."""

    earlier_seconds: int = 0
    free_until: datetime | None = None


async def pasts_of(session: AsyncSession, rows: Collection[AnyRow], now: datetime) -> dict[JobId, Past]:
    """Earlier runs are asked for only of what was charged for while it is still there: requeued, or an array."""
    ours = [row for row in rows if row.dedication_id is not None]
    others = [str(row.id) for row in rows if row.dedication_id is None and row.charged_micro]
    before = await seconds_before(session, others)
    pasts = {JobId(row.id): Past(before.get(str(row.id), 0)) for row in rows if row.dedication_id is None}
    if not ours:
        return pasts
    ends = await ends_of(session, {ProjectId(row.project_id) for row in ours}, now)
    for row in ours:
        end, earlier = ends.free_until(DedicationId(row.dedication_id), row.nodes), 0
        if end is not None and row.charged_micro:
            earlier = (await seconds_before(session, [str(row.id)], after=end)).get(str(row.id), 0)
        pasts[JobId(row.id)] = Past(earlier, end)
    return pasts
