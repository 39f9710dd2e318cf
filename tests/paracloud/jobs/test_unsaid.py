"""What a scheduler cannot be told is known before a job is placed, and so never refuses it afterwards."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paracloud.placement.test_choose import CPU

from paracloud.dialects.registry import DIALECTS, dialect_named
from paracloud.jobs.movable import ANYWHERE
from paracloud.jobs.need import need
from paracloud.jobs.request import request
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.unsaid import unsaid
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import JobId
from paracloud.placement.filter import filter_offers

GIB = 1 << 30
PLAIN = JobSpec("melt", "#!/bin/bash\necho hi\n", timedelta(hours=2))
VALUES = {
    "comment": "for you", "distribution": "cyclic", "hint": "nomultithread", "mincpus": "2", "nice": "5",
    "open-mode": "append", "signal": "USR1@60", "time-min": "10",
}  # fmt: skip


def refused(spec: JobSpec) -> set[str]:
    """By whoever writes its script for the job itself."""
    found = set()
    for name in DIALECTS:
        try:
            dialect_named(name).script(request(JobId(UUID(int=7)), spec, "cpu", (), is_held=spec.hold))
        except Refused:
            found.add(name)
    return found


@st.composite
def specs(draw) -> JobSpec:
    memory = draw(st.sampled_from([{}, {"memory_per_node_bytes": 3 * GIB + 1}, {"memory_per_core_bytes": GIB + 7}]))
    names = draw(st.lists(st.sampled_from([*VALUES, "qos", "licenses", "begin"]), max_size=2))
    values = {**VALUES, "qos": "high", "licenses": "abaqus", "begin": "2026-12-01T08:00:00"}
    return replace(
        PLAIN,
        wall_limit=draw(st.sampled_from([timedelta(seconds=30), timedelta(days=9)])),
        tasks=draw(st.integers(1, 9)),
        cores_per_task=draw(st.integers(1, 3)),
        nodes=draw(st.sampled_from([None, None, 1, 2, 3])),
        tasks_per_node=draw(st.sampled_from([None, None, 1, 4])),
        gpus_per_node=draw(st.sampled_from([0, 0, 2])),
        exclusive=draw(st.sampled_from([False, False, True])),
        array=draw(st.sampled_from([None, None, None, "0-6", "1,3,7", "5", "0-9:3%4"])),
        requeue=draw(st.sampled_from([False, False, True])),
        output=draw(st.sampled_from([None, None, "out/%x-%j.txt"])),
        extra={name: values[name] for name in names},
        **memory,
    )


@given(specs())
def test_what_is_said_to_be_refused_is_what_the_scheduler_refuses(spec: JobSpec) -> None:
    """Those that are not even asked, because what they want is plain, too."""
    assert {name for name, _ in unsaid(spec)} == refused(spec)


@pytest.mark.parametrize(
    ("asks", "by"),
    [
        ({}, set()),
        ({"exclusive": True}, {"gridengine"}),
        ({"array": "1,3,7"}, {"gridengine", "openpbs"}),
        ({"tasks": 5, "nodes": 2}, {"gridengine"}),
        ({"extra": {"hint": "nomultithread"}}, {"gridengine", "openpbs", "torque"}),
    ],
)
def test_what_not_every_scheduler_can_be_told(asks, by) -> None:
    found = unsaid(replace(PLAIN, **asks))
    assert {name for name, _ in found} == by
    assert all(en and zh for _, (en, zh) in found)


def test_a_place_whose_scheduler_cannot_be_told_is_out_and_says_why() -> None:
    offers = [replace(CPU, dialect=one) for one in ("slurm", "gridengine")]
    fitting, (out,) = filter_offers(need(replace(PLAIN, exclusive=True)), offers)
    assert [one.dialect for one in fitting] == ["slurm"]
    assert "--exclusive cannot be said to this centre's Grid Engine" in out.en
    assert "--exclusive" in out.zh


def test_all_that_may_move_has_a_value_here() -> None:
    assert set(VALUES) == ANYWHERE
