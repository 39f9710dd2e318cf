"""Open an organisation: the customer whom statements are addressed to."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import store
from paracloud.identity.caller import Category
from paracloud.identity.names import title
from paracloud.identity.tables import OrganisationRow
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import OrganisationId, new_uuid


async def create_organisation(session: AsyncSession, name: str, category: Category, *, now: datetime) -> OrganisationId:
    """Conflict where the name is taken."""
    row = OrganisationRow(id=new_uuid(), name=title(name, "name"), category=category.value, created_at=now)
    if not await store.add(session, row):
        raise Conflict(
            f"There is an organisation named {row.name} already.", f"已存在名为 {row.name} 的组织。", field="name"
        )
    return OrganisationId(row.id)
