"""Every query of this room, but for the leases."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.centre import Centre, Health, Lending, Owner, SeenQueue, Way
from paracloud.centres.tables import AccountRow, CentreRow, HealthRow, QueueRow
from paracloud.dialects.records import QueueInfo
from paracloud.kit.identifiers import CentreName, ProjectId, UnixAccount

SAME_IN_BOTH = (
    "is_up", "is_default", "nodes", "cores", "free_cores", "free_nodes", "cores_per_node", "memory_per_node_bytes",
    "gpus_per_node", "gpu_model", "free_gpus", "max_nodes", "threads_per_core", "gives_whole_nodes",
    "gives_each_task_cores", "max_memory_per_core_bytes", "default_memory_per_core_bytes",
    "default_memory_per_node_bytes",
)  # fmt: skip
"""Fields that QueueInfo and the table share by name and unit."""
DESCRIBED = (
    "title_en", "title_zh", "host", "port", "host_key", "dialect", "service_account", "commands_per_minute", "region",
    "is_enabled",
)  # fmt: skip
HEALTH = (
    "checked_at", "failures", "failing_since", "error_en", "error_zh", "good_rounds", "good_since", "sick_since",
    "recovered_at", "relapses",
)  # fmt: skip
ACCOUNT_OF = select(AccountRow.account).where(
    AccountRow.centre == bindparam("of"), AccountRow.project_id == bindparam("for_project")
)
"""Made once: every submission asks it."""


async def add_centre(session: AsyncSession, centre: Centre, now: datetime) -> bool:
    """False where a centre of that name exists."""
    values = {"name": centre.name, **_described(centre, now)}
    statement = insert(CentreRow).values(**values).on_conflict_do_nothing().returning(CentreRow.name)
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def reach_centre(session: AsyncSession, centre: Centre, now: datetime) -> bool:
    """False where no centre of that name waits to be reached."""
    of = (CentreRow.name == centre.name, CentreRow.host == "")
    statement = update(CentreRow).where(*of).values(**_described(centre, now)).returning(CentreRow.name)
    return (await session.execute(statement)).scalar_one_or_none() is not None


def _described(centre: Centre, now: datetime) -> dict[str, object]:
    return {
        **{name: getattr(centre, name) for name in DESCRIBED},
        "patience_seconds": int(centre.patience.total_seconds()),
        "overrun_seconds": int(centre.overrun.total_seconds()),
        "connected_at": now,
    }


async def centres(session: AsyncSession) -> list[Centre]:
    rows = (await session.execute(select(CentreRow).order_by(CentreRow.name))).scalars()
    return [_centre(row) for row in rows]


async def connected(session: AsyncSession) -> dict[CentreName, datetime]:
    """Those that are reached."""
    query = select(CentreRow.name, CentreRow.connected_at).where(CentreRow.host != "")
    rows = (await session.execute(query)).all()
    return {CentreName(row.name): row.connected_at for row in rows}


async def centre(session: AsyncSession, name: CentreName) -> Centre | None:
    row = (await session.execute(select(CentreRow).where(CentreRow.name == name))).scalar_one_or_none()
    return None if row is None else _centre(row)


async def set_enabled(session: AsyncSession, name: CentreName, *, is_enabled: bool) -> None:
    await session.execute(update(CentreRow).where(CentreRow.name == name).values(is_enabled=is_enabled))


async def lend(session: AsyncSession, name: CentreName, accounts: Sequence[UnixAccount]) -> None:
    rows = [{"centre": name, "account": account} for account in accounts]
    if rows:
        await session.execute(insert(AccountRow).on_conflict_do_nothing(), rows)


async def lent_accounts(session: AsyncSession, name: CentreName) -> list[UnixAccount]:
    found = await session.scalars(select(AccountRow.account).where(AccountRow.centre == name))
    return [UnixAccount(account) for account in found.all()]


async def account_of(session: AsyncSession, name: CentreName, project: ProjectId) -> UnixAccount | None:
    found = (await session.execute(ACCOUNT_OF, {"of": name, "for_project": project})).scalar_one_or_none()
    return None if found is None else UnixAccount(found)


async def lock_assignment(session: AsyncSession, name: CentreName, project: ProjectId) -> None:
    """One transaction at a time assigns this project's account there: two at once would take two."""
    key = func.hashtextextended(f"{name}/{project}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def take_free_account(
    session: AsyncSession, name: CentreName, project: ProjectId, now: datetime
) -> UnixAccount | None:
    """None where the pool is used up. Two projects never take the same account: the row is locked."""
    free = (
        select(AccountRow.account)
        .where(AccountRow.centre == name, AccountRow.project_id.is_(None))
        .order_by(AccountRow.account)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(AccountRow)
        .where(AccountRow.centre == name, AccountRow.account == free)
        .values(project_id=project, assigned_at=now)
        .returning(AccountRow.account)
    )
    found = (await session.execute(statement)).scalar_one_or_none()
    return None if found is None else UnixAccount(found)


async def lent_there(session: AsyncSession, way: Way, accounts: Sequence[UnixAccount]) -> list[Lending]:
    """Which of these accounts centres at this machine lend already: by its address, or by its host key."""
    is_there = (CentreRow.host == way.host) & (CentreRow.port == way.port)
    if way.key:
        is_there |= func.split_part(CentreRow.host_key, " ", 2) == way.key
    query = (
        select(AccountRow.centre, AccountRow.account, AccountRow.project_id)
        .join(CentreRow, CentreRow.name == AccountRow.centre)
        .where(is_there, AccountRow.account.in_(accounts))
        .order_by(AccountRow.account, AccountRow.centre)
    )
    rows = (await session.execute(query)).all()
    return [Lending(CentreName(row.centre), UnixAccount(row.account), row.project_id is not None) for row in rows]


async def lock_lending(session: AsyncSession) -> None:
    """One transaction at a time lends accounts: two at once would not see what the other lends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("lending", 0))))


async def owners(session: AsyncSession, name: CentreName) -> dict[UnixAccount, Owner]:
    query = select(AccountRow.account, AccountRow.project_id, AccountRow.assigned_at).where(
        AccountRow.centre == name, AccountRow.project_id.is_not(None)
    )
    return {
        UnixAccount(account): Owner(ProjectId(project), since)
        for account, project, since in (await session.execute(query)).all()
        if project is not None and since is not None
    }


async def keep_queues(session: AsyncSession, name: CentreName, queues: Sequence[QueueInfo], now: datetime) -> None:
    """The new picture replaces the old one whole: a queue that is gone is gone."""
    await session.execute(delete(QueueRow).where(QueueRow.centre == name))
    rows = [
        {
            "centre": name,
            "queue": queue.name,
            "max_wall_seconds": None if queue.max_wall is None else int(queue.max_wall.total_seconds()),
            "seen_at": now,
            **{field: getattr(queue, field) for field in SAME_IN_BOTH},
        }
        for queue in queues
    ]
    if rows:
        await session.execute(insert(QueueRow), rows)


async def seen_queues(session: AsyncSession) -> list[SeenQueue]:
    rows = (await session.execute(select(QueueRow).order_by(QueueRow.centre, QueueRow.queue))).scalars()
    return [_seen(row) for row in rows]


async def keep_health(session: AsyncSession, name: CentreName, health: Health) -> None:
    values = {name: getattr(health, name) for name in HEALTH}
    statement = insert(HealthRow).values(centre=name, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["centre"], set_=values))


async def healths(session: AsyncSession) -> dict[CentreName, Health]:
    rows = (await session.execute(select(HealthRow))).scalars()
    return {CentreName(row.centre): Health(**{name: getattr(row, name) for name in HEALTH}) for row in rows}


def _centre(row: CentreRow) -> Centre:
    return Centre(
        name=CentreName(row.name),
        title_en=row.title_en,
        title_zh=row.title_zh,
        host=row.host,
        port=row.port,
        host_key=row.host_key,
        dialect=row.dialect,
        service_account=UnixAccount(row.service_account),
        commands_per_minute=row.commands_per_minute,
        patience=timedelta(seconds=row.patience_seconds),
        overrun=timedelta(seconds=row.overrun_seconds),
        region=row.region,
        is_enabled=row.is_enabled,
    )


def _seen(row: QueueRow) -> SeenQueue:
    wall = None if row.max_wall_seconds is None else timedelta(seconds=row.max_wall_seconds)
    same = {field: getattr(row, field) for field in SAME_IN_BOTH}
    return SeenQueue(CentreName(row.centre), QueueInfo(name=row.queue, max_wall=wall, **same), row.seen_at)
