"""The Slurm dialect on a real Slurm: what it writes is understood there, and what it reads is what happened."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import uuid4

import pytest

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.records import AccountingRecord, NativePhase, Request
from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.jobs.build import build
from paracloud.jobs.most_given import most_given
from paracloud.jobs.request import request as as_asked
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Conflict, Forbidden, NotFound, Refused, Unreachable
from paracloud.kit.identifiers import JobId
from paralab.running import RunningCentre, RunningLab

pytestmark = pytest.mark.live
T = TypeVar("T")
HOSTILE = 'it\'s "q" $(touch pwned) `touch pwned` | & ; < > * # \\ 中文 --uid=0'
PATIENCE_SECONDS = 60
UPPER = ("cores", "nodes", "gpus", "memory_bytes")


class Login:
    """One account at a centre, as a transport would have it."""

    def __init__(self, centre: RunningCentre, account: str, dialect: Dialect | None = None) -> None:
        self.centre, self.account, self.dialect = centre, account, dialect or SlurmDialect()

    def run(self, command: Command[T], *prefix: str) -> Completed:
        done = self.centre.exec([*prefix, *command.argv], account=self.account, stdin=command.stdin.decode())
        return Completed(done.returncode, done.stdout.encode(), done.stderr.encode())

    def ask(self, command: Command[T]) -> T:
        return command.parse(self.run(command))

    def submit(self, *requests: Request):
        return self.ask(self.dialect.submit({one.tag: self.dialect.script(one) for one in requests}))

    def submitted(self, request: Request) -> str:
        answer = self.submit(request)[request.tag]
        assert isinstance(answer, str), answer
        return answer

    def jobs_named(self, tag: str) -> list[str]:
        """The scheduler's own word, asked apart from the dialect."""
        listed = self.centre.exec(["squeue", "-h", "-t", "all", "-n", f"pc-{tag}", "-o", "%F"])
        assert listed.returncode == 0
        return listed.stdout.split()

    def read(self, path: str) -> str:
        return self.centre.exec(["cat", "--", path], account=self.account).stdout

    def ended(self, job: str, number: int = 1) -> list[AccountingRecord]:
        return until(lambda: self._records(job, number), f"{number} records of {job}")

    def _records(self, job: str, number: int) -> list[AccountingRecord]:
        found = list(self.ask(self.dialect.account_of([job])))
        return found if len(found) >= number else []


def until(ask: Callable[[], T], what: str) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := ask()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)
    return found


@pytest.fixture
def login(lab: RunningLab) -> Login:
    centre = lab.centres["east"]
    return Login(centre, centre.pool[0])


@pytest.fixture
def no_controller(lab: RunningLab) -> Iterator[Login]:
    centre = lab.centres["west"]
    login = Login(centre, centre.pool[0])
    centre.kill("slurmctld", hard=False)
    try:
        yield login
    finally:
        if login.run(login.dialect.ping()).exit_status != 0:
            centre.start("slurmctld")
        until(lambda: login.run(login.dialect.ping()).exit_status == 0, "the controller")


def request(**changes) -> Request:
    tag = uuid4().hex
    fields = {
        "tag": tag,
        "name": "live",
        "script": "#!/bin/bash\necho ran in $SLURM_JOB_ID\n",
        "work_directory": f"paracloud/{tag}",
        "queue": "debug",
        "tasks": 1,
        "cores_per_task": 1,
        "wall_limit": timedelta(minutes=5),
        "memory_per_core_bytes": 100 << 20,
        "output": "out.txt",
    }
    return Request(**(fields | changes))


def test_forty_guards_at_once_submit_one_job(login):
    job = request()
    with ThreadPoolExecutor(40) as pool:
        answers = {one[job.tag] for one in pool.map(lambda _: login.submit(job), range(40))}
    assert list(answers) == login.jobs_named(job.tag)


def test_guards_that_are_killed_at_random_and_repeated_submit_each_job_once(login):
    chance = random.Random(2205)
    for _ in range(25):
        job = request(hold=True)
        for _ in range(chance.randint(1, 3)):
            command = login.dialect.submit({job.tag: login.dialect.script(job)})
            login.run(command, "timeout", "-s", "KILL", f"{chance.uniform(0.005, 0.09):.3f}")
        native_id = login.submitted(job)
        assert login.jobs_named(job.tag) == [native_id]
        login.ask(login.dialect.cancel([native_id]))


def test_duplicates_that_were_forced_past_the_guard_run_the_payload_once(login):
    job = request()
    sbatch = ["sbatch", "--parsable", f".paracloud/jobs/{job.tag}/script"]
    ids = [login.submitted(job)]
    ids += [login.centre.exec(sbatch, account=login.account).stdout.strip() for _ in range(3)]
    ends = [login.ended(one)[0].phase for one in ids]
    assert ends == [NativePhase.COMPLETED] * 4
    ran = login.read(f"{job.work_directory}/out.txt").splitlines()
    assert len([line for line in ran if line.startswith("ran in ")]) == 1
    assert len([line for line in ran if "is a duplicate" in line]) == 3


def test_hostile_values_arrive_at_slurm_and_in_the_job_as_they_were_written(login):
    job = request(
        name=HOSTILE,
        work_directory=f'paracloud/{uuid4().hex} it\'s "q" $(touch pwned) #',
        output='a "b" #\' $(touch pwned).txt',
        environment={"A": HOSTILE + "\nmore"},
        extra={"comment": HOSTILE},
        script='#!/bin/bash\nprintf "%s\\n" "$SLURM_JOB_NAME" "$A" "$PWD"\n',
    )
    native_id = login.submitted(job)
    shown = login.centre.exec(["scontrol", "show", "job", native_id]).stdout
    assert f"Comment={HOSTILE} \n" in shown
    (record,) = login.ended(native_id)
    assert (record.phase, record.exit_code, record.tag) == (NativePhase.COMPLETED, 0, job.tag)
    place = f"/home/{login.account}/{job.work_directory}"
    assert login.read(f"{place}/{job.output}").splitlines() == [HOSTILE, HOSTILE, "more", place]
    assert login.centre.exec(["find", "/home", "/tmp", "-name", "pwned"]).stdout == ""


def test_an_array_runs_each_task_in_the_users_own_interpreter(login):
    text = "#!/usr/bin/env python3\nimport os\nprint('task', os.environ['SLURM_ARRAY_TASK_ID'])\n"
    job = request(array="2-6:2%2", script=text, output="%x.%A_%a", name="sweep")
    native_id = login.submitted(job)
    records = login.ended(native_id, 3)
    assert {one.task_index for one in records} == {2, 4, 6}
    assert {one.native_id for one in records} == {native_id}
    assert len({one.record_id for one in records}) == 3
    assert [login.read(f"{job.work_directory}/sweep.{native_id}_{at}") for at in (2, 4, 6)] == [
        f"task {at}\n" for at in (2, 4, 6)
    ]


def test_usage_on_gpus_is_what_was_asked_for(login):
    job = request(queue="gpu", tasks=3, gpus_per_node=2, gpu_model="a100", script="#!/bin/bash\nsleep 1; exit 3\n")
    native_id = login.submitted(job)
    (record,) = login.ended(native_id)
    assert (record.phase, record.exit_code, record.cores, record.gpus) == (NativePhase.FAILED, 3, 3, 2)
    assert record.memory_bytes == 300 << 20
    assert record.elapsed_seconds == (record.ended_at - record.started_at).seconds >= 1


def given_and_most(login, *wishes: str) -> list[int]:
    """The cores that each job was given; of nothing more than what was counted."""
    (queue,) = [one for one in login.ask(login.dialect.queues()) if one.name == "cpu"]
    specs = [build(f"#!/bin/bash\n#SBATCH -t 1 {words}\ntrue\n").spec for words in wishes]
    wanted = [as_asked(JobId(uuid4()), spec, "cpu", [], is_held=False) for spec in specs]
    jobs = [login.submitted(replace(one, tag=uuid4().hex)) for one in wanted]
    records = [login.ended(job)[0] for job in jobs]
    for words, spec, record in zip(wishes, specs, records, strict=True):
        most = most_given(spec, queue)
        over = {name: getattr(record, name) for name in UPPER if getattr(record, name) > most[name]}
        assert not over, (words, over, most)
    return [record.cores for record in records]


def test_slurm_gives_no_more_than_what_was_counted(login):
    wishes = ("-n 1 --mincpus=8", "-N 2 -n 3 --ntasks-per-node=2", "-N 1 -B 1:2:1", "-n 2 --ntasks-per-socket=1")
    more = ("-n 3 -c 20 --exclusive", "-n 1 --hint=memory_bound", "-N 2 -w eastcpu[1-2]")
    given = given_and_most(login, *[f"--mem-per-cpu=10M {words}" for words in (*wishes, *more)])
    assert given[:2] == [8, 4]  # more than the tasks alone


@pytest.fixture
def scarce(login: Login) -> Iterator[Callable[..., None]]:
    def say(*settings: str) -> None:
        done = login.centre.exec(["scontrol", "update", "PartitionName=cpu", *settings])
        assert done.returncode == 0, done.stderr

    yield say
    say("DefMemPerCPU=1000", "MaxMemPerNode=0")


def test_slurm_gives_no_more_than_what_was_counted_for_memory(login, scarce):
    scarce("MaxMemPerCPU=1000")
    wishes = ("-n 1", "-n 1 --mem-per-cpu=2000", "-n 1 --mem-per-cpu=2500", "-n 3 --mem-per-cpu=2500")
    more = ("-n 1 -c 3 --mem-per-cpu=2500", "-N 1 -n 1 --mem=8000", "-N 2 -n 2 --mem=8000", "-n 1 -c 3 --mem=8500")
    last = ("-n 3 --mem=8500", "-n 5 --ntasks-per-node=2 --mem=4000", "-n 32 --mem-per-cpu=2000 --exclusive")
    given = given_and_most(login, *wishes, *more, *last)
    assert given[:8] == [1, 2, 3, 9, 9, 8, 16, 9]
    scarce("DefMemPerCPU=2500")
    assert given_and_most(login, "-n 1", "-n 3", "-n 32 --exclusive") == [3, 9, 128]
    scarce("DefMemPerNode=0", "MaxMemPerCPU=2000")
    assert given_and_most(login, "-n 1", "-N 2 -n 3", "-n 1 --mem=2500") == [32, 64, 2]


def test_slurm_gives_no_more_than_what_was_counted_where_it_gives_whole_nodes_alone(lab):
    centre = lab.centres["whole"]
    wishes = ("-n 1 --mem=100", "-n 9 --mem-per-cpu=100", "-N 2 -n 2 --mem=100", "-n 8 --mem-per-cpu=2000")
    assert given_and_most(Login(centre, centre.pool[0]), *wishes) == [8, 16, 16, 16]


def test_a_window_of_accounting_holds_the_job_however_the_centre_counts_hours(login):
    (record,) = login.ended(login.submitted(request()))
    second = timedelta(seconds=1)

    def window(start, end):
        found = login.ask(login.dialect.account(start, end, [login.account]))
        return [one.record_id for one in found if one.record_id == record.record_id]

    assert window(record.ended_at, record.ended_at + second) == [record.record_id]
    assert window(record.ended_at - timedelta(hours=1), record.ended_at) == []
    assert window(record.ended_at + second, datetime.now(UTC) + timedelta(hours=1)) == []


def test_a_requeued_job_runs_again_and_each_run_is_a_record(login):
    job = request(
        requeue=True, script='#!/bin/bash\necho run "$SLURM_RESTART_COUNT"; [ "$SLURM_RESTART_COUNT" ] || sleep 300\n'
    )
    native_id = login.submitted(job)
    until(lambda: login.read(f"{job.work_directory}/out.txt"), "the first run")
    assert login.centre.exec(["scontrol", "requeue", native_id]).returncode == 0
    until(lambda: [one for one in seen(login, native_id) if one.phase is NativePhase.QUEUED], "the queue again")
    # In the second of the requeue itself the node takes the new run for the killed one.
    login.centre.exec(["scontrol", "update", f"jobid={native_id}", "starttime=now+2"])
    runs = login.ended(native_id, 2)
    assert {one.phase for one in runs} == {NativePhase.REQUEUED, NativePhase.COMPLETED}
    assert len({one.submitted_at for one in runs}) == 2
    assert login.read(f"{job.work_directory}/out.txt").endswith("run 1\n")


def seen(login: Login, native_id: str):
    return [one for one in login.ask(login.dialect.observe([login.account])) if one.native_id == native_id]


def test_hold_release_and_cancel_are_seen_in_the_listing(login):
    job = request(hold=True)
    native_id = login.submitted(job)
    assert [(one.phase, one.tag) for one in seen(login, native_id)] == [(NativePhase.HELD, job.tag)]
    login.ask(login.dialect.release(native_id))
    login.ended(native_id)
    login.ask(login.dialect.cancel([native_id]))
    with pytest.raises(Conflict):
        login.ask(login.dialect.hold(native_id))
    with pytest.raises(NotFound):
        login.ask(login.dialect.hold("2000000000"))


def test_a_job_cancelled_while_held_is_found_by_its_id_with_no_usage(login):
    native_id = login.submitted(request(hold=True))
    login.ask(login.dialect.cancel([native_id, native_id, "2000000000"]))
    (record,) = login.ended(native_id)
    assert (record.phase, record.core_seconds, record.started_at) == (NativePhase.CANCELLED, 0, None)


def test_another_account_cannot_cancel_the_job(login):
    native_id = login.submitted(request(hold=True))
    other = Login(login.centre, login.centre.pool[1])
    with pytest.raises(Forbidden):
        other.ask(other.dialect.cancel([native_id]))
    login.ask(login.dialect.cancel([native_id]))


def test_what_the_controller_refuses_is_refused_for_good(login):
    jobs = {"queue": request(queue="nope"), "time": request(wall_limit=timedelta(days=30))}
    for job in jobs.values():
        answers = [login.submit(job)[job.tag] for _ in range(2)]
        assert [type(answer) for answer in answers] == [Refused, Refused]
        assert login.jobs_named(job.tag) == []


def test_queues_nodes_and_version_are_those_of_the_lab(login):
    queues = {one.name: one for one in login.ask(login.dialect.queues())}
    plan = login.centre.site.centre
    assert set(queues) == {partition.name for partition in plan.partitions}
    assert (queues["gpu"].gpus_per_node, queues["gpu"].gpu_model) == (4, "a100")
    assert queues["debug"].max_wall == timedelta(minutes=30)
    assert len(login.ask(login.dialect.nodes())) == sum(one.nodes for one in queues.values())
    assert login.ask(login.dialect.ping()).startswith("Slurm 2")


def test_the_service_account_sees_every_tenant(login):
    job = request()
    native_id = login.submitted(job)
    login.ended(native_id)
    service = Login(login.centre, login.centre.service_account)
    accounts = list(login.centre.pool)
    assert job.tag in {one.tag for one in service.ask(service.dialect.observe(accounts))}
    now = datetime.now(UTC)
    window = service.dialect.account(now - timedelta(hours=1), now + timedelta(seconds=5), accounts)
    assert job.tag in {one.tag for one in service.ask(window)}


def test_without_its_controller_a_centre_is_unreachable_and_nothing_is_lost(no_controller):
    job = request()
    login = no_controller
    asked = (login.dialect.ping(), login.dialect.observe([login.account]), login.dialect.cancel(["1"]))
    # Slurm's own commands give up only after a while: all of them at once.
    with ThreadPoolExecutor() as pool:
        submission = pool.submit(login.submit, job)
        answers = list(pool.map(login.run, asked))
    assert isinstance(submission.result()[job.tag], Unreachable)
    for command, answer in zip(asked, answers, strict=True):
        with pytest.raises(Unreachable):
            command.parse(answer)
    login.centre.start("slurmctld")
    until(lambda: login.run(login.dialect.ping()).exit_status == 0, "the controller")
    assert login.jobs_named(job.tag) == []
    native_id = until(lambda: answered(login, job), "the submission")
    assert login.jobs_named(job.tag) == [native_id]


def answered(login: Login, job: Request) -> str:
    answer = login.submit(replace(job))[job.tag]
    return answer if isinstance(answer, str) else ""
