"""Leases on centres, as rows: who holds one, with what fence, until when on the database's clock.

Never an advisory lock: after a fail-over two servers can both believe to have granted it. See guides/leases.md.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.tables import LeaseRow
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Fenced
from paracloud.kit.identifiers import CentreName, WorkerId
from paracloud.kit.lease import Lease


class PostgresLeases:
    """`margin` is what a holder stops before the lease ends: it covers a write under way and clocks that drift."""

    def __init__(
        self, database: Database, holder: WorkerId, clock: Clock, *, ttl: timedelta, margin: timedelta
    ) -> None:
        if margin >= ttl:
            raise ValueError("the margin must be shorter than the lease")
        self._database, self._holder, self._clock = database, holder, clock
        self._ttl, self._margin = ttl, margin

    async def claim(self, centre: CentreName) -> Lease | None:
        asked_at = self._clock.monotonic()
        now = func.clock_timestamp()
        fresh = insert(LeaseRow).values(centre=centre, holder=self._holder, fence=1, expires_at=now + self._ttl)
        statement = fresh.on_conflict_do_update(
            index_elements=["centre"],
            set_={"holder": self._holder, "fence": LeaseRow.fence + 1, "expires_at": now + self._ttl},
            where=LeaseRow.expires_at <= now,
        ).returning(LeaseRow.fence)
        async with self._database.begin() as session:
            fence = (await session.execute(statement)).scalar_one_or_none()
        return None if fence is None else self._lease(centre, fence, asked_at)

    async def renew(self, lease: Lease) -> Lease:
        """Fenced where another has claimed it; a lease that expired but was not taken goes on."""
        asked_at = self._clock.monotonic()
        statement = (
            update(LeaseRow)
            .where(LeaseRow.centre == lease.name, LeaseRow.fence == lease.fence, LeaseRow.holder == lease.holder)
            .values(expires_at=func.clock_timestamp() + self._ttl)
            .returning(LeaseRow.fence)
        )
        async with self._database.begin() as session:
            if (await session.execute(statement)).scalar_one_or_none() is None:
                raise fenced(lease)
        return self._lease(CentreName(lease.name), lease.fence, asked_at)

    async def release(self, lease: Lease) -> None:
        """Let the next worker take it at once; nothing happens where another holds it."""
        statement = (
            update(LeaseRow)
            .where(LeaseRow.centre == lease.name, LeaseRow.fence == lease.fence, LeaseRow.holder == lease.holder)
            .values(expires_at=text("'-infinity'"))
        )
        async with self._database.begin() as session:
            await session.execute(statement)

    def _lease(self, centre: CentreName, fence: int, asked_at: float) -> Lease:
        return Lease(centre, self._holder, fence, asked_at + (self._ttl - self._margin).total_seconds())


async def check(session: AsyncSession, lease: Lease) -> None:
    """Inside the caller's transaction: raises Fenced where another has moved on, and holds off any claim until the
    transaction ends, so that what is written here is written under this fence."""
    query = (
        select(LeaseRow.fence)
        .where(LeaseRow.centre == lease.name, LeaseRow.fence == lease.fence, LeaseRow.holder == lease.holder)
        .with_for_update(read=True)
    )
    if (await session.execute(query)).scalar_one_or_none() is None:
        raise fenced(lease)


@asynccontextmanager
async def under(database: Database, lease: Lease) -> AsyncIterator[AsyncSession]:
    """A transaction under this fence."""
    async with database.begin() as session:
        await check(session, lease)
        yield session


def fenced(lease: Lease) -> Fenced:
    return Fenced(
        f"The lease on {lease.name} with fence {lease.fence} is over; another worker holds it.",
        f"{lease.name} 的租约（{lease.fence}）已失效，由其他进程持有。",
    )
