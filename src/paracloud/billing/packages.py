"""The packages and credits that projects have."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_paying
from paracloud.billing.cover import Package
from paracloud.kit.identifiers import ProjectId


async def packages_of(session: AsyncSession, projects: Collection[ProjectId]) -> list[Package]:
    """Closed ones too; earliest expiry first."""
    return await store_paying.packages_of(session, projects)
