"""A signal reaches what a job runs, once, however Slurm's own command words its answer."""

import pytest
from tests.live.test_slurm_dialect import Login, request, until

from paracloud.dialects.records import NativePhase
from paracloud.kit.errors import Forbidden
from paralab.running import RunningLab

pytestmark = pytest.mark.live
SCRIPT = """#!/bin/bash
catch() { trap "echo $1 has it" USR1; echo "$1 waits"; for i in {1..600}; do sleep 0.1; done; }
export -f catch
bash -c 'catch child' &
catch batch
"""


@pytest.fixture
def account(lab: RunningLab) -> Login:
    centre = lab.centres["east"]
    return Login(centre, centre.pool[0])


def words(account: Login, job) -> list[str]:
    return account.read(f"{job.work_directory}/out.txt").splitlines()


def running(account: Login, **changes):
    """The job and its number, once all of it waits for the signal."""
    job = request(script=SCRIPT, **changes)
    native_id = account.submitted(job)
    until(lambda: {"child waits", "batch waits"} <= set(words(account, job)), "the job")
    return job, native_id


def test_a_signal_comes_once_to_all_or_to_the_script_alone_and_a_job_that_is_gone_is_no_trouble(account: Login):
    job, native_id = running(account)
    held = account.submitted(request(hold=True))
    done = account.ask(account.dialect.signal([native_id, held, "2000000000"], "USR1"))
    assert done == {native_id, held, "2000000000"}
    until(lambda: {"batch has it", "child has it"} <= set(words(account, job)), "the signal")
    account.ask(account.dialect.signal([native_id], "B:USR1"))
    until(lambda: words(account, job).count("batch has it") == 2, "the signal to the script alone")
    assert words(account, job).count("child has it") == 1
    account.ask(account.dialect.cancel([native_id, held]))
    assert account.ended(native_id)[0].phase is NativePhase.CANCELLED


def test_the_running_tasks_of_an_array_get_a_signal_though_others_wait(account: Login):
    job, native_id = running(account, array="1-3%1")
    assert account.ask(account.dialect.signal([native_id], "USR1")) == {native_id}
    until(lambda: "batch has it" in words(account, job), "the signal")
    assert words(account, job).count("batch has it") == 1
    account.ask(account.dialect.cancel([native_id]))
    account.ended(native_id, 2)


def test_another_account_cannot_signal_the_job(lab: RunningLab, account: Login):
    _, native_id = running(account)
    other = Login(account.centre, lab.centres["east"].pool[1])
    with pytest.raises(Forbidden):
        other.ask(other.dialect.signal([native_id], "USR1"))
    account.ask(account.dialect.cancel([native_id]))
