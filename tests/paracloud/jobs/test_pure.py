"""Rules on values: whose a record is, how tasks make a job's end, what is written and read back."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paracloud.jobs.world import START, record

from paracloud.centres.centre import Owner
from paracloud.dialects.records import NativePhase
from paracloud.dialects.slurm.directive import PASSED_THROUGH
from paracloud.dialects.slurm.script import script
from paracloud.jobs.answer import backoff
from paracloud.jobs.directives import DIRECTIVES, Use
from paracloud.jobs.intend import Need, need
from paracloud.jobs.match import Known, Whose, match
from paracloud.jobs.outcome import TaskEnd, end_of_job, end_of_task
from paracloud.jobs.request import request
from paracloud.jobs.spec import Dependency, InputFile, JobSpec
from paracloud.jobs.state import AT_CENTRE, FINAL, MOVES, JobState, may_move
from paracloud.jobs.written import read_spec, write_spec
from paracloud.kit.identifiers import BlobId, CentreName, JobId, NativeId, ProjectId, UnixAccount, new_uuid, submit_tag
from paracloud.kit.money import Money
from paracloud.placement.constraints import Constraints

JOB, PROJECT = JobId(uuid4()), ProjectId(uuid4())
MINE = UnixAccount("east0")
OWNERS = {MINE: Owner(PROJECT, START), UnixAccount("east1"): Owner(ProjectId(uuid4()), START)}
KNOWN = Known(JOB, MINE, NativeId("7"), tries=2, cores=4)


def whose_of(*records, known=KNOWN):
    return [one.whose for one in match(records, {submit_tag(JOB): known}, OWNERS)]


@pytest.mark.parametrize(
    ("changes", "whose"),
    [
        ({}, Whose.JOB),
        ({"account": UnixAccount("east1")}, Whose.BY_HAND),
        ({"account": UnixAccount("mallory")}, Whose.NOBODY),
        ({"tag": None}, Whose.BY_HAND),
        ({"tag": None, "submitted_at": START - timedelta(seconds=1)}, Whose.NOBODY),
        ({"submitted_at": START - timedelta(hours=1)}, Whose.JOB),  # the centre's clock is slow; the job proves itself
        ({"tag": submit_tag(JobId(uuid4()))}, Whose.BY_HAND),
        ({"native_id": NativeId("8"), "elapsed_seconds": 60}, Whose.DUPLICATE),
        ({"native_id": NativeId("8"), "elapsed_seconds": 61}, Whose.BY_HAND),
        ({"native_id": NativeId("8"), "elapsed_seconds": 60, "cores": 5}, Whose.BY_HAND),
    ],
)
def test_a_record_is_a_jobs_only_where_tag_account_and_native_id_fit(changes, whose):
    assert whose_of(record(JOB, "7", **changes)) == [whose]


def test_what_starts_where_a_job_has_left_is_at_our_cost_as_often_as_we_tried_and_a_minute_each():
    left = Known(JOB, MINE, NativeId("7"), tries=1, cores=4, has_left=True)
    own, second = record(JOB, "7", elapsed_seconds=1), record(JOB, "8", elapsed_seconds=1)
    assert whose_of(own, second, known=left) == [Whose.DUPLICATE, Whose.BY_HAND]
    assert whose_of(record(JOB, "7", elapsed_seconds=61), known=left) == [Whose.BY_HAND]
    never_sent = Known(JOB, MINE, None, tries=0, cores=4, has_left=True)
    assert whose_of(own, known=never_sent) == [Whose.BY_HAND]


def test_each_place_that_a_job_had_has_duplicates_of_its_own():
    job = JobId(new_uuid())
    first, third = submit_tag(job), submit_tag(job, 2)
    known = {tag: Known(job, MINE, NativeId("7"), tries=1, cores=4, has_left=True) for tag in (first, third)}
    records = [record(job, native, tag=tag, elapsed_seconds=1) for native, tag in (("7", first), ("9", third))]
    assert [one.whose for one in match(records, known, OWNERS)] == [Whose.DUPLICATE, Whose.DUPLICATE]


def test_a_name_alone_makes_no_duplicate_where_we_tried_once():
    known = Known(JOB, MINE, NativeId("7"), tries=1, cores=4)
    assert whose_of(record(JOB, "8", elapsed_seconds=1), known=known) == [Whose.BY_HAND]


def test_a_job_has_no_more_duplicates_than_submissions_that_were_tried_besides_its_own():
    three = [record(JOB, native_id, elapsed_seconds=1) for native_id in ("8", "9", "8")]
    assert whose_of(*three) == [Whose.DUPLICATE, Whose.BY_HAND, Whose.DUPLICATE]
    before = Known(JOB, MINE, NativeId("7"), tries=2, cores=4, duplicates=frozenset([NativeId("9")]))
    assert whose_of(*three, known=before) == [Whose.BY_HAND, Whose.DUPLICATE, Whose.BY_HAND]


def test_a_record_is_kept_for_later_while_the_native_id_is_unknown():
    known = Known(JOB, MINE, None, tries=1, cores=4)
    assert whose_of(record(JOB, "7"), known=known) == [Whose.NOT_YET]


@given(
    st.sampled_from([submit_tag(JOB), submit_tag(JobId(uuid4())), None]),
    st.sampled_from(["east0", "east1", "mallory", "root"]),
    st.sampled_from(["7", "8"]),
    st.integers(0, 10**6),
)
def test_no_record_of_a_foreign_account_is_ever_ours(tag, account, native_id, seconds):
    one = record(JOB, native_id, tag=tag, account=UnixAccount(account), elapsed_seconds=seconds)
    (found,) = match([one], {submit_tag(JOB): KNOWN}, OWNERS)
    assert (found.job is not None) <= (account == "east0" and tag == submit_tag(JOB))
    assert (found.project is None) == (UnixAccount(account) not in OWNERS)


def test_only_an_unbroken_end_counts_while_the_job_is_alive():
    for phase in NativePhase:
        ended = end_of_task(record(JOB, "7", phase=phase), [NativeId("7")])
        brought_back = phase in (NativePhase.NODE_FAILED, NativePhase.REQUEUED)
        open_ones = (NativePhase.QUEUED, NativePhase.HELD, NativePhase.RUNNING, NativePhase.ENDING, NativePhase.UNKNOWN)
        assert (ended is None) == (brought_back or phase in open_ones)


@given(st.lists(st.sampled_from(["completed", "failed", "cancelled", "timeout"]), min_size=1, max_size=9))
def test_a_job_is_completed_only_when_every_task_is(states):
    ends = [
        TaskEnd(JobState(state), 0, 0, START, START + timedelta(seconds=index), "", "")
        for index, state in enumerate(states)
    ]
    job = end_of_job(ends)
    assert (job.state is JobState.COMPLETED) == (set(states) == {"completed"})
    assert (job.state is JobState.FAILED) == ("failed" in states)
    assert job.ended_at == START + timedelta(seconds=len(states) - 1)


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        ("afterok", JobState.RUNNING, Need.OPEN),
        ("afterok", JobState.COMPLETED, Need.MET),
        ("afterok", JobState.LOST, Need.NEVER),
        ("afternotok", JobState.FAILED, Need.MET),
        ("afternotok", JobState.COMPLETED, Need.NEVER),
        ("afterany", JobState.REFUSED, Need.MET),
        ("after", JobState.CANCELLED, Need.MET),
        ("after", JobState.QUEUED, Need.OPEN),
    ],
)
def test_a_dependency_is_open_met_or_hopeless(kind, state, expected):
    assert need(kind, state) is expected


def test_the_wait_between_tries_doubles_up_to_a_minute():
    assert [backoff(tries).total_seconds() for tries in (0, 1, 2, 3, 7, 1000)] == [1, 1, 2, 4, 60, 60]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.builds(
        JobSpec,
        name=TEXT,
        script=TEXT,
        wall_limit=st.integers(1, 10**7).map(lambda seconds: timedelta(seconds=seconds)),
        tasks=st.integers(1, 10**6),
        nodes=st.none() | st.integers(1, 1000),
        memory_per_node_bytes=st.none() | st.integers(1, 1 << 50),
        gpu_model=st.none() | TEXT,
        exclusive=st.booleans(),
        centre=st.none() | TEXT.map(CentreName),
        array=st.none() | TEXT,
        depends_on=st.lists(st.builds(Dependency, TEXT, st.uuids().map(JobId)), max_size=3).map(tuple),
        environment=st.dictionaries(TEXT, TEXT, max_size=3),
        inputs=st.lists(
            st.builds(InputFile, TEXT, st.just(BlobId("a" * 64)), st.integers(0, 9), st.booleans()), max_size=3
        ).map(tuple),
        requeue=st.booleans(),
        extra=st.dictionaries(TEXT, TEXT, max_size=3),
    )
)
def test_a_spec_reads_back_as_it_was_written(spec):
    assert read_spec(json.loads(json.dumps(write_spec(spec))), spec.script) == spec


def test_every_option_that_passes_through_is_one_that_the_scheduler_s_dialect_passes():
    assert {one.name for one in DIRECTIVES if one.use is Use.PASSED} <= PASSED_THROUGH


def test_a_dependent_job_asks_the_scheduler_to_give_up_when_it_can_never_start():
    spec = JobSpec(name="a", script="#!/bin/sh\ntrue\n", wall_limit=timedelta(minutes=1))
    written = script(request(JOB, spec, "cpu", [("afterok", NativeId("7"))], is_held=False))
    assert "#SBATCH --dependency=afterok:7" in written
    assert "#SBATCH --kill-on-invalid-dep=yes" in written
    assert "kill-on-invalid-dep" not in script(request(JOB, spec, "cpu", [], is_held=False))


def test_no_move_leads_back_from_an_end_but_from_lost():
    for state in FINAL - {JobState.LOST}:
        assert not MOVES[state]
    assert all(may_move(JobState.LOST, to) == (to in FINAL - {JobState.LOST, JobState.REFUSED}) for to in JobState)
    assert all(not may_move(state, JobState.ACCEPTED) for state in AT_CENTRE)


def test_what_a_job_demands_is_read_as_it_was_written():
    demands = Constraints(
        region="华东", residency=frozenset({"华东", "华北"}), applications=frozenset({"lammps"}), least_trust=2,
        most_cost=Money(5, "USD"), most_wait=timedelta(hours=1), deadline=datetime(2026, 6, 1, tzinfo=UTC),
    )  # fmt: skip
    for constraints in (demands, Constraints(), Constraints(residency=frozenset())):
        spec = JobSpec("j", "s", timedelta(minutes=5), objective="deadline", constraints=constraints)
        assert read_spec(json.loads(json.dumps(write_spec(spec))), "s") == spec
