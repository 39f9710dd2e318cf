"""Where the data of a project may be: in any region, or in those alone that the operator names for it."""

from collections.abc import Collection, Mapping
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import store_residency
from paracloud.kit.errors import Invalid, NotFound
from paracloud.kit.identifiers import ProjectId

REGIONS_MOST, REGION_MOST = 100, 100
log = structlog.get_logger()


async def restrict_residency(
    session: AsyncSession, project: ProjectId, regions: Collection[str] | None, *, person: str, now: datetime
) -> None:
    """None: anywhere. NotFound without the project, Invalid for what is no region's name. It holds for what is quoted
    and submitted from now on; what is at a centre already stays there."""
    check_regions("regions", regions or ())
    if not await store_residency.is_project(session, project):
        raise NotFound("There is no such project.", "课题组不存在。", field="project")
    await store_residency.put(session, project, regions, now, person)
    log.info("project.residency", project=str(project), regions=regions and sorted(regions), person=person)


async def residencies(session: AsyncSession) -> Mapping[ProjectId, frozenset[str]]:
    """Of all projects whose data may not be anywhere."""
    return await store_residency.restricted(session)


def check_regions(field: str, regions: Collection[str]) -> None:
    """A region is named as its centres name it."""
    is_well = all(0 < len(one) <= REGION_MOST and one.isprintable() and one == one.strip() for one in regions)
    if not is_well or len(regions) > REGIONS_MOST:
        raise Invalid(
            f"{field}: up to {REGIONS_MOST} names of regions as `centres` shows them, each of 1 to {REGION_MOST} "
            "printable characters.",
            f"{field}：最多 {REGIONS_MOST} 个区域名称，与 centres 所示一致，每个 1 到 {REGION_MOST} 个可见字符。",
            field=field,
        )
