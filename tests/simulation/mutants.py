"""Protocols that lack one part each. The simulation must find every one of them out."""

from collections.abc import Mapping
from datetime import datetime

from tests.simulation.audited import AuditedBook
from tests.simulation.controller import Controller
from tests.simulation.flock import Flock
from tests.simulation.guard import Folder, Guard
from tests.simulation.history import Parts
from tests.simulation.memory_store import MemoryStore
from tests.simulation.rows import CentreRow, JobRow, MoveRow

from paracloud.jobs.book import Move
from paracloud.jobs.finish import End
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import CentreName, JobId, SubmitTag
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


class NoLookBeforeTheMove(MemoryStore):
    """A job is taken for one that has not started, and is neither held nor fenced."""

    def propose(self, row: JobRow, to: CentreName) -> bool:
        if not super().propose(row, to):
            return False
        row.move = MoveRow(to, MoveStep.CANCELLING)
        return True


class MarkerForNobody(Controller):
    """The run marker of a job that moves is left to the job: its scheduler's word is enough."""

    def take_marker(self, account: str, name: str) -> int:
        return self.owners.get((account, name, None), 0)


class MovesBeforeTheCancel(AuditedBook):
    """The new centre gets the job as soon as the old one is asked to cancel it."""

    async def fenced(self, lease: Lease, ours: Mapping[JobId, bool]) -> None:
        await super().fenced(lease, ours)

        def act(centre: CentreRow) -> None:
            for row in list(centre.jobs.values()):
                if row.move is not None and row.move.step is MoveStep.CANCELLING:
                    self._store.hand_over(row, self._clock.now())

        await self._under(lease, act)


class SameTag(MemoryStore):
    """A job has one tag, wherever it goes."""

    def new_tag(self, row: JobRow) -> SubmitTag:
        return row.tag


class KeepsTheOldHold(MemoryStore):
    """What was held for the old place is held on."""

    def hand_over(self, row: JobRow, now: datetime) -> None:
        super().hand_over(row, now)
        self.ledger.hold(row.project, f"{row.id}:{row.moves}", self.most_micro(row, self.centres[row.centre]))


MUTANTS: Mapping[str, Parts] = {
    "no guard": Parts(guard=NoGuard),
    "look-up only": Parts(guard=LookUpOnly),
    "no run marker": Parts(controller=NoRunMarker),
    "no fence": Parts(book=NoFence),
    "absence taken for completion": Parts(book=AbsenceIsTheEnd),
    "charge without key": Parts(book=ChargeWithoutKey),
    "move without a look": Parts(store=NoLookBeforeTheMove),
    "move without the run marker": Parts(controller=MarkerForNobody),
    "move before the cancel is certain": Parts(book=MovesBeforeTheCancel),
    "the same tag everywhere": Parts(store=SameTag),
    "the old hold kept": Parts(store=KeepsTheOldHold),
}
