"""What projects and organisations are told of their money, and the operator of all."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_notices
from paracloud.billing.notice import Notice
from paracloud.identity.overview import organisations_of
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import ProjectId, UserId

PAGE_MOST = 200


async def tell(session: AsyncSession, notices: Sequence[Notice]) -> None:
    """The caller sees to it that each is told once."""
    await store_notices.add(session, notices)


async def notices_of(
    session: AsyncSession, project: ProjectId, *, after: int = 0, limit: int = 50, user: UserId | None = None
) -> list[tuple[int, Notice]]:
    """The project's and its organisation's, by number, with numbers above `after`. `user`: leave out what is about the
    budgets of other users; None: leave out nothing. Invalid for a limit outside 1 to PAGE_MOST."""
    _check(limit)
    organisation = (await organisations_of(session, [project])).get(project)
    return await store_notices.page(session, project, organisation, after=after, limit=limit, user=user)


async def operators_notices(session: AsyncSession, *, after: int = 0, limit: int = 50) -> list[tuple[int, Notice]]:
    _check(limit)
    return await store_notices.operators_page(session, after=after, limit=limit)


def _check(limit: int) -> None:
    if not 1 <= limit <= PAGE_MOST:
        raise Invalid(f"limit must be 1 to {PAGE_MOST}.", f"limit 必须是 1 到 {PAGE_MOST}。", field="limit")
