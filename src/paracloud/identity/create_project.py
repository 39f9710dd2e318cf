"""Open a project in an organisation: what pays, and what has a Unix account at each centre."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import store
from paracloud.identity.names import title
from paracloud.identity.product_line import ProductLine
from paracloud.identity.tables import ProjectRow
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.identifiers import OrganisationId, ProjectId, new_uuid


async def create_project(
    session: AsyncSession,
    organisation: OrganisationId,
    name: str,
    *,
    product_line: ProductLine = ProductLine.GENERAL,
    now: datetime,
) -> ProjectId:
    """NotFound without the organisation; Conflict where it has a project of that name."""
    if not await store.organisation_exists(session, organisation):
        raise NotFound("There is no such organisation.", "组织不存在。", field="organisation")
    row = ProjectRow(
        id=new_uuid(), organisation_id=organisation, name=title(name, "name"), product_line=product_line.value,
        created_at=now,
    )  # fmt: skip
    if not await store.add(session, row):
        raise Conflict(
            f"The organisation has a project named {row.name} already.",
            f"该组织已有名为 {row.name} 的课题组。",
            field="name",
        )
    return ProjectId(row.id)
