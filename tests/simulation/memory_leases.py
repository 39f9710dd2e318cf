"""Lease rows in memory, by the rules of the PostgreSQL ones."""

from collections.abc import Callable
from datetime import timedelta

from tests.simulation.line import Line
from tests.simulation.memory_store import MemoryStore
from tests.simulation.rows import LeaseRow

from paracloud.centres.leases import fenced
from paracloud.kit.clock import Clock
from paracloud.kit.identifiers import CentreName, WorkerId
from paracloud.kit.lease import Lease


class MemoryLeases:
    """`database_time` is the database's own clock, in seconds."""

    def __init__(
        self,
        store: MemoryStore,
        line: Line,
        holder: WorkerId,
        clock: Clock,
        database_time: Callable[[], float],
        *,
        ttl: timedelta,
        margin: timedelta,
    ) -> None:
        self._store, self._line, self._holder, self._clock = store, line, holder, clock
        self._database_time, self._ttl, self._margin = database_time, ttl.total_seconds(), margin.total_seconds()

    async def claim(self, centre: CentreName) -> Lease | None:
        asked_at = self._clock.monotonic()

        def act() -> Lease | None:
            place, now = self._store.centres[centre], self._database_time()
            if place.lease is not None and place.lease.expires_at > now:
                return None
            fence = 1 if place.lease is None else place.lease.fence + 1
            place.lease = LeaseRow(self._holder, fence, now + self._ttl)
            return self._lease(centre, fence, asked_at)

        return await self._line.transact(act)

    async def renew(self, lease: Lease) -> Lease:
        asked_at = self._clock.monotonic()

        def act() -> Lease:
            row = self._store.centres[CentreName(lease.name)].lease
            if row is None or (row.fence, row.holder) != (lease.fence, lease.holder):
                raise fenced(lease)
            row.expires_at = self._database_time() + self._ttl
            return self._lease(CentreName(lease.name), lease.fence, asked_at)

        return await self._line.transact(act)

    async def release(self, lease: Lease) -> None:
        def act() -> None:
            row = self._store.centres[CentreName(lease.name)].lease
            if row is not None and (row.fence, row.holder) == (lease.fence, lease.holder):
                row.expires_at = float("-inf")

        await self._line.transact(act)

    def _lease(self, centre: CentreName, fence: int, asked_at: float) -> Lease:
        return Lease(centre, self._holder, fence, asked_at + self._ttl - self._margin)
