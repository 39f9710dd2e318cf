"""Every query on where the data of projects may be."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity.tables import ProjectRow, ResidencyRow
from paracloud.kit.identifiers import ProjectId


async def is_project(session: AsyncSession, project: ProjectId) -> bool:
    query = select(ProjectRow.id).where(ProjectRow.id == project)
    return (await session.execute(query)).scalar_one_or_none() is not None


async def put(
    session: AsyncSession, project: ProjectId, regions: Collection[str] | None, now: datetime, person: str
) -> None:
    values = {
        "regions": None if regions is None else sorted(regions),
        "changed_at": now,
        "changed_by": person,
    }
    putting = insert(ResidencyRow).values(project_id=project, **values)
    await session.execute(putting.on_conflict_do_update(index_elements=["project_id"], set_=values))


async def restricted(session: AsyncSession) -> dict[ProjectId, frozenset[str]]:
    query = select(ResidencyRow.project_id, ResidencyRow.regions).where(ResidencyRow.regions.is_not(None))
    return {ProjectId(project): frozenset(regions or ()) for project, regions in (await session.execute(query)).all()}
