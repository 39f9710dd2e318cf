"""A signal reaches what a job runs, once, however the scheduler's own commands word their answers."""

import pytest
from tests.live.logins import Login, SlurmLogin, until

from paracloud.dialects.records import NativePhase
from paracloud.kit.errors import Forbidden

pytestmark = pytest.mark.live
SCRIPT = """#!/bin/bash
catch() { trap "echo $1 has it" USR1; echo "$1 waits"; for i in {1..600}; do sleep 0.1; done; }
export -f catch
bash -c 'catch child' &
catch batch
"""


def running(login: Login, **changes):
    """The job and its number, once all of it waits for the signal."""
    job = login.request(script=SCRIPT, **changes)
    native_id = login.submitted(job)
    until(lambda: {"child waits", "batch waits"} <= set(login.output(job)), "the job")
    return job, native_id


def test_a_signal_comes_once_to_all_or_to_the_script_alone_and_a_job_that_is_gone_is_no_trouble(login: Login):
    job, native_id = running(login)
    held = login.submitted(login.request(hold=True))
    done = login.ask(login.dialect.signal([native_id, held, login.NOBODYS], "USR1"))
    assert done == {native_id, held, login.NOBODYS}
    until(lambda: {"batch has it", "child has it"} <= set(login.output(job)), "the signal")
    assert login.ask(login.dialect.signal([native_id], "B:USR1")) == {native_id}
    until(lambda: login.output(job).count("batch has it") == 2, "the signal to the script alone")
    assert login.output(job).count("child has it") == 1
    login.ask(login.dialect.cancel([native_id, held]))
    assert login.ended(native_id)[0].phase is NativePhase.CANCELLED
    until(lambda: not login.centre.exec(["pgrep", "-u", login.account, "-f", "catch"]).stdout, "its processes' end")


@pytest.mark.parametrize("name", ["USR1", "B:USR1"])
def test_the_running_tasks_of_an_array_get_a_signal_though_others_wait(login: Login, name: str):
    job, native_id = running(login, array="1-3%1")
    assert login.ask(login.dialect.signal([native_id], name)) == {native_id}
    until(lambda: "batch has it" in login.output(job), "the signal")
    assert login.output(job).count("batch has it") == 1


@pytest.mark.parametrize("scheduler", [SlurmLogin])
def test_another_account_cannot_signal_the_job(login: Login):
    _, native_id = running(login)
    other = login.another(login.centre.pool[1])
    with pytest.raises(Forbidden):
        other.ask(other.dialect.signal([native_id], "USR1"))
