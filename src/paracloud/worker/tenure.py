"""Holding a lease: renewed in time, and given up by the holder's own clock before anybody else can have it."""

from datetime import timedelta

from paracloud.jobs.book import Leases
from paracloud.kit.clock import Clock
from paracloud.kit.errors import Fenced, Unreachable
from paracloud.kit.lease import Lease


class HeldLease:
    """Call it for the lease as it is now: Fenced once the own deadline has passed, whatever the database says."""

    def __init__(self, lease: Lease, leases: Leases, clock: Clock) -> None:
        self._lease, self._leases, self._clock = lease, leases, clock

    def __call__(self) -> Lease:
        if self._clock.monotonic() >= self._lease.deadline:
            raise Fenced(
                f"The lease on {self._lease.name} ran out before it was renewed.",
                f"{self._lease.name} 的租约未能及时续期。",
            )
        return self._lease

    async def keep(self, every: timedelta) -> None:
        """Renew until cancelled; ends with Fenced when the lease is lost. A database that does not answer is asked
        again until the deadline."""
        while True:
            await self._clock.sleep(every)
            try:
                self._lease = await self._leases.renew(self())
            except Unreachable:
                continue

    async def give_back(self) -> None:
        await self._leases.release(self._lease)
