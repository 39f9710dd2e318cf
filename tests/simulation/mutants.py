"""Protocols that lack one part each. The simulation must find every one of them out."""

from collections.abc import Mapping

from tests.simulation.audited import AuditedBook
from tests.simulation.controller import Controller
from tests.simulation.flock import Flock
from tests.simulation.guard import Folder, Guard
from tests.simulation.history import Parts
from tests.simulation.rows import CentreRow, JobRow

from paracloud.jobs.book import Move
from paracloud.jobs.finish import End
from paracloud.jobs.state import JobState
from paracloud.kit.lease import Lease
from paracloud.metering.usage import UsageKey


class NoGuard(Guard):
    """Submits each time it is asked."""

    async def _one(self, account: str, tag: str, script: str, again: bool) -> tuple[str, bool]:
        return await self._hand_over(self.folders[account, tag], account, tag, script, again=False)


class LookUpOnly(Guard):
    """Looks whether the job is there, and submits it if it is not: without a lock, and with nothing kept."""

    async def _one(self, account: str, tag: str, script: str, again: bool) -> tuple[str, bool]:
        nothing_kept = Folder(Flock(self._loop))
        return await self._locked(nothing_kept, account, tag, script, again=True)


class NoRunMarker(Controller):
    """A job runs whether or not another one of its tag has run."""

    has_run_marker = False


class NoFence(AuditedBook):
    def _check(self, centre: CentreRow, lease: Lease) -> None:
        """Whoever held the lease once may write."""


class AbsenceIsTheEnd(AuditedBook):
    """A job that the listing shows no more is done."""

    def _observe(self, row: JobRow, move: Move) -> None:
        super()._observe(row, move)
        if move.to is JobState.VANISHED:
            self._store.finish([End(row.id, JobState.COMPLETED, move.at)], move.at)


class ChargeWithoutKey(AuditedBook):
    """Every record is new."""

    def _counted(self) -> Mapping[UsageKey, object]:
        return {}


MUTANTS: Mapping[str, Parts] = {
    "no guard": Parts(guard=NoGuard),
    "look-up only": Parts(guard=LookUpOnly),
    "no run marker": Parts(controller=NoRunMarker),
    "no fence": Parts(book=NoFence),
    "absence taken for completion": Parts(book=AbsenceIsTheEnd),
    "charge without key": Parts(book=ChargeWithoutKey),
}
