"""The script is run by a real bash here, as a batch job's would be."""

import os
import subprocess
from dataclasses import replace

import pytest
from tests.paracloud.dialects.slurm.started import HOSTILE, PLAIN, start

from paracloud.dialects.slurm.script import script


def test_the_users_script_runs_in_the_work_directory_with_its_name_and_environment(tmp_path):
    text = '#!/bin/bash\nprintf "%s\\n" "$SLURM_JOB_NAME" "$A" "$PWD" "$SLURM_SUBMIT_DIR"\n'
    done = start(tmp_path, replace(PLAIN, name=HOSTILE, script=text, environment={"A": HOSTILE + "\nmore"}))
    place = str(tmp_path / "paracloud/one")
    assert done.stdout.splitlines() == [HOSTILE, HOSTILE, "more", place, place]
    assert not list(tmp_path.rglob("pwned"))


def test_a_hostile_work_directory_is_only_a_directory(tmp_path):
    place = 'it\'s "q" $(touch pwned) `touch pwned` -x'
    done = start(tmp_path, replace(PLAIN, work_directory=place, script="#!/bin/bash\npwd\n"))
    assert done.stdout == f"{tmp_path}/{place}\n"
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize(
    ("shebang", "text", "said"),
    [
        ("#!/usr/bin/env python3", "import sys; print('python', len(sys.argv))", "python 1\n"),
        ("#!/bin/sh -e", "false; echo not reached", ""),
        ("# no shebang", "echo ${BASH_VERSION:+bash}", "bash\n"),
        ("#!/bin/cat", "itself", "#!/bin/cat\nitself\n"),
    ],
)
def test_the_users_interpreter_is_obeyed(tmp_path, shebang, text, said):
    assert start(tmp_path, replace(PLAIN, script=f"{shebang}\n{text}\n")).stdout == said


def test_the_exit_code_is_the_users(tmp_path):
    assert start(tmp_path, replace(PLAIN, script="#!/bin/bash\nexit 42")).returncode == 42


def test_a_path_that_the_user_sets_does_not_keep_the_script_from_starting(tmp_path):
    done = start(tmp_path, replace(PLAIN, environment={"PATH": "/nowhere"}, script="#!/bin/bash\necho $PATH\n"))
    assert done.stdout == "/nowhere\n"


def test_a_duplicate_runs_nothing_and_ends_well(tmp_path):
    assert start(tmp_path, PLAIN, "41000").stdout == "ran in 41000\n"
    second = start(tmp_path, PLAIN, "41001")
    assert (second.stdout, second.returncode) == ("", 0)
    assert "41001 is a duplicate" in second.stderr


def test_a_requeued_job_runs_again(tmp_path):
    assert [start(tmp_path, PLAIN, "41000").stdout for _ in range(2)] == ["ran in 41000\n"] * 2


def test_each_task_of_an_array_runs_once(tmp_path):
    runs = [start(tmp_path, PLAIN, f"4100{at}", SLURM_ARRAY_TASK_ID=str(at % 2)).stdout for at in range(4)]
    assert runs == ["ran in 41000\n", "ran in 41001\n", "", ""]


def test_a_home_that_cannot_be_written_to_runs_nothing_and_says_so(tmp_path):
    (tmp_path / ".paracloud").write_text("in the way")
    done = start(tmp_path, PLAIN)
    assert (done.stdout, done.returncode) == ("", 73)
    assert "Nothing was run" in done.stderr


def test_a_missing_work_directory_runs_nothing_and_says_so(tmp_path):
    job = replace(PLAIN, work_directory="paracloud/gone")
    lost = script(job).replace('"$HOME"/paracloud/gone', '"$HOME"/nowhere')
    done = subprocess.run(
        ["/bin/bash"],
        input=lost,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SLURM_JOB_ID": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 73)
