"""Slurm's clients on a simulated login node: they wait for the controller, and give up; what they asked for may still
happen afterwards."""

import asyncio
from dataclasses import dataclass

from tests.simulation.accounting import Accounting
from tests.simulation.controller import Controller, InvalidPartition
from tests.simulation.faults import Faults
from tests.simulation.flock import Flock
from tests.simulation.journal import Journal

PATIENCE_SECONDS = 25.0
LOOK_UP_SECONDS = 0.5
"""From the beginning of a look-up to the end of the sbatch that follows it at most."""
SILENT = "Unable to contact slurm controller (connect failure)"
REFUSED = "sbatch: error: Batch job submission failed: Invalid partition name specified"


@dataclass(frozen=True, slots=True)
class Said:
    """`id` is None where sbatch failed, and then `error` says how."""

    id: int | None
    error: str = ""


class Clients:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        faults: Faults,
        journal: Journal,
        controller: Controller,
        accounting: Accounting,
    ) -> None:
        self._loop, self._faults, self._journal = loop, faults, journal
        self._controller, self._accounting = controller, accounting
        self._under_way: dict[tuple[str, str], int] = {}

    async def sbatch(self, account: str, name: str, script: str, lock: Flock | None) -> Said:
        """Inherits the lock, as a child does. To submit what is there already, or is being submitted at this moment, is
        what the guard exists to prevent."""
        key = (account, name)
        if self._under_way.get(key):
            self._journal.violate("a job was submitted while it was being submitted", *key)
        if self._seen(*key):
            self._journal.violate("a job was submitted though the centre showed it", *key)
        self._under_way[key] = self._under_way.get(key, 0) + 1
        if lock is not None:
            lock.inherit()
        try:
            return await self._submit(account, script)
        finally:
            self._under_way[key] -= 1
            if lock is not None:
                lock.drop()

    async def _submit(self, account: str, script: str) -> Said:
        if self._controller.is_down:
            await asyncio.sleep(self._faults.seconds(0.1, 10))
            return Said(None, SILENT)
        is_slow = self._faults.strikes(self._faults.scheduler_slow)
        answer: asyncio.Future[Said] = self._loop.create_future()
        delay = self._faults.seconds(1, 60) if is_slow else self._faults.seconds(0.01, 0.3)
        self._loop.call_later(delay, self._apply, account, script, answer)
        done, _ = await asyncio.wait([answer], timeout=PATIENCE_SECONDS)
        if not done:
            answer.cancel()
            return Said(None, "")
        said = answer.result()
        if said.id is not None and self._faults.strikes(self._faults.answer_lost):
            return Said(None, "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation")
        return said

    def _apply(self, account: str, script: str, answer: asyncio.Future[Said]) -> None:
        if self._controller.is_down:
            said = Said(None, SILENT)
        else:
            try:
                said = Said(self._controller.submit(account, script))
                self._controller.jobs[said.id or 0].is_in_doubt = answer.cancelled()
            except InvalidPartition:
                said = Said(None, REFUSED)
        if not answer.done():
            answer.set_result(said)

    async def look_up(self, account: str, name: str) -> int | None:
        """The smallest number of this name in queue and accounting. ConnectionError where Slurm is silent."""
        await asyncio.sleep(self._faults.seconds(0.01, 0.1))
        if self._controller.is_down:
            raise ConnectionError(SILENT)
        listed = [job.id for job in self._controller.listed() if (job.account, job.name) == (account, name)]
        if not listed:
            await asyncio.sleep(self._faults.seconds(0.01, 0.1))
            listed = [row.native_id for row in self._accounting.named(account, name)]
        return min(listed, default=None)

    def _seen(self, account: str, name: str) -> bool:
        """A request that its client gave up may be carried out between a look-up and what follows from it: no guard
        can help that."""
        missed_since = self._loop.time() - LOOK_UP_SECONDS
        listed = any(
            (job.account, job.name) == (account, name) and not (job.is_in_doubt and job.accepted_at > missed_since)
            for job in self._controller.listed()
        )
        return listed or bool(self._accounting.named(account, name))
