"""Until when what was accepted on dedicated nodes runs there for nothing."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.free_until import ends_of
from paracloud.jobs.tables import AnyRow
from paracloud.kit.identifiers import DedicationId, JobId, ProjectId


async def free_until(session: AsyncSession, rows: Collection[AnyRow], now: datetime) -> Mapping[JobId, datetime | None]:
    """Of those of the jobs that are on dedicated nodes; None: no end is in sight."""
    ours = [row for row in rows if row.dedication_id is not None]
    if not ours:
        return {}
    ends = await ends_of(session, {ProjectId(row.project_id) for row in ours}, now)
    return {JobId(row.id): ends.free_until(DedicationId(row.dedication_id), row.nodes) for row in ours}
