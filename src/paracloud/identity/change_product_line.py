"""Move a project to another product line."""

from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import store
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import ProjectId

log = structlog.get_logger()


async def change_product_line(
    session: AsyncSession, project: ProjectId, line: ProductLine, *, person: str, now: datetime
) -> ProductLine:
    """The line that it had. What was submitted before `now` keeps that line's prices, and a job the price that it was
    accepted with. NotFound without the project; nothing changes where it has the line already."""
    had = await store.lock_product_line(session, project)
    if had is None:
        raise NotFound("There is no such project.", "课题组不存在。", field="project")
    was = ProductLine(had)
    if was is not line:
        await store.change_product_line(session, project, was.value, line.value, person, now)
        log.info("project.product_line", project=str(project), was=was.value, line=line.value, person=person)
    return was
