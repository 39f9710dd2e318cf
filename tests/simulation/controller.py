"""The controller of a simulated centre: accepts jobs, runs them, loses nodes, forgets what it has just accepted."""

import asyncio
import re
from datetime import timedelta

from tests.simulation.accounting import Accounting
from tests.simulation.faults import Faults
from tests.simulation.journal import Journal
from tests.simulation.native import ENDED, NativeJob, NativeTask
from tests.simulation.virtual_clock import START

from paracloud.jobs.array import indexes

_OPTION = re.compile(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", re.MULTILINE)
_NEEDED = re.compile(r"afterok:([0-9]+)")
_TAGGED = re.compile(r"pc-[0-9a-f]{32}")
NEW_SECONDS = 3
"""So old a job may be when its controller, killed before it saved its state, forgets it."""


class InvalidPartition(Exception):
    """sbatch is told a definite no."""


class Controller:
    """`owners` are the run markers in the tenants' homes: which native job runs a task of a name, by account."""

    has_run_marker = True

    def __init__(
        self, loop: asyncio.AbstractEventLoop, faults: Faults, journal: Journal, accounting: Accounting
    ) -> None:
        self._loop, self._faults, self._journal, self._accounting = loop, faults, journal, accounting
        self._ahead = timedelta(seconds=faults.random.randint(-20, 20))
        self._next = faults.random.randint(1, 5000)
        self.down_until = 0.0
        self.jobs: dict[int, NativeJob] = {}
        self.owners: dict[tuple[str, str, int | None], int] = {}
        self.executions: dict[tuple[str, str, int | None], list[int]] = {}
        self.forgotten: list[tuple[int, str]] = []
        self.cancelled: set[tuple[str, str]] = set()
        self.back_again: set[int] = set()
        """Cancelled, and forgotten to be."""

    @property
    def is_down(self) -> bool:
        return self._loop.time() < self.down_until

    def epoch(self) -> int:
        return int((START + self._ahead).timestamp() + self._loop.time())

    def submit(self, account: str, script: str) -> int:
        options = dict(_OPTION.findall(script))
        if options.get("partition") == "nowhere":
            raise InvalidPartition
        needed = map(int, _NEEDED.findall(options.get("dependency", "")))
        days, _, clock = options["time"].partition("-")
        hours, minutes, seconds = map(int, clock.split(":"))
        job = NativeJob(
            id=self._next,
            name=options["job-name"],
            account=account,
            array=options.get("array"),
            cores=int(options["ntasks"]) * int(options["cpus-per-task"]),
            limit_seconds=((int(days) * 24 + hours) * 60 + minutes) * 60 + seconds,
            may_requeue="requeue" in options,
            is_held="hold" in options,
            submitted_at=self.epoch(),
            needs=tuple(self.jobs[number] for number in needed if number in self.jobs),
            accepted_at=self._loop.time(),
        )
        places = sorted(indexes(job.array)) if job.array else [None]
        job.tasks = [NativeTask(place, job.id, job.submitted_at) for place in places]
        self._next += 1
        self.jobs[job.id] = job
        self._journal.note("centre.accepted", job.id, job.name)
        self._queue(job)
        return job.id

    def listed(self) -> list[NativeJob]:
        """Jobs that have not ended, and those that have a short while ago."""
        oldest = self.epoch() - self._faults.listing_keeps_seconds
        return [job for job in self.jobs.values() if any((task.ended_at or oldest) >= oldest for task in job.tasks)]

    def is_busy(self) -> bool:
        return any(task.state == "RUNNING" for job in self.jobs.values() for task in job.tasks)

    def forget_newest(self) -> None:
        """Its state was not saved yet: the next job gets the same number."""
        newest = self.jobs.get(max(self.jobs, default=0))
        is_last = newest is not None and self._next == newest.id + 1
        if newest is None or not is_last or self.epoch() - newest.submitted_at > NEW_SECONDS:
            return
        if all(task.state == "PENDING" and task.run == 0 for task in newest.tasks):
            newest.is_forgotten = True
            del self.jobs[newest.id]
            self._next = newest.id
            self.forgotten.append((newest.id, newest.name))
            self._journal.note("centre.forgot", newest.id, newest.name)

    def forget_cancel(self, name: str) -> None:
        """Killed before it saved its state: it knows nothing of the hold and of the cancel. Accounting, which may have
        told of that, has one row for the job, and tells of its next end in the same."""
        for job in self.jobs.values():
            is_new = all((task.ended_at or 0) >= self.epoch() - NEW_SECONDS for task in job.tasks)
            if job.name == name and job.array is None and is_new and job.tasks[0].state == "CANCELLED":
                task = job.tasks[0]
                task.state, task.ended_at, job.is_held = "PENDING", None, False
                self.back_again.add(job.id)
                self._accounting.rows = [row for row in self._accounting.rows if row.native_id != job.id]
                self._journal.note("centre.forgot_cancel", job.id, job.name)
                self._queue(job)

    def lose_node(self) -> None:
        running = [(job, task) for job in self.jobs.values() for task in job.tasks if task.state == "RUNNING"]
        if not running:
            return
        job, task = self._faults.random.choice(running)
        self._stop(job, task, "NODE_FAIL", 0)
        if job.may_requeue:
            submitted = max(self.epoch(), task.submitted_at + 1)
            task.submitted_at, task.state, task.started_at, task.ended_at = submitted, "PENDING", None, None
            self._queue(job)

    def cancel(self, job: NativeJob) -> None:
        if any(task.ended_at is None for task in job.tasks):
            self.cancelled.add((job.account, job.name))
        self._end_all(job, "CANCELLED by 1000")

    def _end_all(self, job: NativeJob, state: str) -> None:
        waiting = [task for task in job.tasks if task.state == "PENDING"]
        for task in waiting:
            task.state, task.ended_at, task.run = "CANCELLED", self.epoch(), task.run + 1
        fresh = [task for task in waiting if task.run == 1]
        # The tasks of an array that never started share one row.
        for task in (*fresh[:1], *(task for task in waiting if task.run > 1)):
            self._accounting.add(job, task, state, 0, is_eligible=not job.is_held)
        for task in job.tasks:
            if task.state == "RUNNING":
                self._stop(job, task, state, 0)

    def hold(self, job: NativeJob, *, is_held: bool) -> None:
        job.is_held = is_held
        self._queue(job)

    def _queue(self, job: NativeJob) -> None:
        for task in job.tasks:
            if task.state == "PENDING" and not job.is_held:
                wait = self._faults.seconds(0.2, 2 if self._faults.is_calm else 15)
                self._loop.call_later(wait, self._start, job, task, task.run)

    def _start(self, job: NativeJob, task: NativeTask, run: int) -> None:
        if job.is_forgotten or job.is_held or task.run != run or task.state != "PENDING":
            return
        needed = [one for one in job.needs if not one.is_forgotten]
        if any(task.ended_at is None for one in needed for task in one.tasks):
            self._loop.call_later(2, self._start, job, task, run)
            return
        if any(task.state != "COMPLETED" for one in needed for task in one.tasks):
            self._end_all(job, "CANCELLED")  # as kill-on-invalid-dep has it
            return
        if task.run == 0 and any(one.run == 0 for one in job.tasks if one is not task):
            # What is left of an array keeps its id, so the last task to start has it in the end.
            task.raw_id, self._next = self._next, self._next + 1
        task.state, task.started_at, task.run = "RUNNING", self.epoch(), task.run + 1
        seconds, exit_code = self._faults.seconds(0.5, 40), self._faults.random.choice((0, 0, 0, 3))
        if not self._may_run(job, task):
            seconds, exit_code = 0.3, 0
        self._journal.note("centre.started", job.id, task.index)
        state = "FAILED" if exit_code else "COMPLETED"
        if seconds > job.limit_seconds:
            seconds, state, exit_code = float(job.limit_seconds), "TIMEOUT", 0
        self._loop.call_later(seconds, self._finish, job, task, task.run, state, exit_code)

    def take_marker(self, account: str, name: str) -> int:
        """On behalf of nobody, which is 0; or whose it is."""
        return self.owners.setdefault((account, name, None), 0)

    def _may_run(self, job: NativeJob, task: NativeTask) -> bool:
        """What the job's own script does first. A job by hand has no marker."""
        key = (job.account, job.name, task.index)
        if not _TAGGED.fullmatch(job.name):
            return True
        owner = self.owners.setdefault(key, job.id)
        if owner != job.id and self.has_run_marker:
            return False
        ran = self.executions.setdefault(key, [])
        if job.id not in ran:
            ran.append(job.id)
        if len(ran) > 1:
            self._journal.violate("a job was executed more than once", *key, *ran)
        return True

    def _finish(self, job: NativeJob, task: NativeTask, run: int, state: str, exit_code: int) -> None:
        if task.run == run:
            self._stop(job, task, state, exit_code)

    def _stop(self, job: NativeJob, task: NativeTask, state: str, exit_code: int) -> None:
        task.state, task.ended_at, task.run = state.partition(" ")[0], self.epoch(), task.run + 1
        assert task.state in ENDED
        self._journal.note("centre.ended", job.id, task.index, state)
        self._accounting.add(job, task, state, exit_code)
