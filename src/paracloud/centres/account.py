"""Which Unix account a project has at a centre."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres import store
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import CentreName, ProjectId, UnixAccount


async def account_for(session: AsyncSession, centre: CentreName, project: ProjectId, *, now: datetime) -> UnixAccount:
    """The project's own account, taken from the pool at the first need, and the same ever after. Conflict where the
    pool is used up."""
    found = await store.account_of(session, centre, project)
    if found is None:
        await store.lock_assignment(session, centre, project)
        found = await store.account_of(session, centre, project)
    if found is None:
        found = await store.take_free_account(session, centre, project, now)
    if found is None:
        raise Conflict(
            f"All accounts that {centre} lends are taken; choose another centre, or ask the operator for more.",
            f"{centre} 出借的账号已用完；请选择其他超算中心，或联系运营者增加账号。",
            field="centre",
        )
    return found
