"""What Grid Engine is told of a job; that it reads its directives is a live test."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paracloud.dialects.gridengine.started import PLAIN, TAG

from paracloud.dialects.gridengine.script import folders_of, script
from paracloud.dialects.records import Request
from paracloud.jobs.directives import DIRECTIVES, Use
from paracloud.kit.errors import Invalid, Unsupported


def head(request: Request) -> list[str]:
    lines = script(request).splitlines()
    return [line.removeprefix("#$ ") for line in lines[: lines.index(lines[-1])] if line.startswith("#$ ")]


def test_a_plain_request_becomes_options_of_qsub():
    said = f"-j y -o $HOME/.paracloud/jobs/{TAG}/said"
    assert head(PLAIN) == [f"-N pc-{TAG}", "-q cpu", "-S /bin/bash", said, "-w e", "-m n", "-r n", "-l h_rt=5400"]


def test_every_field_of_a_request_becomes_an_option():
    full = replace(
        PLAIN,
        tasks=4,
        memory_per_node_bytes=(1 << 30) + 1,
        gpus_per_node=2,
        gpu_model="a100",
        array="0-9:3%4",
        depends_on=(("afterok", "7"), ("afterany", "8")),
        requeue=True,
        hold=True,
        extra={"nice": "100", "begin": "2026-11-30T12:00", "kill-on-invalid-dep": "yes", "comment": "x"},
    )
    expected = ["-r y", "-l h_vmem=257M", "-l gpu=2", "-l gpu_model=a100", "-t 1-10:3", "-tc 4", "-hold_jid 7,8", "-h"]
    assert {*expected, "-p -100", "-a 202611301200.00"} <= set(head(full))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"tasks": 3, "cores_per_task": 4}, "$pe_slots 12 cpu"),
        ({"tasks": 3}, "$fill_up 3 cpu"),
        ({"tasks": 3, "memory_per_node_bytes": 1 << 30}, "$pe_slots 3 cpu"),
        ({"tasks": 3, "gpus_per_node": 1}, "$pe_slots 3 cpu"),
        ({"tasks": 6, "nodes": 3}, "2 6 cpu"),
        ({"tasks": 6, "tasks_per_node": 2, "cores_per_task": 2}, "4 12 cpu"),
    ],
)
def test_slots_are_spread_as_the_request_says(changes, line):
    assert f"#paracloud-parallel {line}\n" in script(replace(PLAIN, **changes))


def test_a_started_second_of_the_limit_counts_whole():
    assert "-l h_rt=61" in head(replace(PLAIN, wall_limit=timedelta(minutes=1, milliseconds=1)))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("work_directory", {"work_directory": "a\nb"}),
        ("partition", {"queue": "cpu\n#$ -P x"}),
        ("partition", {"queue": "cpu@host"}),
        ("output", {"output": "a\r"}),
        ("error", {"error": ""}),
        ("comment", {"extra": {"comment": "a\nb"}}),
    ],
)
def test_what_qsub_cannot_be_told_is_refused_by_field(field, change):
    with pytest.raises(Invalid) as caught:
        script(replace(PLAIN, **change))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("array", {"array": "1,3,7"}),
        ("exclusive", {"exclusive": True}),
        ("depends_on", {"depends_on": (("after", "7"),)}),
        ("gpus_per_node", {"gpus_per_node": 1, "nodes": 2, "tasks": 2}),
        ("nodes", {"nodes": 2, "tasks": 3}),
        ("tasks_per_node", {"tasks_per_node": 2, "tasks": 3}),
        *[(name, {"extra": {name: "1"}}) for name in ("qos", "constraint", "licenses", "mincpus", "uid", "x y")],
        ("begin", {"extra": {"begin": "tomorrow"}}),
        ("signal", {"extra": {"signal": "$(id)"}}),
        ("kill-on-invalid-dep", {"extra": {"kill-on-invalid-dep": "no"}}),
    ],
)
def test_what_grid_engine_cannot_do_is_refused_by_name_in_both_languages(field, change):
    with pytest.raises(Unsupported) as caught:
        script(replace(PLAIN, **change))
    assert caught.value.field == field
    assert "Grid Engine" in caught.value.en
    assert "Grid Engine" in caught.value.zh


def test_every_option_that_a_users_script_may_pass_is_said_or_refused_by_its_name():
    for name in (one.name for one in DIRECTIVES if one.use in {Use.PASSED, Use.COUNTED}):
        with contextlib.suppress(Unsupported):
            script(replace(PLAIN, extra={name: ""}))


@given(st.text(max_size=60).filter(str.isprintable))
def test_folders_are_read_back_as_they_were_written(path):
    with contextlib.suppress(Invalid):
        assert folders_of(script(replace(PLAIN, work_directory=path, output=f"{path}/x")))[0] == path


@given(st.text(max_size=200))
def test_no_text_of_a_user_adds_an_option(text):
    lines = len(head(PLAIN))
    with contextlib.suppress(Invalid):
        assert len(head(replace(PLAIN, name=text or "x", output=text or "o", script="#!/bin/bash\n" + text))) == lines
