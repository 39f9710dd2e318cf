"""The Grid Engine dialect on a real Grid Engine: what it writes is understood there, and what it reads is what
happened."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.live.test_slurm_dialect import HOSTILE, Login, seen, until
from tests.live.test_slurm_dialect import request as slurm_request

from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.dialects.records import NativePhase, Request
from paracloud.dialects.task_numbers import job_number
from paracloud.kit.errors import Forbidden, NotFound, Refused, Unreachable
from paralab.running import RunningCentre, RunningLab

pytestmark = pytest.mark.live
CATCH = """#!/bin/bash
#$ -pe smp 7
catch() { trap "echo $1 has it" USR1; echo "$1 waits"; for i in {1..600}; do sleep 0.1; done; }
export -f catch
bash -c 'catch child' &
catch batch
"""
SRUN = """srun --mpi=pmix -n 4 bash -c 'echo "$(hostname) $SLURM_PROCID $SLURM_LOCALID $A"'\n"""


class GridLogin(Login):
    def __init__(self, centre: RunningCentre, account: str) -> None:
        super().__init__(centre, account, GridEngineDialect())

    def jobs_named(self, tag: str) -> list[str]:
        done = self.centre.exec(["qstat", "-xml", "-r", "-u", self.account])
        assert done.returncode == 0
        numbers = [line for line in done.stdout.splitlines() if "<JB_job_number>" in line or "<full_job_name>" in line]
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return [one.split(">")[1].partition("<")[0] for one, name in pairs if f">pc-{tag}<" in name]


def request(**changes) -> Request:
    return slurm_request(**({"queue": "cpu", "memory_per_core_bytes": 1000 << 20} | changes))


@pytest.fixture
def login(lab: RunningLab) -> Iterator[GridLogin]:
    centre = lab.centres["grid"]
    yield GridLogin(centre, centre.pool[0])
    centre.exec(["qdel", "-u", "*"])


@pytest.fixture
def no_master(lab: RunningLab) -> Iterator[GridLogin]:
    centre = lab.centres["grid"]
    login = GridLogin(centre, centre.pool[0])
    centre.kill("sge_qmaster", hard=False)
    try:
        yield login
    finally:
        if login.run(login.dialect.ping()).exit_status != 0:
            centre.start("sge_qmaster")
        until(lambda: login.run(login.dialect.ping()).exit_status == 0, "sge_qmaster")


def output(login: Login, job: Request) -> list[str]:
    return login.read(f"{job.work_directory}/{job.output}").splitlines()


def ran(login: Login, **changes) -> tuple[Request, list[str]]:
    """A job that ended, and what it printed."""
    job = request(**changes)
    login.ended(login.submitted(job))
    return job, output(login, job)


def test_thirty_guards_at_once_submit_one_job(login):
    job = request(hold=True)
    with ThreadPoolExecutor(30) as pool:
        answers = {one[job.tag] for one in pool.map(lambda _: login.submit(job), range(30))}
    assert list(answers) == login.jobs_named(job.tag)


def test_guards_that_are_killed_at_random_and_repeated_submit_each_job_once(login):
    chance = random.Random(819)
    for _ in range(20):
        job = request(hold=True)
        for _ in range(chance.randint(1, 3)):
            command = login.dialect.submit({job.tag: login.dialect.script(job)})
            login.run(command, "timeout", "-s", "KILL", f"{chance.uniform(0.005, 0.2):.3f}")
        native_id = login.submitted(job)
        assert login.jobs_named(job.tag) == [native_id]
        login.ask(login.dialect.cancel([native_id]))


def test_a_job_that_has_ended_is_found_and_not_submitted_again(login):
    job = request()
    native_id = login.submitted(job)
    login.ended(native_id)
    login.centre.exec(["rm", f"/home/{login.account}/.paracloud/jobs/{job.tag}/id"])
    assert login.submit(job) == {job.tag: native_id}
    other = uuid4().hex
    assert login.ask(login.dialect.find([job.tag, other], datetime.now(UTC))) == {job.tag: native_id}


def test_duplicates_that_were_forced_past_the_guard_run_the_payload_once(login):
    job = request()
    qsub = ["qsub", "-terse", f".paracloud/jobs/{job.tag}/script"]
    ids = [login.submitted(job)]
    ids += [login.centre.exec(qsub, account=login.account).stdout.strip() for _ in range(3)]
    assert [login.ended(one)[0].phase for one in ids] == [NativePhase.COMPLETED] * 4
    assert len([line for line in output(login, job) if line.startswith("ran in ")]) == 1


def test_hostile_values_arrive_as_they_were_written(login):
    job = request(
        name=HOSTILE,
        work_directory=f'paracloud/{uuid4().hex} it\'s "q" $(touch pwned) #',
        output='a "b" #\' $(touch pwned).txt',
        environment={"A": HOSTILE + "\nmore"},
        extra={"comment": HOSTILE},
        script='#!/bin/bash\nprintf "%s\\n" "$SLURM_JOB_NAME" "$A" "$PWD"\n',
    )
    (record,) = login.ended(login.submitted(job))
    assert (record.phase, record.exit_code, record.tag) == (NativePhase.COMPLETED, 0, job.tag)
    place = f"/home/{login.account}/{job.work_directory}"
    assert login.read(f"{place}/{job.output}").splitlines() == [HOSTILE, HOSTILE, "more", place]
    assert login.centre.exec(["find", "/home", "/tmp", "-name", "pwned"]).stdout == ""


def test_an_array_that_counts_from_nought_runs_each_task_in_the_users_own_interpreter(login):
    text = "#!/usr/bin/env python3\nimport os\nprint('task', os.environ['SLURM_ARRAY_TASK_ID'])\n"
    job = request(array="0-4:2%2", script=text, output="%x.%A_%a.%3a.%j", name="sweep")
    native_id = login.submitted(job)
    records = login.ended(native_id, 3)
    assert {(one.task_index, one.native_id) for one in records} == {(at, native_id) for at in (0, 2, 4)}
    assert len({one.record_id for one in records}) == 3
    numbers = {one.task_index: job_number(one.record_id) for one in records}
    assert [login.read(f"{job.work_directory}/sweep.{native_id}_{at}.00{at}.{numbers[at]}") for at in (0, 2, 4)] == [
        f"task {at}\n" for at in (0, 2, 4)
    ]


def test_tasks_that_run_are_seen_by_the_users_numbers_and_those_that_wait_as_one(login):
    native_id = login.submitted(request(array="0-5%2", script="#!/bin/bash\nsleep 60\n"))
    running = until(lambda: [one for one in seen(login, native_id) if one.started_at], "tasks that run")
    assert {one.task_index for one in running} <= {0, 1}
    assert {(one.task_index, one.phase) for one in seen(login, native_id)} >= {(None, NativePhase.QUEUED)}


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
    native_id = login.submitted(request(script="#!/bin/bash\n#$ -pe smp 7\n#$ -N other\ntrue\n"))
    (record,) = login.ended(native_id)
    assert (record.cores, record.name[:3]) == (1, "pc-")


def test_usage_on_gpus_is_what_was_asked_for(login):
    job = request(queue="gpu", tasks=3, gpus_per_node=2, gpu_model="a100", script="#!/bin/bash\nsleep 1; exit 3\n")
    (record,) = login.ended(login.submitted(job))
    assert (record.phase, record.exit_code, record.cores, record.gpus) == (NativePhase.FAILED, 3, 3, 2)
    assert record.elapsed_seconds == (record.ended_at - record.started_at).seconds >= 1


def test_tasks_are_spread_as_slurm_would_by_environments_of_any_name(login):
    shown = login.centre.exec(["qconf", "-sp", "mpi"]).stdout
    text = shown.replace(" mpi\n", " by-two\n", 1).replace("$fill_up", "2")
    assert login.centre.exec(["sh", "-c", "cat >/tmp/pe; qconf -Ap /tmp/pe"], stdin=text).returncode == 0
    login.centre.exec(["qconf", "-aattr", "queue", "pe_list", "by-two", "cpu"])
    login.centre.exec(["rm", "-f", f"/home/{login.account}/.paracloud/parallel.cpu"])
    script = '#!/bin/bash\necho "$SLURM_NNODES $SLURM_TASKS_PER_NODE $SLURM_JOB_CPUS_PER_NODE"\n'
    assert ran(login, tasks=4, nodes=2, script=script)[1] == ["2 2,2 2,2"]
    assert ran(login, tasks=12, script=script)[1] in (["2 8,4 8,4"], ["2 4,8 4,8"])
    assert ran(login, tasks=2, cores_per_task=4, script=script)[1] == ["1 2 8"]
    _, hosts = ran(login, tasks=4, nodes=2, environment={"A": "a b"}, script="#!/bin/bash\n" + SRUN)
    first, second = dict.fromkeys(line.split()[0] for line in sorted(hosts, key=lambda line: line.split()[1]))
    assert sorted(hosts) == sorted(
        [f"{first} {at} {at} a b" for at in (0, 1)] + [f"{second} {at + 2} {at} a b" for at in (0, 1)]
    )


def test_a_signal_comes_once_to_all_or_to_the_script_alone_and_a_job_that_is_gone_is_no_trouble(login):
    job = request(script=CATCH)
    native_id, held = login.submitted(job), login.submitted(request(hold=True))
    until(lambda: {"child waits", "batch waits"} <= set(output(login, job)), "the job")
    done = login.ask(login.dialect.signal([native_id, held, "9000000"], "USR1"))
    assert done == {native_id, held, "9000000"}
    until(lambda: {"batch has it", "child has it"} <= set(output(login, job)), "the signal")
    assert login.ask(login.dialect.signal([native_id], "B:USR1")) == {native_id}
    until(lambda: output(login, job).count("batch has it") == 2, "the signal to the script alone")
    assert output(login, job).count("child has it") == 1
    login.ask(login.dialect.cancel([native_id]))
    (record,) = login.ended(native_id)
    assert (record.phase, record.cores) == (NativePhase.CANCELLED, 1)
    assert login.centre.exec(["pgrep", "-u", login.account, "-f", "catch"]).stdout == ""


def test_the_running_tasks_of_an_array_get_a_signal_though_others_wait(login):
    job = request(script=CATCH, array="0-3%1")
    native_id = login.submitted(job)
    until(lambda: "batch waits" in output(login, job), "the job")
    assert login.ask(login.dialect.signal([native_id], "B:USR1")) == {native_id}
    until(lambda: "batch has it" in output(login, job), "the signal")


def test_a_job_is_ended_at_its_limit_and_warned_before_where_it_asked_for_that(login):
    script = "#!/bin/bash\ntrap 'echo warned' USR1\nfor i in {1..600}; do sleep 0.1; done\n"
    job = request(wall_limit=timedelta(seconds=5), script=script, extra={"signal": "B:USR1@3"})
    (record,) = login.ended(login.submitted(job))
    assert (record.phase, output(login, job)) == (NativePhase.TIMEOUT, ["warned"])


def test_a_job_runs_after_another_that_ended_as_it_was_told(login):
    bad, good = login.submitted(request(script="#!/bin/bash\nexit 2\n")), login.submitted(request())
    kinds = ("afterok", "afternotok", "afterany")
    jobs = {(kind, on): request(depends_on=((kind, on),)) for kind in kinds for on in (bad, good)}
    ids = {key: login.submitted(job) for key, job in jobs.items()}
    ended = {key: login.ended(job)[0].exit_code for key, job in ids.items()}
    assert {key for key, code in ended.items() if code == 75} == {("afterok", bad), ("afternotok", good)}
    assert {code for key, code in ended.items() if code != 75} == {0}
    assert "can never be satisfied" in "".join(output(login, jobs["afterok", bad]))


def test_a_window_of_accounting_holds_the_job_with_its_end_open(login):
    (record,) = login.ended(login.submitted(request()))
    second = timedelta(seconds=1)

    def window(start, end):
        found = login.ask(login.dialect.account(start, end, [login.account]))
        return [one.record_id for one in found if one.record_id == record.record_id]

    assert window(record.ended_at, record.ended_at + second) == [record.record_id]
    assert window(record.ended_at - timedelta(hours=1), record.ended_at) == []
    assert window(record.ended_at + second, datetime.now(UTC) + timedelta(hours=1)) == []


def test_a_requeued_job_runs_again(login):
    script = '#!/bin/bash\necho run "$SLURM_RESTART_COUNT"; [ "$SLURM_RESTART_COUNT" ] || sleep 300\n'
    job = request(requeue=True, script=script)
    native_id = login.submitted(job)
    until(lambda: output(login, job), "the first run")
    assert login.centre.exec(["qmod", "-rj", native_id]).returncode == 0
    (record,) = login.ended(native_id)
    assert (record.phase, output(login, job)) == (NativePhase.COMPLETED, ["run ", "run 1"])


def test_hold_release_and_cancel_are_seen_in_the_listing(login):
    job = request(hold=True)
    native_id = login.submitted(job)
    assert [(one.phase, one.tag) for one in seen(login, native_id)] == [(NativePhase.HELD, job.tag)]
    login.ask(login.dialect.release(native_id))
    login.ended(native_id)
    login.ask(login.dialect.cancel([native_id]))
    with pytest.raises(NotFound):
        login.ask(login.dialect.hold(native_id))


def test_what_was_cancelled_before_it_ran_is_found_by_its_id_with_no_usage(login):
    native_id, array = login.submitted(request(hold=True)), login.submitted(request(hold=True, array="0-2"))
    login.ask(login.dialect.cancel([native_id, native_id, array, "9000000"]))
    (record,) = login.ended(native_id)
    assert (record.phase, record.core_seconds, record.started_at) == (NativePhase.CANCELLED, 0, None)
    assert [one.task_index for one in login.ended(array, 3)] == [0, 1, 2]


def test_a_job_that_cannot_be_started_is_held_and_says_so(login):
    done = login.centre.exec(
        ["sh", "-c", "echo true | qsub -terse -wd /nowhere -o /dev/null -j y"], account=login.account
    )
    native_id = done.stdout.strip()
    until(lambda: any("E" in one.native_state for one in seen(login, native_id)), "the error state")
    (one,) = seen(login, native_id)
    assert (one.phase, one.native_state) == (NativePhase.HELD, "Eqw")
    assert "error state" in one.reason


def test_another_account_can_neither_cancel_nor_hold_the_job(login):
    native_id = login.submitted(request(hold=True))
    other = GridLogin(login.centre, login.centre.pool[1])
    for command in (other.dialect.cancel([native_id]), other.dialect.hold(native_id)):
        with pytest.raises(Forbidden):
            other.ask(command)


@pytest.mark.parametrize(
    "changes",
    [{"queue": "nope"}, {"tasks": 9, "nodes": 1}, {"tasks": 6, "nodes": 2}, {"wall_limit": timedelta(days=30)}],
)
def test_what_no_node_could_run_is_refused_for_good(login, changes):
    job = request(**changes)
    answers = [login.submit(job)[job.tag] for _ in range(2)]
    assert [type(answer) for answer in answers] == [Refused, Refused]
    assert login.jobs_named(job.tag) == []


def test_queues_nodes_and_version_are_those_of_the_lab(login):
    queues = {one.name: one for one in login.ask(login.dialect.queues())}
    plan = login.centre.site.centre
    assert set(queues) == {partition.name for partition in plan.partitions}
    assert (queues["gpu"].gpus_per_node, queues["gpu"].gpu_model) == (2, "a100")
    assert [queues[name].max_wall for name in ("cpu", "gpu")] == [timedelta(days=2), timedelta(minutes=30)]
    assert [(queues[name].cores_per_node, queues[name].is_default) for name in ("cpu", "gpu")] == [
        (8, True),
        (8, False),
    ]
    assert abs(queues["cpu"].memory_per_node_bytes / (64000 << 20) - 1) < 0.01
    assert len(login.ask(login.dialect.nodes())) == sum(one.nodes for one in queues.values()) == 3
    assert login.ask(login.dialect.ping()) == "Grid Engine 8.1.9"


def test_cards_in_use_are_not_free_and_are_still_there(login):
    job = request(queue="gpu", gpus_per_node=2, script="#!/bin/bash\necho runs\nsleep 60\n")
    login.submitted(job)
    until(lambda: output(login, job), "the job")
    (queue,) = [one for one in login.ask(login.dialect.queues()) if one.name == "gpu"]
    assert (queue.gpus_per_node, queue.free_gpus, queue.free_cores) == (2, 0, 7)


def test_the_service_account_sees_every_tenant(login):
    job = request()
    login.ended(login.submitted(job))
    service = GridLogin(login.centre, login.centre.service_account)
    accounts = list(login.centre.pool)
    held = request(hold=True)
    login.submitted(held)
    assert held.tag in {one.tag for one in service.ask(service.dialect.observe(accounts))}
    now = datetime.now(UTC)
    window = service.dialect.account(now - timedelta(hours=1), now + timedelta(seconds=5), accounts)
    assert job.tag in {one.tag for one in service.ask(window)}


def test_without_its_master_a_centre_is_unreachable_and_nothing_is_lost(no_master):
    job, login = request(), no_master
    asked = (login.dialect.ping(), login.dialect.observe([login.account]), login.dialect.cancel(["1"]))
    asked += (login.dialect.hold("1"), login.dialect.queues(), login.dialect.signal(["1"], "USR1"))
    for command in asked:
        with pytest.raises(Unreachable):
            command.parse(login.run(command))
    assert isinstance(login.submit(job)[job.tag], Unreachable)
    login.centre.start("sge_qmaster")
    until(lambda: login.run(login.dialect.ping()).exit_status == 0, "sge_qmaster")
    assert login.jobs_named(job.tag) == []
    native_id = until(lambda: answered(login, job), "the submission")
    assert login.jobs_named(job.tag) == [native_id] or login.ended(native_id)


def answered(login: Login, job: Request) -> str:
    answer = login.submit(replace(job))[job.tag]
    return answer if isinstance(answer, str) else ""
