"""The script is run by a real bash here, as a batch job's would be; that Slurm reads its directives is a live test."""

import contextlib
import os
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paracloud.dialects.records import Request
from paracloud.dialects.slurm.directive import PASSED_THROUGH, directive, folders_of
from paracloud.dialects.slurm.script import script
from paracloud.jobs.directives import DIRECTIVES, Use
from paracloud.kit.errors import Invalid, TooLarge, Unsupported

TAG = "0123456789abcdef0123456789abcdef"
PLAIN = Request(
    tag=TAG,
    name="melt",
    script="#!/bin/bash\necho ran in $SLURM_JOB_ID\n",
    work_directory="paracloud/one",
    queue="cpu",
    tasks=4,
    cores_per_task=2,
    wall_limit=timedelta(hours=1, minutes=30),
)
HOSTILE = """it's "q" $(touch pwned) `touch pwned` | & ; < > * ? ~ # ! \\ 中文 %x"""


def start(home: Path, request: Request, job="41000", **variables: str) -> subprocess.CompletedProcess[str]:
    (home / request.work_directory).mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "SLURM_JOB_ID": job, **variables}
    return subprocess.run(
        ["/bin/bash"],
        input=script(request),
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def head(request: Request) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in script(request).splitlines() if line.startswith("#SBATCH ")]


def test_a_plain_request_becomes_directives():
    assert head(PLAIN) == [
        f"--job-name=pc-{TAG}",
        "--chdir=paracloud/one",
        "--partition=cpu",
        "--ntasks=4",
        "--cpus-per-task=2",
        "--time=0-01:30:00",
        "--output=slurm-%j.out",
        "--no-requeue",
        "--open-mode=append",
    ]


def test_every_field_of_a_request_becomes_a_directive():
    full = replace(
        PLAIN,
        nodes=2,
        tasks_per_node=2,
        memory_per_node_bytes=(1 << 30) + 1,
        gpus_per_node=2,
        gpu_model="a100",
        exclusive=True,
        array="0-9%4",
        depends_on=(("afterok", "7"), ("afterany", "8")),
        error="e.%A_%a",
        requeue=True,
        hold=True,
        extra={"qos": "high", "contiguous": "", "open-mode": "truncate"},
    )
    expected = "--nodes=2 --ntasks-per-node=2 --mem=1025M --gres=gpu:a100:2 --exclusive --array=0-9%4 --requeue --hold"
    expected += " --dependency=afterok:7,afterany:8 --error=e.%A_%a --qos=high --contiguous --open-mode=truncate"
    assert set(expected.split()) <= set(head(full))


def test_directives_come_before_any_command_and_the_users_own_behind_it():
    lines = script(replace(PLAIN, script="#!/bin/bash\n#SBATCH --partition=other\ntrue\n")).splitlines()
    first_command = next(at for at, line in enumerate(lines) if line and not line.startswith("#"))
    assert lines.index("#SBATCH --partition=cpu") < first_command < lines.index("#SBATCH --partition=other")


def test_a_started_second_of_the_limit_counts_whole():
    assert "--time=2-00:00:01" in head(replace(PLAIN, wall_limit=timedelta(days=2, milliseconds=1)))


def test_the_users_name_stands_for_x_in_output_names():
    named = replace(PLAIN, name="a/b%c", output="%x-%j-%10x-%%x", error="/dev/null")
    assert "--output=a_b%%c-%j-a_b%%c-%%x" in head(named)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": "a\nb"}),
        ("name", {"name": "a\x1b[0m"}),
        ("name", {"name": ""}),
        ("tag", {"tag": "x"}),
        ("script", {"script": "#!/bin/bash\0"}),
        ("script", {"script": "#!python3\n"}),
        ("script", {"script": "\ud800"}),
        ("tasks", {"tasks": 0}),
        ("cores_per_task", {"cores_per_task": -1}),
        ("nodes", {"nodes": 0}),
        ("wall_limit", {"wall_limit": timedelta(0)}),
        ("gpus_per_node", {"gpus_per_node": -1}),
        ("gpu_model", {"gpus_per_node": 1, "gpu_model": "a:b"}),
        ("array", {"array": "0-9;id"}),
        ("depends_on", {"depends_on": (("afterok", "7:8"),)}),
        ("depends_on", {"depends_on": (("singleton", "7"),)}),
        ("memory_per_core_bytes", {"memory_per_core_bytes": 1, "memory_per_node_bytes": 1}),
        ("work_directory", {"work_directory": "a%b"}),
        ("chdir", {"work_directory": "a\nb"}),
        ("partition", {"queue": "cpu\n#SBATCH --uid=0"}),
        ("output", {"output": "a\r"}),
        ("environment", {"environment": {"A B": "1"}}),
        ("environment", {"environment": {"UID": "0"}}),
        ("environment", {"environment": {"A": "\0"}}),
        ("comment", {"extra": {"comment": "a\nb"}}),
        ("comment", {"extra": {"comment": "x" * 3000}}),
    ],
)
def test_what_sbatch_cannot_be_told_is_refused_by_field(field, change):
    with pytest.raises(Invalid) as caught:
        script(replace(PLAIN, **change))
    assert caught.value.field == field


@pytest.mark.parametrize("option", ["uid", "wrap", "job-name", "chdir", "dependency", "export", "x y", "qos=a --uid"])
def test_an_option_that_is_the_platforms_own_or_unknown_is_unsupported_by_name(option):
    with pytest.raises(Unsupported) as caught:
        script(replace(PLAIN, extra={option: "1"}))
    assert caught.value.field == option


def test_a_script_beyond_slurms_limit_is_too_large():
    with pytest.raises(TooLarge):
        script(replace(PLAIN, script="#!/bin/bash\n" + "#" * 4_000_000))


def test_every_option_that_a_users_script_may_pass_is_understood():
    assert {one.name for one in DIRECTIVES if one.use is Use.PASSED} <= PASSED_THROUGH


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


@given(st.text(max_size=60).filter(str.isprintable))
@example("a\\b \\\\ 'c' \"d\" \\")
def test_a_work_directory_is_read_back_as_it_was_written(path):
    line = directive("chdir", path)
    assert "\n" not in line
    assert path == "" or folders_of(line) == [path]


@given(st.text(max_size=200))
def test_no_text_of_a_user_adds_a_directive(text):
    lines = len(head(PLAIN))
    with contextlib.suppress(Invalid):
        assert len(head(replace(PLAIN, name=text or "x", output=text or "o", queue=text or "q"))) == lines
