"""One suite for every Book: how an accepted job becomes one of the centre's, once."""

import pytest
from tests.contract.books.steps import MINUTE, moved, queued, settle
from tests.contract.stands import Stand
from tests.paracloud.jobs.world import START, record

from paracloud.jobs.state import JobState
from paracloud.kit.errors import Fenced, Refused
from paracloud.kit.identifiers import NativeId


async def test_an_accepted_job_is_intended_until_an_answer_is_kept(stand: Stand):
    lease, job = await stand.claim(), await stand.accept()
    for _ in range(2):
        (dispatch,) = await stand.book.intend(lease, limit=10)
        assert (dispatch.job, dispatch.tag, dispatch.account) == (job, job.hex, stand.account)
        assert dispatch.request.tag == dispatch.tag
        assert await stand.state(job) is JobState.SUBMITTING
    await stand.book.submitted(lease, {job: NativeId("7")}, postponed={})
    assert await stand.book.intend(lease, limit=10) == ()
    assert await stand.state(job) is JobState.QUEUED


async def test_no_more_jobs_are_intended_than_asked_for_and_the_oldest_come_first(stand: Stand):
    lease = await stand.claim()
    jobs = [await stand.accept() for _ in range(3)]
    assert [one.job for one in await stand.book.intend(lease, limit=2)] == jobs[:2]


async def test_a_postponed_job_waits_a_little_longer_each_time(stand: Stand):
    lease, job = await stand.claim(), await stand.accept()
    await stand.book.intend(lease, limit=10)
    await stand.book.submitted(lease, {}, postponed={job: "no answer"})
    assert list(await stand.book.intend(lease, limit=10)) == []
    stand.forward(5 * MINUTE)
    assert [one.job for one in await stand.book.intend(lease, limit=10)] == [job]


async def test_a_live_job_is_listed_with_its_native_id(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7", array="0-4")
    (live,) = await stand.book.live(lease)
    assert (live.job, live.native_id, live.account, live.tasks) == (job, "7", stand.account, 5)
    assert live.absent_since is None
    assert set(await stand.book.accounts(lease)) == {stand.account, stand.foreign_account}


async def test_an_answer_that_comes_twice_changes_nothing(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    await stand.book.submitted(lease, {job: NativeId("8")}, postponed={})
    await stand.book.submitted(lease, {job: Refused("no", "不")}, postponed={job: "later"})
    (live,) = await stand.book.live(lease)
    assert live.native_id == "7"


async def test_a_refused_job_ends_and_its_hold_returns(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await stand.accept()
    assert await stand.held_micro() == stand.cost_micro(3600)
    await stand.book.intend(lease, limit=10)
    await stand.book.submitted(lease, {job: Refused("no such partition", "没有该分区")}, postponed={})
    assert await stand.state(job) is JobState.REFUSED
    assert await stand.held_micro() == 0
    assert await stand.wallet_micro() == before
    assert list(await stand.book.live(lease)) == []


async def test_a_job_cancelled_before_any_intent_is_never_intended(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await stand.accept()
    await stand.wish(job, "cancel")
    assert list(await stand.book.intend(lease, limit=10)) == []
    assert await stand.state(job) is JobState.CANCELLED
    assert await stand.wallet_micro() == before


async def test_a_dependent_job_waits_for_the_native_id_of_what_it_needs(stand: Stand):
    lease, first = await stand.claim(), await stand.accept()
    second = await stand.accept(after=first)
    assert [one.job for one in await stand.book.intend(lease, limit=10)] == [first]
    await stand.book.submitted(lease, {first: NativeId("7")}, postponed={})
    (dispatch,) = await stand.book.intend(lease, limit=10)
    assert (dispatch.job, dispatch.request.depends_on) == (second, (("afterok", "7"),))


async def test_a_dependency_on_an_ended_job_is_judged_by_the_book_not_by_a_native_id(stand: Stand):
    lease, first = await stand.claim(), await stand.accept()
    second = await stand.accept(after=first)
    await stand.book.intend(lease, limit=10)
    await stand.book.submitted(lease, {first: NativeId("7")}, postponed={})
    await settle(stand, lease, record(first, "7"))
    (dispatch,) = await stand.book.intend(lease, limit=10)
    assert (dispatch.job, dispatch.request.depends_on) == (second, ())


async def test_a_job_whose_dependency_failed_is_cancelled_and_not_submitted(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    first = await stand.accept()
    second = await stand.accept(after=first)
    await stand.wish(first, "cancel")
    assert list(await stand.book.intend(lease, limit=10)) == []
    assert await stand.state(second) is JobState.CANCELLED
    assert await stand.wallet_micro() == before


async def test_a_stale_fence_stops_every_method_and_nothing_is_written(stand: Stand):
    stale = await stand.claim()
    job = await queued(stand, stale, "7")
    waiting = await stand.accept()
    await stand.wish(job, "cancel")
    fresh = await stand.claim()
    (wish,) = await stand.book.wishes(fresh)
    before = await stand.wallet_micro()
    for attempt in (
        stand.book.accounts(stale),
        stand.book.intend(stale, limit=10),
        stand.book.submitted(stale, {waiting: NativeId("8")}, postponed={}),
        stand.book.live(stale),
        stand.book.observed(stale, [moved(job, JobState.RUNNING)]),
        stand.book.wishes(stale),
        stand.book.granted(stale, [wish]),
        stand.book.departures(stale),
        stand.book.leave(stale, job),
        stand.book.fenced(stale, {job: True}),
        stand.book.stay(stale, [job]),
        stand.book.accounted_until(stale),
        stand.book.settle(stale, [record(job, "7")], alive=[], read_until=START),
        stand.book.lose(stale, [job]),
    ):
        with pytest.raises(Fenced):
            await attempt
    assert await stand.state(job) is JobState.QUEUED
    assert await stand.state(waiting) is JobState.ACCEPTED
    assert await stand.wallet_micro() == before
    assert list(await stand.book.wishes(fresh)) == [wish]
    assert await stand.book.accounted_until(fresh) is None


async def test_a_second_intent_says_that_the_job_was_tried_before(stand: Stand) -> None:
    lease = await stand.claim()
    await stand.accept()
    first = await stand.book.intend(lease, limit=10)
    assert [one.is_first_try for one in first] == [True]
    await stand.book.submitted(lease, {}, postponed={first[0].job: "no answer"})
    stand.forward(MINUTE)
    assert [one.is_first_try for one in await stand.book.intend(lease, limit=10)] == [False]
