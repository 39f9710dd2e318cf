"""A worker process: claims centres that nobody tends, tends them, and lets go."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from paracloud.jobs.book import Book, Leases
from paracloud.jobs.outpost import Outpost
from paracloud.kit.clock import Clock
from paracloud.kit.errors import ParacloudError
from paracloud.kit.identifiers import CentreName
from paracloud.worker.duties import Duties
from paracloud.worker.hint import Hint
from paracloud.worker.tend import tend
from paracloud.worker.tenure import HeldLease

log = structlog.get_logger()

LOOK = timedelta(seconds=1)
CRASHED = timedelta(seconds=5)

Outposts = Callable[[], Awaitable[Sequence[Outpost]]]


@dataclass(frozen=True, slots=True)
class Tended:
    """A centre that is tended now, as it was when that began."""

    outpost: Outpost
    task: asyncio.Task[None]


class Worker:
    """`outposts` lists the centres there are now; one that is not what it was when it was claimed is let go, and
    claimed anew. Two workers share them: whoever claims first, and a worker that tends one already waits a little
    before it takes another."""

    def __init__(
        self, book: Book, leases: Leases, outposts: Outposts, duties: Duties, clock: Clock, *, renew_every: timedelta
    ) -> None:
        self._book, self._leases, self._outposts, self._duties = book, leases, outposts, duties
        self._clock, self._renew_every = clock, renew_every
        self._tending: dict[CentreName, Tended] = {}
        self._hints: dict[CentreName, Hint] = {}

    def hint(self, centre: str) -> None:
        """There is something to dispatch at this centre."""
        if (found := self._hints.get(CentreName(centre))) is not None:
            found.give()

    async def run(self) -> None:
        """Until cancelled; then every lease is given back."""
        async with self._let_go():
            while True:
                try:
                    await self._claim_free()
                except ParacloudError as trouble:
                    log.warning("worker.look_failed", code=trouble.code, reason=trouble.en)
                await self._clock.sleep(LOOK * (1 + len(self._tending)))

    async def _claim_free(self) -> None:
        self._tending = {centre: one for centre, one in self._tending.items() if not one.task.done()}
        for outpost in await self._outposts():
            if (tended := self._tending.get(outpost.centre)) is not None:
                _let_go_if_changed(tended, outpost)
                continue
            lease = await self._leases.claim(outpost.centre)
            if lease is None:
                continue
            log.info("centre.claimed", centre=outpost.centre, fence=lease.fence, worker=lease.holder)
            held = HeldLease(lease, self._leases, self._clock)
            self._hints[outpost.centre] = Hint()
            self._tending[outpost.centre] = Tended(outpost, asyncio.create_task(self._tend(outpost, held)))
            return  # one at a look: the next worker gets its chance

    async def _tend(self, outpost: Outpost, held: HeldLease) -> None:
        try:
            await tend(
                self._book, outpost, held, self._duties, jobs=self._hints[outpost.centre], renew_every=self._renew_every
            )
        except* Exception as crash:  # the loop's edge: a defect at one centre must not stop the others
            log.exception("centre.crashed", centre=outpost.centre, error=repr(crash.exceptions[0]))
            await self._clock.sleep(CRASHED)
        finally:
            await self._give_back(held)

    async def _give_back(self, held: HeldLease) -> None:
        try:
            await held.give_back()
        except ParacloudError as trouble:
            log.warning("centre.lease_not_given_back", reason=trouble.en)

    @asynccontextmanager
    async def _let_go(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            tasks = [one.task for one in self._tending.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _let_go_if_changed(tended: Tended, now: Outpost) -> None:
    """Once: its lease is given back in peace."""
    if tended.outpost.terms != now.terms and not tended.task.cancelling():
        log.info("centre.let_go", centre=now.centre, reason="what it was connected with has changed")
        tended.task.cancel()
