"""When money must be extended and a job stopped, on values."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paracloud.jobs.world import SCRIPT, START

from paracloud.billing.funding import Funding
from paracloud.dialects.records import NativePhase, Observation
from paracloud.jobs.book import LiveJob
from paracloud.jobs.landing import MARGIN, Funds, checkpoint_signal, first_hold, is_low, next_held, stop_at
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.state import JobState
from paracloud.jobs.watch import running_since
from paracloud.kit.identifiers import JobId, NativeId, UnixAccount, new_uuid, submit_tag

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
JOB = JobId(new_uuid())
PLAIN = Funds(
    job=JOB, limit_seconds=3600, earlier_seconds=0, slice_seconds=600, grace_seconds=300, held_seconds=900,
    running_since=START, warned_at=None, signalled_at=None, stop_at=None, stopping_at=None,
)  # fmt: skip


def test_a_slice_and_the_grace_are_held_first_and_never_more_than_the_limit():
    funding = Funding(hold=10 * MINUTE, grace=5 * MINUTE)
    assert first_hold(funding, 60 * MINUTE) == 15 * MINUTE
    assert first_hold(funding, 12 * MINUTE) == 12 * MINUTE
    assert first_hold(Funding(), 60 * MINUTE) == 60 * MINUTE


def test_more_is_held_while_the_grace_can_still_follow():
    due = START + timedelta(seconds=600) - MARGIN
    assert not is_low(PLAIN, due - SECOND)
    assert is_low(PLAIN, due)
    assert next_held(PLAIN, due) == 1500
    assert not is_low(replace(PLAIN, held_seconds=3600), START + timedelta(days=1))


@given(
    elapsed=st.integers(0, 10_000),
    slice_seconds=st.integers(60, 5000),
    grace=st.integers(0, 5000),
    earlier=st.integers(0, 500),
)
def test_one_extension_is_enough_whoever_looked_away_for_however_long(elapsed, slice_seconds, grace, earlier):
    funds = replace(
        PLAIN, slice_seconds=slice_seconds, grace_seconds=grace, held_seconds=slice_seconds + grace,
        earlier_seconds=earlier,
    )  # fmt: skip
    now = START + timedelta(seconds=elapsed)
    if not is_low(funds, now):
        return
    longer = replace(funds, held_seconds=next_held(funds, now))
    assert not is_low(longer, now)
    assert funds.held_seconds < longer.held_seconds <= funds.most_seconds
    if longer.held_seconds < funds.most_seconds:
        assert longer.held_until >= now + timedelta(seconds=grace) + MARGIN


def test_runs_before_a_requeue_count_and_are_paid_for_as_well():
    again = replace(PLAIN, earlier_seconds=500, running_since=START)
    assert is_low(again, START + timedelta(seconds=70))
    assert again.held_until == START + timedelta(seconds=400)
    assert again.most_seconds == 4100


@pytest.mark.parametrize(("late", "expected"), [(0, 300), (600, 300), (700, 200), (900, 0), (1200, 0)])
def test_the_grace_is_over_when_what_is_held_is_used_up_but_never_before_the_signal(late, expected):
    when = START + timedelta(seconds=late)
    assert stop_at(PLAIN, when) == when + timedelta(seconds=expected)


def test_a_run_that_began_after_the_signal_has_not_had_it():
    told = replace(PLAIN, warned_at=START, signalled_at=START + MINUTE)
    assert told.is_told
    assert not replace(told, running_since=START + 2 * MINUTE).is_told


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("", "TERM"), ("USR2", "USR2"), ("B:USR1@120", "B:USR1"), ("R:INT@60", "INT"), ("RB:SIGHUP", "B:HUP"),
        ("b:sigusr1@60", "B:USR1"), ("KILL@10", "TERM"), ("10@60", "TERM"), ("B:", "TERM"),
    ],
)  # fmt: skip
def test_a_users_own_signal_goes_before_the_projects(asked, sent):
    spec = JobSpec("x", SCRIPT, 60 * MINUTE, extra={"signal": asked} if asked else {})
    assert checkpoint_signal(spec, Funding(signal="TERM")) == sent


def test_the_longest_running_task_of_an_array_counts_and_no_other_tenants():
    account = UnixAccount("east0")
    live = LiveJob(JOB, submit_tag(JOB), NativeId("7"), account, JobState.RUNNING, "", "", 4, None)

    def task(index, phase, minutes, of=account):
        started = None if minutes is None else START + minutes * MINUTE
        return Observation(NativeId("7"), index, submit_tag(JOB), of, phase, "", "", START, started, "")

    seen = [
        task(0, NativePhase.COMPLETED, 0),
        task(1, NativePhase.RUNNING, 9),
        task(2, NativePhase.RUNNING, 5),
        task(3, NativePhase.QUEUED, None),
        task(1, NativePhase.RUNNING, 1, UnixAccount("east1")),
    ]
    assert running_since([live], seen) == {JOB: START + 5 * MINUTE}
    assert running_since([live], [seen[0], seen[3]]) == {}
