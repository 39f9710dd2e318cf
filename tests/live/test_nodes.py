"""A job of several nodes is watched on each of them, by real schedulers, and nothing of it is another for that."""

from base64 import b64encode
from uuid import uuid4

import pytest
from tests.live.logins import GridLogin, Login, SlurmLogin, until
from tests.paramon.ran import everybody

from paracloud.dialects.batch_script import GUARD_FOLDER
from paracloud.dialects.monitor import COLLECTORS, PROFILE
from paracloud.dialects.records import AccountingRecord, NativePhase, Request
from paramon.pack import packed
from paramon.sample.profile import NodeProfile, open_profile

pytestmark = pytest.mark.live
COLLECTOR = "paramon.pyz"
TWO_NODES = {SlurmLogin: {"queue": "cpu", "nodes": 2, "tasks": 4}, GridLogin: {"tasks": 10}}
"""Of hosts with 8 slots, in the second case."""
THERE = 'until [ "$(ls $profile/*.paramon 2>/dev/null | wc -l)" -ge {} ]; do sleep 0.2; done'
STEPS = 'squeue -s -h -j $SLURM_JOB_ID -o "%j"'


def watched(login: Login, *lines: str, **changes) -> tuple[Request, str]:
    """A job of two nodes, and its number. `$profile` is where it is written."""
    lay = ["sh", "-c", f"umask 077; mkdir -p {COLLECTORS}; base64 -d >{COLLECTORS}/{COLLECTOR}"]
    assert not login.centre.exec(lay, account=login.account, stdin=b64encode(packed()).decode()).returncode
    tag = uuid4().hex
    script = "\n".join(("#!/bin/bash", f"profile=$HOME/{GUARD_FOLDER}/{tag}/{PROFILE}", *lines, ""))
    about = {"tag": tag, "work_directory": f"paracloud/{tag}", "is_monitored": True, "collector": COLLECTOR}
    job = login.request(script=script, **(about | TWO_NODES[type(login)] | changes))
    return job, login.submitted(job)


def profile_of(login: Login, job: Request) -> list[NodeProfile]:
    return open_profile(f"{login.centre.site.folder}/home/{login.account}/{GUARD_FOLDER}/{job.tag}/{PROFILE}")


def ended_as_alone(login: Login, native_id: str) -> AccountingRecord:
    """What its script ends with is its end, once, and nothing of the collectors is left."""
    (record,) = login.ended(native_id)
    assert (record.phase, record.exit_code) == (NativePhase.FAILED, 3)
    until(lambda: not login.centre.exec(["pgrep", "-u", login.account]).stdout, "its processes' end")
    return record


def steps(login: Login, native_id: str) -> dict[str, str]:
    """By name: how it ended."""
    argv = ["sacct", "-n", "-P", "-j", native_id, "-o", "JobName,State,ExitCode"]
    return dict(line.split("|", 1) for line in login.centre.exec(argv).stdout.splitlines())


def test_each_node_is_watched_with_the_processes_that_are_its_own(login: Login):
    job, native_id = watched(
        login,
        "srun bash -c 'echo step $SLURM_STEP_ID; exec sleep 600' &",
        THERE.format(2),
        f"sleep 2; type squeue >/dev/null 2>&1 && {STEPS}",
        "kill $!; wait; exit 3",
    )
    record = ended_as_alone(login, native_id)
    first, second = profile_of(login, job)
    assert {first.header["node"], second.header["node"]} == {f"{login.CENTRE}cpu{at}" for at in (1, 2)}
    ranks = [{one.rank for one in everybody(node) if one.name == "sleep"} - {-1} for node in (first, second)]
    assert all(ranks)
    assert sorted(ranks[0] | ranks[1]) == list(range(job.tasks))
    assert not ranks[0] & ranks[1]
    assert all(sum(len(chunk.ticks) for chunk in node.chunks()) >= 2 for node in (first, second))
    commands = [one.command for node in (first, second) for one in everybody(node)]
    assert not [one for one in commands if COLLECTOR in one or "job-name=paramon" in one]
    assert "other_nodes" not in first.header["unavailable"]
    assert (record.cores, login.output(job).count("step 0")) == (job.tasks, job.tasks)
    if isinstance(login, SlurmLogin):
        assert "paramon" in login.output(job)
        assert steps(login, native_id)["paramon"] == "COMPLETED|0:0"
        assert second.end is not None, "Slurm told it, and it ended in time"


@pytest.mark.parametrize("scheduler", [SlurmLogin])
def test_no_signal_to_the_job_ends_its_profile_and_no_step_of_the_job_waits_for_it(login: Login):
    job, native_id = watched(
        login,
        THERE.format(2),
        "trap : TERM USR1; kill 0; kill -USR1 0; wait",
        """srun bash -c 'trap "echo step has it" TERM; echo ready; while :; do sleep 0.1; done' &""",
        'until [ "$(grep -c ready out.txt)" = 4 ]; do sleep 0.1; done; sleep 2',
        "scancel --signal=TERM $SLURM_JOB_ID",
        'until [ "$(grep -c "has it" out.txt)" = 4 ]; do sleep 0.1; done; sleep 1',
        STEPS,
        "kill -KILL $!; wait; srun echo alone",
        "exit 3",
    )
    ended_as_alone(login, native_id)
    lines = login.output(job)
    assert (lines.count("paramon"), lines.count("alone")) == (1, 4)
    assert all(node.end is not None for node in profile_of(login, job))


@pytest.mark.parametrize("scheduler", [SlurmLogin])
def test_where_a_node_cannot_be_watched_the_first_one_says_why_and_the_job_goes_on(login: Login):
    job, native_id = watched(
        login,
        THERE.format(1),
        "chmod 500 $profile",
        "until grep -qa 'cannot be writte[n]' $profile/*.paramon; do sleep 0.2; done; chmod 700 $profile",
        "exit 3",
    )
    ended_as_alone(login, native_id)
    (node,) = profile_of(login, job)
    english, chinese = node.header["unavailable"]["other_nodes"]
    assert "eastcpu" in english
    assert "Permission denied" in chinese
    assert steps(login, native_id)["paramon"] == "COMPLETED|0:0", "no exit code of the job's comes from it"


@pytest.mark.parametrize("scheduler", [GridLogin])
def test_a_host_with_one_slot_is_left_to_the_job(login: Login):
    """Grid Engine takes as many tasks there as it gave slots: ours would be in the way of the job's own."""
    job, native_id = watched(
        login,
        "until grep -qa 'slot unuse[d]' $profile/*.paramon; do sleep 0.2; done",
        "srun echo ours",
        "exit 3",
        tasks=9,
    )
    ended_as_alone(login, native_id)
    assert login.output(job).count("ours") == 9
    (node,) = profile_of(login, job)
    assert "gridcpu" in node.header["unavailable"]["other_nodes"][0]
