"""The database in memory: rows of centres and jobs, the ledger, usage; and what a user does to jobs in it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tests.simulation.memory_ledger import MemoryLedger
from tests.simulation.rows import CentreRow, Event, JobRow, TaskRow

from paracloud.billing.rate import most
from paracloud.jobs.array import indexes
from paracloud.jobs.finish import End
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.state import FINAL, JobState, may_move
from paracloud.jobs.wish import CANCEL, SIGNAL
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import CentreName, JobId, UnixAccount, UsageId, submit_tag
from paracloud.metering.usage import Usage, UsageKey

WAITING = frozenset({JobState.ACCEPTED, JobState.STAGING_IN, JobState.SUBMITTING, JobState.QUEUED})


class MemoryStore:
    def __init__(self, centres: Sequence[CentreRow]) -> None:
        self.centres = {centre.name: centre for centre in centres}
        self.ledger = MemoryLedger()
        self.usages: dict[UsageKey, Usage] = {}
        self.tasks: dict[JobId, dict[int, TaskRow]] = {}
        self.events: list[Event] = []
        self.on_end: Callable[[JobRow, JobState], None] = lambda _row, _state: None
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
        bound = most({"cores": spec.cores, "gpus": 0}, spec.wall_limit, timedelta(0), place.terms.price, tasks=tasks)
        row = JobRow(job, submit_tag(job), project, centre, account, spec.queue or "cpu", spec, tasks, now)
        place.jobs[job] = row
        self.tasks[job] = {}
        self.ledger.hold(project, str(job), bound.amount.micro)
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
        if row.state is JobState.ACCEPTED:
            if kind == CANCEL:
                self.finish([End(job, JobState.CANCELLED, now)], now)
            else:
                row.starts_held = kind == "hold"
        elif kind == CANCEL or row.wish != CANCEL:
            row.wish = kind

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
            self.ledger.release([str(end.job)])
