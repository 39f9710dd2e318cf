"""The database in memory: rows of centres and jobs, the ledger, usage; and what a user does to jobs in it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from tests.simulation.memory_ledger import MemoryLedger
from tests.simulation.rows import CentreRow, Event, JobRow, LeftRow, MoveRow, TaskRow

from paracloud.billing.rate import most
from paracloud.jobs.array import indexes
from paracloud.jobs.finish import End
from paracloud.jobs.given_up import Remains
from paracloud.jobs.leave import BEFORE_PLACE
from paracloud.jobs.movable import is_movable
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.state import FINAL, JobState, may_move
from paracloud.jobs.wish import CANCEL, HOLD, RELEASE, SIGNAL
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import CentreName, JobId, SubmitTag, UnixAccount, UsageId, submit_tag
from paracloud.metering.usage import Usage, UsageKey
from paracloud.placement.reroute import MOVES_A_JOB

WAITING = frozenset({JobState.ACCEPTED, JobState.STAGING_IN, JobState.SUBMITTING, JobState.QUEUED})


class MemoryStore:
    def __init__(self, centres: Sequence[CentreRow]) -> None:
        self.centres = {centre.name: centre for centre in centres}
        self.ledger = MemoryLedger()
        self.usages: dict[UsageKey, Usage] = {}
        self.tasks: dict[JobId, dict[int, TaskRow]] = {}
        self.events: list[Event] = []
        self.on_end: Callable[[JobRow, JobState], None] = lambda _row, _state: None
        self.on_move: Callable[[JobRow], None] = lambda _row: None
        self._usage_ids = 0

    def job(self, job: JobId) -> JobRow:
        return next(centre.jobs[job] for centre in self.centres.values() if job in centre.jobs)

    def jobs(self) -> list[JobRow]:
        return [row for centre in self.centres.values() for row in centre.jobs.values()]

    def new_usage_id(self) -> UsageId:
        self._usage_ids += 1
        return UsageId(UUID(int=self._usage_ids))

    def accept(self, job: JobId, centre: CentreName, account: UnixAccount, spec: JobSpec, now: datetime) -> JobRow:
        """What an entrance does: the job and its hold in one transaction."""
        place = self.centres[centre]
        tasks = len(indexes(spec.array)) if spec.array else 1
        project = place.owners[account]
        row = JobRow(job, submit_tag(job), project, centre, account, spec.queue or "cpu", spec, tasks, now)
        row.movable = is_movable(spec)
        for needed in spec.depends_on:
            self.job(needed.job).movable = False
        place.jobs[job] = row
        self.tasks[job] = {}
        self.ledger.hold(project, str(job), self.most_micro(row, place))
        self.events.append(Event(job, now, JobState.ACCEPTED))
        return row

    def wish(self, job: JobId, kind: str, now: datetime) -> None:
        """A signal as a landing wishes for it. Conflict as an entrance says it: for an ended job, and for holding one
        of which nothing waits."""
        row = self.job(job)
        if kind == SIGNAL:
            row.wish, row.signal = SIGNAL, "USR1"
            return
        may_wait = row.state in WAITING or (row.state is JobState.RUNNING and row.spec.array is not None)
        if row.state in FINAL or (kind != CANCEL and not may_wait):
            raise Conflict(f"The job is {row.state}.", f"作业状态为 {row.state}。")
        if kind == HOLD:
            row.movable = False
        if row.state is JobState.ACCEPTED:
            if kind == CANCEL:
                self.finish([End(job, JobState.CANCELLED, now)], now)
            else:
                row.starts_held = kind == HOLD
        elif kind == CANCEL or row.wish != CANCEL:
            row.wish = kind
            self._before_its_move(row, kind)

    def _before_its_move(self, row: JobRow, kind: str) -> None:
        if row.move is None:
            return
        if kind == CANCEL or (kind == HOLD and row.move.step in BEFORE_PLACE):
            row.move = None
        elif kind == RELEASE and row.move.step is MoveStep.HOLDING:
            row.move.step = MoveStep.RELEASING

    def propose(self, row: JobRow, to: CentreName) -> bool:
        """Somebody finds that it should move; False where it may not."""
        is_idle = row.move is None or row.move.step is MoveStep.RELEASING
        is_free = row.movable and is_idle and row.wish is None and not row.has_started and row.moves < MOVES_A_JOB
        if row.state is not JobState.QUEUED or not is_free or row.centre == to:
            return False
        row.move = MoveRow(to)
        return True

    def leave(self, row: JobRow) -> None:
        assert row.move is not None
        if row.wish is not None or not row.movable:
            row.move.step = MoveStep.RELEASING
            return
        row.move.step = MoveStep.LEAVING
        there = self.centres[row.move.to]
        self.ledger.enlarge(str(row.id), self.most_micro(row, there), f"{len(self.ledger.entries)}")

    def hand_over(self, row: JobRow, now: datetime) -> None:
        assert row.move is not None
        here, there = self.centres[row.centre], self.centres[row.move.to]
        self.on_move(row)
        del here.jobs[row.id]
        here.left[row.tag] = LeftRow(row.id, row.account, row.native_id, row.tries, row.spec.cores)
        there.jobs[row.id] = row
        row.centre = there.name
        row.account = next(account for account, project in there.owners.items() if project == row.project)
        row.moves, row.move = row.moves + 1, None
        row.tag = self.new_tag(row)
        row.movable, row.starts_held, row.wish = row.movable and row.wish != HOLD, row.wish == HOLD, None
        row.native_id, row.native_state, row.reason, row.absent_since = None, "", "", None
        row.tries, row.retry_at, row.has_started = 0, now, False
        self.move(row, JobState.ACCEPTED, now)

    def give_up(self, row: JobRow, to: CentreName, now: datetime) -> None:
        """By a person's word that its centre's machines are off."""
        here, tag = self.centres[row.centre], row.tag
        self.propose(row, to)
        self.leave(row)
        self.hand_over(row, now)
        here.left[tag] = replace(here.left[tag], remains=Remains.UNREACHED)

    def new_tag(self, row: JobRow) -> SubmitTag:
        return submit_tag(row.id, row.moves)

    def most_micro(self, row: JobRow, place: CentreRow) -> int:
        upper = {"cores": row.spec.cores, "gpus": 0}
        return most(upper, row.spec.wall_limit, timedelta(0), place.terms.price, tasks=row.tasks).amount.micro

    def move(self, row: JobRow, to: JobState, now: datetime) -> None:
        if row.state is not to:
            row.state = to
            self.events.append(Event(row.id, now, to))

    def finish(self, ends: Sequence[End], now: datetime, allowed: Callable[[JobRow], bool] = lambda _: True) -> None:
        """An end that no move allows changes nothing."""
        for end in ends:
            row = self.job(end.job)
            if not allowed(row) or not may_move(row.state, end.state):
                continue
            self.on_end(row, end.state)
            self.move(row, end.state, now)
            row.native_state, row.reason, row.wish, row.absent_since = end.native_state, end.reason, None, None
            row.move = None
            self.ledger.release([str(end.job)])
