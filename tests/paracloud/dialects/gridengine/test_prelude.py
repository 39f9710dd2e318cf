"""The script is run by a real bash here, as a batch job's would be."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.paracloud.dialects.gridengine.started import PLAIN, process, start, task


@pytest.mark.parametrize("hostile", ["a$HOME b", "it's $(touch pwned)", "`touch pwned`;x", '"q" & x'])
def test_an_output_of_any_name_is_only_a_file(tmp_path, hostile):
    job = replace(PLAIN, output=f"{hostile}.%j", script="#!/bin/bash\necho here\n")
    start(tmp_path, job)
    assert (tmp_path / job.work_directory / f"{hostile}.41000").read_text() == "here\n"
    assert not list(tmp_path.rglob("pwned"))


def test_patterns_of_output_names_are_slurms_own(tmp_path):
    job = replace(PLAIN, name="a/b", output="%x.%A_%a.%3a.%j.%%.%s", error="%x.err", array="0-9")
    start(tmp_path, replace(job, script="#!/bin/bash\necho here; echo there >&2\n"), **task(3))
    place = tmp_path / job.work_directory
    assert (place / "a_b.41000_2.002.410000000003.%.batch").read_text() == "here\n"
    assert (place / "a_b.err").read_text() == "there\n"


def test_output_is_added_to_unless_the_user_says_truncate(tmp_path):
    for _ in range(2):
        whole = start(tmp_path, PLAIN).stdout
    assert whole == "ran in 41000\n" * 2
    assert start(tmp_path, replace(PLAIN, extra={"open-mode": "truncate"})).stdout == "ran in 41000\n"


def test_an_output_that_cannot_be_written_runs_nothing_and_says_so(tmp_path):
    done = start(tmp_path, replace(PLAIN, output="missing/out"))
    assert done.returncode == 73
    assert "cannot be written" in done.stderr


def test_a_death_by_a_signal_is_told_as_a_shell_tells_it(tmp_path):
    assert start(tmp_path, replace(PLAIN, script="#!/bin/bash\nkill -SEGV $$")).returncode == 139


def test_each_task_of_an_array_runs_once_under_a_number_of_its_own(tmp_path):
    job = replace(PLAIN, array="0-1")
    for number in (1, 2, 1):
        start(tmp_path, job, "41000", **task(number))
    whole = start(tmp_path, job, "41001", **task(2)).stdout
    assert [line for line in whole.splitlines() if line.startswith("ran in")] == [
        "ran in 410000000001",
        "ran in 410000000002",
        "ran in 410000000001",
    ]


def test_slurms_variables_come_from_the_hosts_that_the_job_has(tmp_path):
    (tmp_path / "hosts").write_text("n1.centre.cn 4 cpu@n1 UNDEFINED\nn2 2 cpu@n2 UNDEFINED\n")
    text = "#!/bin/bash\necho $SLURM_JOB_NODELIST $SLURM_NNODES $SLURM_TASKS_PER_NODE $SLURM_JOB_CPUS_PER_NODE\n"
    job = replace(PLAIN, tasks=3, cores_per_task=2, script=text)
    done = start(tmp_path, job, PE_HOSTFILE=str(tmp_path / "hosts"), NSLOTS="6")
    assert done.stdout == "n1,n2 2 2,1 4,2\n"


def test_a_job_that_was_started_again_is_told_so(tmp_path):
    job = replace(PLAIN, script='#!/bin/bash\necho "${SLURM_RESTART_COUNT-unset}"\n')
    assert start(tmp_path, job, RESTARTED="0").stdout == "unset\n"
    assert start(tmp_path, job, RESTARTED="1").stdout == "unset\n1\n"


def test_how_a_job_ended_decides_on_those_that_wait_for_it(tmp_path):
    start(tmp_path, replace(PLAIN, tag="a" * 32, script="#!/bin/bash\nexit 3\n"), "7")
    array = replace(PLAIN, tag="b" * 32, array="0-1")
    start(tmp_path, array, "8", **task(1, 2))

    def code(kind: str, on: str) -> int:
        return start(tmp_path, replace(PLAIN, depends_on=((kind, on),))).returncode

    assert [code(kind, "7") for kind in ("afterok", "afternotok", "afterany")] == [75, 0, 0]
    assert code("afterok", "8") == 75, "one task of two has not ended well"
    start(tmp_path, array, "8", **task(2, 2))
    assert [code(kind, "8") for kind in ("afterok", "afternotok")] == [0, 75]
    assert code("afterok", "9") == 75, "it was killed, or never ran"


def test_a_script_that_waits_for_all_its_children_does_not_wait_for_ours(tmp_path):
    text = "#!/usr/bin/env python3\nimport os\ntry:\n    os.wait()\nexcept ChildProcessError:\n    print('none')\n"
    assert start(tmp_path, replace(PLAIN, script=text)).stdout == "none\n"


def srun(tmp_path: Path, words: str, **changes) -> subprocess.CompletedProcess[str]:
    """With an mpirun that says what it was told and runs the first task."""
    program = tmp_path / "bin/mpirun"
    program.parent.mkdir(exist_ok=True)
    program.write_text('#!/bin/bash\nset -- "$@"; [ "$1" = --version ] || { echo "told ${*:1:2}"; "${@:3}"; }\n')
    program.chmod(0o755)
    paths = "PATH=${PATH%%:*}:$HOME/bin:/usr/bin:/bin"
    return start(tmp_path, replace(PLAIN, script=f"#!/bin/bash\n{paths}\n{words}\n", **changes))


def test_srun_starts_the_jobs_tasks_by_the_sites_mpirun(tmp_path):
    done = srun(
        tmp_path,
        "srun --mpi=pmix -c 2 bash -c 'echo $SLURM_PROCID $SLURM_STEP_NUM_TASKS \"$0\"' 'a  b'",
        tasks=3,
        cores_per_task=2,
    )
    assert done.stdout.splitlines() == ["told -n 3", "0 3 a  b"]


def test_srun_of_one_task_is_the_program_itself(tmp_path):
    done = srun(tmp_path, "srun -n1 bash -c 'echo $SLURM_PROCID; exit 5'; echo $?", tasks=3)
    assert done.stdout == "0\n5\n"


@pytest.mark.parametrize(
    "words", ["--pty bash", "-o x true", "-N 3 true", "-c 9 true", "-n many true", "--export=A true", ""]
)
def test_what_srun_cannot_do_is_an_error_that_names_it(tmp_path, words):
    done = srun(tmp_path, f"srun {words}; echo $?")
    assert done.stdout.splitlines()[-1] == "2"
    assert "srun: error: " in done.stdout
    assert not words or words.split()[0].partition("=")[0] in done.stdout


def test_what_the_job_leaves_behind_ends_with_it(tmp_path):
    done = process(tmp_path, replace(PLAIN, script="#!/bin/bash\nexec sleep 1000\n"))
    os.killpg(done.pid, signal.SIGKILL)
    done.communicate(timeout=30)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and members(done.pid):
        pass
    assert not members(done.pid)


def members(group: int) -> list[int]:
    """The processes of a group that have not ended."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = file.read_text().rpartition(")")[2].split()
            if int(words[2]) == group and words[0] != "Z":
                found.append(int(file.parent.name))
    return found
