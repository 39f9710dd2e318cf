"""What the Grid Engine dialect alone must do on a real Grid Engine."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.live.logins import GridLogin, Login, until

from paracloud.dialects.records import NativePhase, Request
from paracloud.kit.errors import Forbidden, NotFound, Refused

pytestmark = pytest.mark.live
SRUN = """srun --mpi=pmix -n 4 bash -c 'echo "$(hostname) $SLURM_PROCID $SLURM_LOCALID $A"'\n"""


@pytest.fixture
def scheduler() -> type[Login]:
    return GridLogin


def ran(login: Login, **changes) -> tuple[Request, list[str]]:
    """A job that ended, and what it printed."""
    job = login.request(**changes)
    login.ended(login.submitted(job))
    return job, login.output(job)


def test_tasks_that_run_are_seen_by_the_users_numbers_and_those_that_wait_as_one(login):
    native_id = login.submitted(login.request(array="0-5%2", script="#!/bin/bash\nsleep 60\n"))
    running = until(lambda: [one for one in login.seen(native_id) if one.started_at], "tasks that run")
    assert {one.task_index for one in running} <= {0, 1}
    assert {(one.task_index, one.phase) for one in login.seen(native_id)} >= {(None, NativePhase.QUEUED)}


def test_slurms_variables_tell_what_the_job_has(login):
    script = "#!/bin/bash\nenv | grep ^SLURM_ | sort\n"
    job, lines = ran(login, tasks=2, cores_per_task=3, script=script)
    found = dict(line.split("=", 1) for line in lines)
    expected = {"NTASKS": "2", "CPUS_PER_TASK": "3", "NNODES": "1", "TASKS_PER_NODE": "2", "JOB_PARTITION": "cpu"}
    expected |= {"JOB_NAME": job.name, "CPUS_ON_NODE": "6", "MEM_PER_CPU": "1000", "PROCID": "0"}
    assert {name: found.get(f"SLURM_{name}") for name in expected} == expected
    assert found["SLURM_JOB_NODELIST"] in {"gridcpu1", "gridcpu2"}
    assert found["SLURM_SUBMIT_DIR"].endswith(job.work_directory)


def test_directives_for_grid_engine_in_the_users_text_change_nothing(login):
    native_id = login.submitted(login.request(script="#!/bin/bash\n#$ -pe smp 7\n#$ -N other\ntrue\n"))
    (record,) = login.ended(native_id)
    assert (record.cores, record.name[:3]) == (1, "pc-")


@pytest.fixture
def by_two(login: Login) -> Iterator[None]:
    """An environment of two slots on each host, whatever its name; what the guard knew of environments is forgotten."""
    known = f"/home/{login.account}/.paracloud/parallel.cpu"
    text = login.centre.exec(["qconf", "-sp", "mpi"]).stdout.replace(" mpi\n", " by-two\n", 1).replace("$fill_up", "2")
    assert login.centre.exec(["sh", "-c", "cat >/tmp/pe; qconf -Ap /tmp/pe"], stdin=text).returncode == 0
    login.centre.exec(["qconf", "-aattr", "queue", "pe_list", "by-two", "cpu"])
    login.centre.exec(["rm", "-f", known])
    yield
    login.clear()
    login.centre.exec(["qconf", "-dattr", "queue", "pe_list", "by-two", "cpu"])
    assert login.centre.exec(["qconf", "-dp", "by-two"]).returncode == 0
    login.centre.exec(["rm", "-f", known])


@pytest.mark.usefixtures("by_two")
def test_tasks_are_spread_as_slurm_would_by_environments_of_any_name(login):
    script = '#!/bin/bash\necho "$SLURM_NNODES $SLURM_TASKS_PER_NODE $SLURM_JOB_CPUS_PER_NODE"\n'
    assert ran(login, tasks=4, nodes=2, script=script)[1] == ["2 2,2 2,2"]
    assert ran(login, tasks=12, script=script)[1] in (["2 8,4 8,4"], ["2 4,8 4,8"])
    assert ran(login, tasks=2, cores_per_task=4, script=script)[1] == ["1 2 8"]
    _, hosts = ran(login, tasks=4, nodes=2, environment={"A": "a b"}, script="#!/bin/bash\n" + SRUN)
    first, second = dict.fromkeys(line.split()[0] for line in sorted(hosts, key=lambda line: line.split()[1]))
    assert sorted(hosts) == sorted(
        [f"{first} {at} {at} a b" for at in (0, 1)] + [f"{second} {at + 2} {at} a b" for at in (0, 1)]
    )


def test_a_job_is_ended_at_its_limit_and_warned_before_where_it_asked_for_that(login):
    script = "#!/bin/bash\ntrap 'echo warned' USR1\nfor i in {1..600}; do sleep 0.1; done\n"
    job = login.request(wall_limit=timedelta(seconds=5), script=script, extra={"signal": "B:USR1@3"})
    (record,) = login.ended(login.submitted(job))
    assert (record.phase, login.output(job)) == (NativePhase.TIMEOUT, ["warned"])


def test_a_job_runs_after_another_that_ended_as_it_was_told(login):
    bad, good = login.submitted(login.request(script="#!/bin/bash\nexit 2\n")), login.submitted(login.request())
    kinds = ("afterok", "afternotok", "afterany")
    jobs = {(kind, on): login.request(depends_on=((kind, on),)) for kind in kinds for on in (bad, good)}
    ids = {key: login.submitted(job) for key, job in jobs.items()}
    ended = {key: login.ended(job)[0].exit_code for key, job in ids.items()}
    assert {key for key, code in ended.items() if code == 75} == {("afterok", bad), ("afternotok", good)}
    assert {code for key, code in ended.items() if code != 75} == {0}
    assert "can never be satisfied" in "".join(login.output(jobs["afterok", bad]))


def test_a_requeued_job_runs_again(login):
    script = '#!/bin/bash\necho run "$SLURM_RESTART_COUNT"; [ "$SLURM_RESTART_COUNT" ] || sleep 300\n'
    job = login.request(requeue=True, script=script)
    native_id = login.submitted(job)
    until(lambda: login.output(job), "the first run")
    assert login.centre.exec(["qmod", "-rj", native_id]).returncode == 0
    (record,) = login.ended(native_id)
    assert (record.phase, login.output(job)) == (NativePhase.COMPLETED, ["run ", "run 1"])


def test_a_job_that_has_ended_is_not_found_to_be_held(login):
    native_id = login.submitted(login.request())
    login.ended(native_id)
    with pytest.raises(NotFound):
        login.ask(login.dialect.hold(native_id))


def test_of_an_array_cancelled_before_it_ran_each_task_has_a_record(login):
    array = login.submitted(login.request(hold=True, array="0-2"))
    login.ask(login.dialect.cancel([array]))
    assert [(one.task_index, one.core_seconds) for one in login.ended(array, 3)] == [(0, 0), (1, 0), (2, 0)]


def test_a_job_that_cannot_be_started_is_held_and_says_so(login):
    done = login.centre.exec(
        ["sh", "-c", "echo true | qsub -terse -wd /nowhere -o /dev/null -j y"], account=login.account
    )
    native_id = done.stdout.strip()
    until(lambda: any("E" in one.native_state for one in login.seen(native_id)), "the error state")
    (one,) = login.seen(native_id)
    assert (one.phase, one.native_state) == (NativePhase.HELD, "Eqw")
    assert "error state" in one.reason


def test_another_account_cannot_hold_the_job(login):
    native_id = login.submitted(login.request(hold=True))
    other = login.another(login.centre.pool[1])
    with pytest.raises(Forbidden):
        other.ask(other.dialect.hold(native_id))


@pytest.mark.parametrize(
    "changes",
    [{"tasks": 9, "nodes": 1}, {"tasks": 6, "nodes": 2}],
)
def test_what_no_node_could_run_is_refused_for_good(login, changes):
    job = login.request(**changes)
    answers = [login.submit(job)[job.tag] for _ in range(2)]
    assert [type(answer) for answer in answers] == [Refused, Refused]
    assert login.jobs_named(job.tag) == []


def test_queues_have_their_limits_and_what_a_node_of_the_lab_has(login):
    queues = {one.name: one for one in login.ask(login.dialect.queues())}
    assert [queues[name].max_wall for name in ("cpu", "gpu")] == [timedelta(days=2), timedelta(minutes=30)]
    assert [queues[name].cores_per_node for name in ("cpu", "gpu")] == [8, 8]
    assert abs(queues["cpu"].memory_per_node_bytes / (64000 << 20) - 1) < 0.01


def test_cards_in_use_are_not_free_and_are_still_there(login):
    job = login.request(queue="gpu", gpus_per_node=2, script="#!/bin/bash\necho runs\nsleep 60\n")
    login.submitted(job)
    until(lambda: login.output(job), "the job")
    (queue,) = [one for one in login.ask(login.dialect.queues()) if one.name == "gpu"]
    assert (queue.gpus_per_node, queue.free_gpus, queue.free_cores) == (2, 0, 7)
