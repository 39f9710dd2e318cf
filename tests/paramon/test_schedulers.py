"""How each scheduler is asked for a collector on a job's other nodes. What only a real one can show: tests/live."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from paramon.begin import usable_cores
from paramon.sample.profile import open_profile
from paramon.schedulers import NODES_MOST, SCHEDULERS, GridEngine, Pbs, Slurm, job_here, slots_here

ROOT = Path(__file__).parents[2]

NOTHING = list


def stand_in(tmp_path, name: str, *lines: str) -> dict[str, str]:
    """An environment in which this is what the scheduler has for that."""
    program = tmp_path / name
    program.write_text("\n".join(("#!/bin/sh", *lines, "")))
    program.chmod(0o755)
    return {"PATH": f"{tmp_path}:/usr/bin:/bin"}


def hosts(tmp_path, text: str) -> str:
    (tmp_path / "hosts").write_text(text)
    return str(tmp_path / "hosts")


def grid(tmp_path, text: str) -> GridEngine:
    return GridEngine({"HOSTNAME": "n1", "PE_HOSTFILE": hosts(tmp_path, text)})


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"SLURM_JOB_ID": "7"}, "7"),
        ({"JOB_ID": "8", "SGE_TASK_ID": "undefined", "SLURM_JOB_ID": "8"}, "8"),
        ({"JOB_ID": "8", "SGE_TASK_ID": "3", "SLURM_JOB_ID": "80000003"}, "8.3"),
        ({"PBS_JOBID": "9.server.site", "SLURM_JOB_ID": "9"}, "9"),
        ({"PBS_JOBID": "9[3].server", "SLURM_JOB_ID": "90000003"}, "9[3]"),
        ({"JOB_ID": "10"}, "10"),
        ({"SGE_TASK_ID": "3"}, ""),
        ({}, ""),
    ],
)
def test_a_job_is_called_as_its_own_scheduler_calls_it(known, name):
    assert job_here(known) == name


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_job_of_one_node_asks_nothing_of_its_scheduler(name):
    scheduler = SCHEDULERS[name]({"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "1"})
    assert not scheduler.starts(NOTHING)
    assert not scheduler.waiting


def test_slurm_is_asked_once_for_one_step_on_all_other_nodes_that_shares_what_others_have():
    slurm = Slurm({"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "3", "SLURM_JOB_NODELIST": "n[1-3]"})
    ((nodes, how),) = slurm.starts(NOTHING)
    assert nodes == "n[1-3]"
    assert {"--jobid=7", "--relative=1", "--nodes=2", "--ntasks=2", "--overlap", "--mem=0"} <= set(how)
    assert not slurm.starts(NOTHING)


@pytest.mark.parametrize(
    ("version", "is_asked"),
    [
        ("slurm 20.02.7", False),
        ("slurm 20.11.9", False),
        ("slurm-wlm 21.08.5", False),
        ("slurm-wlm 22.05.8", True),
        ("slurm 23.11.4-1.2build5", True),
        ("slurm 30.05.1", True),
        ("slurm_load_ctl_conf error: Unable to contact slurm controller", False),
    ],
)
def test_a_slurm_in_which_a_step_might_wait_for_it_is_not_asked_and_said_to_be_one(tmp_path, version, is_asked):
    environment = stand_in(tmp_path, "srun", f'[ "$1" = --version ] && echo "{version}" || echo asked "$@"')
    ((_, how),) = Slurm({"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "2"}).starts(NOTHING)
    done = subprocess.run([*how, "a b"], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout.startswith("asked --jobid=7 "), done.stdout.endswith(" a b\n")) == (is_asked, is_asked)
    assert is_asked or version in done.stdout


@pytest.mark.parametrize(
    ("commands", "is_started"),
    [
        ([], False),
        (["/opt/sge/qrsh -inherit -nostdin -V n2.x orted"], True),
        (["qrsh -inherit n2 a", "qrsh -inherit n2.x b"], False),
        (["qrsh -inherit n3 a", "mpirun n2"], False),
    ],
)
def test_a_host_of_grid_engine_gets_one_beside_a_task_of_the_job_that_leaves_a_slot(tmp_path, commands, is_started):
    scheduler = grid(tmp_path, "n1.x 4 q@n1 UNDEFINED\nn2.x 2 q@n2 UNDEFINED\n")
    assert scheduler.waiting == ["n2.x"]
    started = scheduler.starts(lambda: commands)
    assert [(node, how[0], how[-1]) for node, how in started] == ([("n2.x", "qrsh", "n2.x")] if is_started else [])
    assert scheduler.waiting == ([] if is_started else ["n2.x"])
    assert not scheduler.starts(lambda: commands)


def test_slots_that_a_host_has_in_several_queues_are_counted_together(tmp_path):
    scheduler = grid(tmp_path, "n1 1 a@n1 UNDEFINED\nn2 1 a@n2 UNDEFINED\nn2 1 b@n2 UNDEFINED\n")
    assert [node for node, _ in scheduler.starts(lambda: ["qrsh -inherit n2 a"])] == ["n2"]


@pytest.mark.parametrize(
    ("known", "slots"),
    [
        ({}, None),
        ({"NSLOTS": "2"}, None),
        ({"SGE_TASK_ID": "undefined", "NSLOTS": "3"}, 3),
        ({"SGE_TASK_ID": "5", "NSLOTS": "3", "NHOSTS": "1"}, 3),
        ({"SGE_TASK_ID": "undefined", "NSLOTS": "3", "NHOSTS": "2"}, None),
        ({"SGE_TASK_ID": "undefined", "NSLOTS": "6", "NHOSTS": "2", "PE_HOSTFILE": "n1.x 4 q@n1 -\nn2 2 q@n2 -\n"}, 4),
        ({"SGE_TASK_ID": "undefined", "PE_HOSTFILE": "n1 1 a@n1 -\nn1 2 b@n1 -\n"}, 3),
        ({"SGE_TASK_ID": "undefined", "HOSTNAME": "g1.y", "PE_HOSTFILE": "g1 2 q@g1 -\n"}, 2),
        ({"SGE_TASK_ID": "undefined", "NHOSTS": "2", "NSLOTS": "6", "PE_HOSTFILE": "n2 2 q@n2 -\n"}, None),
        ({"SGE_TASK_ID": "undefined", "NSLOTS": "0"}, None),
    ],
)
def test_the_cores_of_a_job_of_grid_engine_are_its_slots_at_that_host(tmp_path, known, slots):
    if "PE_HOSTFILE" in known:
        known = {**known, "PE_HOSTFILE": hosts(tmp_path, known["PE_HOSTFILE"])}
    assert slots_here(known, "n1.z") == slots
    bound = len(os.sched_getaffinity(0))
    assert usable_cores(known) <= bound
    assert usable_cores({**known, "PE_HOSTFILE": "", "NHOSTS": "2"}) == bound


def test_a_job_has_no_more_cores_than_it_was_given(tmp_path):
    known = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "JOB_ID": "7", "SGE_TASK_ID": "undefined", "NSLOTS": "1"}
    argv = [sys.executable, "-m", "paramon", "run", "--folder", str(tmp_path), "--", "true"]
    subprocess.run(argv, env=known, check=True, timeout=60)
    (node,) = open_profile(str(tmp_path))
    assert (node.header["usable_cores"], node.header["cores"]) == (1, os.cpu_count())


@pytest.mark.parametrize(("program", "words"), [("pbs_tmrsh", "n2 a b"), ("pbsdsh", "-h n2 a b")])
def test_pbs_is_asked_by_what_it_has(tmp_path, program, words):
    pbs = Pbs({"PBS_NODEFILE": hosts(tmp_path, "n1\nn1\nn2\nn2\n")})
    ((node, how),) = pbs.starts(NOTHING)
    done = subprocess.run([*how, "a b"], env=stand_in(tmp_path, program, 'echo "$@"'), capture_output=True, check=True)
    assert (node, done.stdout.decode()) == ("n2", words + "\n")


def test_of_many_hosts_some_are_reached_and_the_others_are_named(tmp_path):
    names = [f"n{number}" for number in range(NODES_MOST + 4)]
    pbs = Pbs({"PBS_NODEFILE": hosts(tmp_path, "\n".join(names))})
    assert [node for node, _ in pbs.starts(NOTHING)] == names[1 : NODES_MOST + 1]
    assert pbs.waiting == names[NODES_MOST + 1 :]
    assert not pbs.starts(NOTHING)
