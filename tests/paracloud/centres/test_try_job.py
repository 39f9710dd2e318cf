"""Nothing of a job on trial stays at the centre, whatever its scheduler, its lines or we do in the middle of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from paracloud.centres.survey import Finding, Level
from paracloud.centres.try_job import Trial, try_job
from paracloud.dialects.records import AccountingRecord, NativePhase, Observation
from paracloud.dialects.tags import is_tag
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import NotFound, Refused, Unreachable
from paracloud.kit.identifiers import CentreName, NativeId, SubmitTag, UnixAccount
from paracloud.transports.transport import FileInfo

ACCOUNT, SERVICE = UnixAccount("hpc001"), UnixAccount("hpcsvc")
TRIAL = Trial(CentreName("east"), ACCOUNT, SERVICE, "cpu", timedelta(seconds=20))
START = datetime(2026, 11, 26, tzinfo=UTC)
UNSURE, NO = Unreachable("Nobody answered.", "没有应答。"), Refused("No such queue.", "没有该分区。")


class Ticks:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, duration: timedelta) -> None:
        self.at += duration
        await asyncio.sleep(0)


@dataclass
class Centre:
    """A scheduler, as its own dialect and way, with the account's home. `answers`: what submissions are answered, in
    their order, and, where that is a number, what is in the queue after it; then the first job again and again."""

    clock: Ticks
    answers: list[str | Refused | Unreachable] = field(default_factory=lambda: ["1"])
    jobs: dict[str, Observation] = field(default_factory=dict)
    late: list[tuple[timedelta, str]] = field(default_factory=list)
    """Jobs that reach the queue only so long after the beginning."""
    files: set[str] = field(default_factory=set)
    cancelled: list[str] = field(default_factory=list)
    submissions: int = 0
    is_deaf: bool = False
    """Cancelling ends nothing."""
    broken: Callable[["Centre"], bool] = lambda _: False
    tag: SubmitTag = field(default_factory=lambda: SubmitTag(""))

    def script(self, request):
        return request.script

    def submit(self, batch):
        (self.tag,) = batch
        self.submissions += 1
        answer = self.answers.pop(0) if self.answers else "1"
        self.files |= {f".paracloud/jobs/{self.tag}/id", f"paracloud/try-{self.tag}/out.txt"}
        if isinstance(answer, str):
            self._queue(answer)
        said = NativeId(answer) if isinstance(answer, str) else answer
        return Command(("sbatch",), lambda _: {self.tag: said})

    def observe(self, accounts):
        for after, id_ in list(self.late):
            if self.clock.now() >= START + after:
                self.late.remove((after, id_))
                self._queue(id_)
        return Command(("squeue",), lambda _: tuple(self.jobs.values()))

    def account_of(self, ids):
        return Command(("sacct",), lambda _: tuple[AccountingRecord]())

    def cancel(self, ids):
        return Command(("scancel",), lambda _: self._end(ids))

    async def to(self, centre, account, *, purpose):
        return self

    async def run(self, argv, **more):
        if self.broken(self):
            raise UNSURE
        return Completed(0, b"", b"")

    async def write(self, path, content, *, mode=0o600):
        self.files.add(path)

    async def read(self, path, *, start=0, limit_bytes):
        raise NotFound("None.", "无。")

    async def list(self, directory):
        names = {one.split("/")[1] for one in self.files if one.startswith(f"{directory}/")}
        return [FileInfo(name, 0, is_directory=True, modified_at=START) for name in names]

    async def remove(self, path, *, tree=False):
        if self.broken(self):
            raise UNSURE
        self.files = {one for one in self.files if not one.startswith(f"{path}/")}

    def live(self) -> set[str]:
        return {id_ for id_, one in self.jobs.items() if one.phase is not NativePhase.CANCELLED}

    def _end(self, ids) -> None:
        self.cancelled += ids
        for one in () if self.is_deaf else ids:
            self.jobs[one] = replace(self.jobs[one], phase=NativePhase.CANCELLED)

    def _queue(self, id_: str, tag: SubmitTag | None = None) -> None:
        self.jobs.setdefault(
            id_,
            Observation(
                native_id=NativeId(id_), task_index=None, tag=tag or self.tag, account=ACCOUNT,
                phase=NativePhase.QUEUED, native_state="PENDING", reason="Resources", submitted_at=START,
                started_at=None, node_list="",
            ),
        )  # fmt: skip


@pytest.fixture
def centre() -> Centre:
    return Centre(Ticks())


async def tried(centre: Centre) -> list[Finding]:
    return await try_job(centre, TRIAL, centre, centre.clock)


def missing(findings: list[Finding]) -> list[str]:
    return [one.what for one in findings if one.level is Level.MISSING]


def left(centre: Centre) -> tuple[set[str], set[str]]:
    return centre.live(), centre.files


async def test_a_trial_that_waits_too_long_is_cancelled_and_swept(centre):
    assert missing(await tried(centre)) == ["run"]
    assert left(centre) == (set(), set())


async def test_a_job_of_an_unsure_submission_that_turns_up_late_is_cancelled_too(centre):
    centre.answers = [UNSURE]
    centre.late = [(timedelta(seconds=6), "1")]
    assert missing(await tried(centre)) == ["submission"]
    assert (left(centre), centre.cancelled, centre.submissions) == ((set(), set()), ["1"], 1)


async def test_where_the_line_breaks_in_the_submission_its_job_is_cancelled_all_the_same(centre):
    was_broken = []

    def once(self: Centre) -> bool:
        is_first = bool(self.submissions) and not was_broken
        was_broken.extend([True] if is_first else [])
        return is_first

    centre.broken = once
    assert missing(await tried(centre)) == ["submission"]
    assert (left(centre), centre.cancelled) == ((set(), set()), ["1"])


async def test_two_jobs_of_one_submission_are_both_cancelled_and_nothing_goes_on(centre):
    centre.answers = ["1", "2"]
    findings = await tried(centre)
    assert [one.what for one in findings] == missing(findings) == ["submission"]
    assert "job 1 and then 2" in findings[0].en
    assert (left(centre), sorted(centre.cancelled)) == ((set(), set()), ["1", "2"])


async def test_a_second_submission_that_is_not_answered_is_said_so_and_both_are_looked_for(centre):
    centre.answers, centre.late = ["1", UNSURE], [(timedelta(seconds=4), "2")]
    findings = await tried(centre)
    assert [(one.what, one.en) for one in findings] == [("submission", UNSURE.en)]
    assert (left(centre), sorted(centre.cancelled)) == ((set(), set()), ["1", "2"])


async def test_a_definite_no_is_not_waited_for(centre):
    centre.answers = [NO]
    assert missing(await tried(centre)) == ["submission"]
    assert (left(centre), centre.clock.now()) == ((set(), set()), START)


async def test_a_line_that_breaks_in_the_sweep_is_tried_again(centre):
    calls = []

    def now_and_then(self: Centre) -> bool:
        calls.extend([None] if self.clock.now() > START + TRIAL.patience else [])
        return len(calls) in (1, 2, 3, 6, 8)

    centre.broken = now_and_then
    findings = await tried(centre)
    assert [one.what for one in findings] == ["submission", "run"]
    assert left(centre) == (set(), set())


async def test_a_job_that_does_not_end_is_named(centre):
    centre.is_deaf = True
    findings = await tried(centre)
    assert [(one.what, one.level) for one in findings[-1:]] == [("sweep", Level.ADVICE)]
    assert "Job 1 of hpc001" in findings[-1].en
    assert "作业 1" in findings[-1].zh


async def test_a_trial_that_is_cut_off_sweeps_before_it_ends(centre):
    trial = asyncio.ensure_future(tried(centre))
    while not centre.jobs:
        await asyncio.sleep(0)
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    assert left(centre) == (set(), set())


async def test_what_a_trial_left_that_died_with_us_goes_before_the_next(centre):
    earlier = SubmitTag("ab" * 16)
    centre.files = {f"paracloud/try-{earlier}/trial", f".paracloud/jobs/{earlier}/id", "paracloud/a-users/file"}
    centre._queue("7", earlier)
    assert is_tag(earlier)
    assert missing(await tried(centre)) == ["run"]
    assert left(centre) == (set(), {"paracloud/a-users/file"})
    assert centre.cancelled[0] == "7"


async def test_jobs_that_are_no_trials_are_left_alone(centre):
    other = SubmitTag("cd" * 16)
    centre._queue("8", other)
    await tried(centre)
    assert centre.live() == {"8"}
