"""What the Slurm dialect alone must do on a real Slurm."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.live.logins import HOSTILE, Login, SlurmLogin, until

from paracloud.dialects.records import NativePhase
from paracloud.jobs.build import build
from paracloud.jobs.most_given import most_given
from paracloud.jobs.request import request as as_asked
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import JobId

pytestmark = pytest.mark.live
UPPER = ("cores", "nodes", "gpus", "memory_bytes")


@pytest.fixture
def scheduler() -> type[Login]:
    return SlurmLogin


def test_a_hostile_comment_arrives_at_slurm_as_it_was_written(login):
    native_id = login.submitted(login.request(extra={"comment": HOSTILE}, hold=True))
    shown = login.centre.exec(["scontrol", "show", "job", native_id]).stdout
    assert f"Comment={HOSTILE} \n" in shown


def test_memory_is_what_all_tasks_were_given(login):
    (record,) = login.ended(login.submitted(login.request(queue="gpu", tasks=3, gpus_per_node=2)))
    assert record.memory_bytes == 300 << 20


def given_and_most(login: Login, *wishes: str) -> list[int]:
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
    wishes = ("-n 1 --mem=100", "-n 9 --mem-per-cpu=100", "-N 2 -n 2 --mem=100", "-n 8 --mem-per-cpu=2000")
    assert given_and_most(SlurmLogin.of(lab, "whole"), *wishes) == [8, 16, 16, 16]


def test_a_requeued_job_runs_again_and_each_run_is_a_record(login):
    script = '#!/bin/bash\necho run "$SLURM_RESTART_COUNT"; [ "$SLURM_RESTART_COUNT" ] || sleep 300\n'
    job = login.request(requeue=True, script=script)
    native_id = login.submitted(job)
    until(lambda: login.output(job), "the first run")
    assert login.centre.exec(["scontrol", "requeue", native_id]).returncode == 0
    until(lambda: [one for one in login.seen(native_id) if one.phase is NativePhase.QUEUED], "the queue again")
    # In the second of the requeue itself the node takes the new run for the killed one.
    login.centre.exec(["scontrol", "update", f"jobid={native_id}", "starttime=now+2"])
    runs = login.ended(native_id, 2)
    assert {one.phase for one in runs} == {NativePhase.REQUEUED, NativePhase.COMPLETED}
    assert len({one.submitted_at for one in runs}) == 2
    assert login.output(job)[-1] == "run 1"


def test_a_job_that_has_ended_cannot_be_held(login):
    native_id = login.submitted(login.request())
    login.ended(native_id)
    with pytest.raises(Conflict):
        login.ask(login.dialect.hold(native_id))


def test_a_partition_has_its_limit_of_time(login):
    queues = {one.name: one for one in login.ask(login.dialect.queues())}
    assert queues["debug"].max_wall == timedelta(minutes=30)
