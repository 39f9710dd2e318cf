"""The memory book and leases under audit: what they let through is judged against the lease rows themselves."""

from collections.abc import Callable
from typing import TypeVar

from tests.simulation.journal import Journal
from tests.simulation.line import Line
from tests.simulation.memory_book import MemoryBook
from tests.simulation.memory_leases import MemoryLeases
from tests.simulation.memory_store import MemoryStore
from tests.simulation.rows import CentreRow

from paracloud.kit.clock import Clock
from paracloud.kit.identifiers import CentreName
from paracloud.kit.lease import Lease

T = TypeVar("T")


class AuditedBook(MemoryBook):
    def __init__(self, store: MemoryStore, line: Line, clock: Clock, journal: Journal) -> None:
        super().__init__(store, line, clock)
        self._journal = journal

    async def _under(self, lease: Lease, act: Callable[[CentreRow], T]) -> T:
        def audited(centre: CentreRow) -> T:
            row = centre.lease
            if row is None or row.fence != lease.fence:
                self._journal.violate("a write with a stale fence went through", lease.name, lease.holder)
            return act(centre)

        return await super()._under(lease, audited)


class AuditedLeases(MemoryLeases):
    """No two workers may believe at one moment that they hold a centre. `believed` is shared by all of them: until
    when, on the database's clock, the last holder of a centre may act."""

    def watch(self, journal: Journal, clock: Clock, believed: dict[str, tuple[int, float]]) -> None:
        self._journal, self._clock_here, self._believed = journal, clock, believed

    async def claim(self, centre: CentreName) -> Lease | None:
        lease = await super().claim(centre)
        if lease is not None:
            self._note(lease)
        return lease

    async def renew(self, lease: Lease) -> Lease:
        renewed = await super().renew(lease)
        self._note(renewed)
        return renewed

    async def release(self, lease: Lease) -> None:
        if (before := self._believed.get(lease.name)) is not None and before[0] == lease.fence:
            del self._believed[lease.name]
        await super().release(lease)

    def _note(self, lease: Lease) -> None:
        now = self._database_time()
        left = lease.deadline - self._clock_here.monotonic()
        fence, until = self._believed.get(lease.name, (0, 0.0))
        if left > 0 and (fence > lease.fence or (fence < lease.fence and until > now)):
            self._journal.violate("two workers hold one centre", lease.name, lease.holder)
        if fence <= lease.fence:
            self._believed[lease.name] = (lease.fence, now + left)
