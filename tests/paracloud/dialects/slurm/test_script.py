"""What Slurm is told of a job; that it reads its directives is a live test."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.paracloud.dialects.slurm.started import PLAIN, TAG

from paracloud.dialects.records import Request
from paracloud.dialects.slurm.directive import PASSED_THROUGH, directive, folders_of
from paracloud.dialects.slurm.script import script
from paracloud.jobs.directives import DIRECTIVES, Use
from paracloud.kit.errors import Invalid


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
        ("depends_on", {"depends_on": (("singleton", "7"),)}),
        ("chdir", {"work_directory": "a\nb"}),
        ("partition", {"queue": "cpu\n#SBATCH --uid=0"}),
        ("output", {"output": "a\r"}),
        ("comment", {"extra": {"comment": "a\nb"}}),
        ("comment", {"extra": {"comment": "x" * 3000}}),
    ],
)
def test_what_sbatch_cannot_be_told_is_refused_by_field(field, change):
    with pytest.raises(Invalid) as caught:
        script(replace(PLAIN, **change))
    assert caught.value.field == field


def test_every_option_that_a_users_script_may_pass_is_understood():
    assert {one.name for one in DIRECTIVES if one.use is Use.PASSED} <= PASSED_THROUGH


@given(st.text(max_size=60).filter(str.isprintable))
@example("a\\b \\\\ 'c' \"d\" \\")
def test_a_work_directory_is_read_back_as_it_was_written(path):
    line = directive("chdir", path)
    assert "\n" not in line
    assert path == "" or folders_of(line) == [path]
