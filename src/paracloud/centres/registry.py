"""What other rooms ask about centres: which there are, what was last seen of them, whose each lent account is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres import store, store_provisions
from paracloud.centres.centre import Centre, Health, Owner, Provision, SeenQueue
from paracloud.dialects.records import QueueInfo
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.identifiers import CentreName, UnixAccount


async def all_centres(session: AsyncSession) -> Sequence[Centre]:
    """By name, those that are not enabled too."""
    return await store.centres(session)


async def get_centre(session: AsyncSession, name: CentreName) -> Centre:
    found = await store.centre(session, name)
    if found is None:
        raise NotFound(
            f"There is no centre {name[:40]!a}; `centres` lists them.",
            f"没有名为 {name[:40]!a} 的超算中心；可用 centres 查看。",
        )
    return found


async def reached_centre(session: AsyncSession, name: CentreName) -> Centre:
    """Conflict where only its history is kept: nobody can ask it anything."""
    found = await get_centre(session, name)
    if not found.is_reached:
        raise Conflict(
            f"{name} is not connected, only its history is kept: nothing can be asked of it. `admin connect` connects "
            "it.",
            f"{name} 未接入，仅保存其历史数据，无法查询；可用 admin connect 接入。",
            field="centre",
        )
    return found


async def connected_at(session: AsyncSession, name: CentreName) -> datetime:
    """When the centre was connected: what ended before is history."""
    return (await store.connected(session))[name]


async def connected_on(session: AsyncSession, name: CentreName) -> date:
    """The day (UTC) on which the centre was connected."""
    return (await connected_at(session, name)).astimezone(UTC).date()


async def connected(session: AsyncSession) -> Mapping[CentreName, date]:
    """The days on which those that are reached were connected."""
    return {name: at.astimezone(UTC).date() for name, at in (await store.connected(session)).items()}


async def seen_queues(session: AsyncSession) -> Sequence[SeenQueue]:
    """The newest picture of every queue, by centre and name."""
    return await store.seen_queues(session)


async def healths(session: AsyncSession) -> Mapping[CentreName, Health]:
    """A centre that no round has reached yet is absent."""
    return await store.healths(session)


async def provisions(session: AsyncSession) -> Mapping[CentreName, Provision]:
    """A centre of which the operator said nothing is absent."""
    return await store_provisions.provisions(session)


async def owners(session: AsyncSession, centre: CentreName) -> Mapping[UnixAccount, Owner]:
    """Lent accounts that a project has; what ran under one before is nobody's."""
    return await store.owners(session, centre)


async def keep_health(session: AsyncSession, centre: CentreName, health: Health) -> None:
    await store.keep_health(session, centre, health)


async def keep_queues(session: AsyncSession, centre: CentreName, queues: Sequence[QueueInfo], at: datetime) -> None:
    """The new picture of a centre's queues replaces the old one whole."""
    await store.keep_queues(session, centre, queues, at)
