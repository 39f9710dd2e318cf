"""One suite for every Book: what the listing shows, and what is made of a job that it shows no more."""

from datetime import timedelta

from tests.contract.books.steps import MINUTE, moved, queued, settle
from tests.contract.stands import Stand
from tests.paracloud.jobs.world import START, record

from paracloud.dialects.records import NativePhase
from paracloud.jobs.state import JobState


async def test_what_the_listing_shows_is_kept_and_absence_since_its_first_moment(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    await stand.book.observed(lease, [moved(job, JobState.RUNNING, "RUNNING")])
    assert await stand.state(job) is JobState.RUNNING
    await stand.book.observed(lease, [moved(job, JobState.VANISHED, at=START + MINUTE)])
    await stand.book.observed(lease, [moved(job, JobState.VANISHED, at=START + 2 * MINUTE)])
    (live,) = await stand.book.live(lease)
    assert (live.state, live.absent_since) == (JobState.VANISHED, START + MINUTE)
    await stand.book.observed(lease, [moved(job, JobState.RUNNING, "RUNNING", at=START + 3 * MINUTE)])
    (live,) = await stand.book.live(lease)
    assert (live.state, live.absent_since) == (JobState.RUNNING, None)


async def test_an_ended_job_is_not_revived_by_a_listing_nor_ended_by_one(stand: Stand):
    lease = await stand.claim()
    job, other = await queued(stand, lease, "7"), await queued(stand, lease, "8")
    await settle(stand, lease, record(job, "7"))
    await stand.book.observed(lease, [moved(job, JobState.RUNNING), moved(other, JobState.COMPLETED)])
    assert await stand.state(job) is JobState.COMPLETED
    assert await stand.state(other) is JobState.QUEUED


async def test_a_lost_job_is_not_charged_and_a_late_record_still_ends_it_properly(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    await stand.book.observed(lease, [moved(job, JobState.VANISHED)])
    await stand.book.lose(lease, [job])
    assert await stand.state(job) is JobState.LOST
    assert (await stand.held_micro(), await stand.wallet_micro()) == (0, before)
    assert list(await stand.book.live(lease)) == []
    await settle(stand, lease, record(job, "7"))
    assert await stand.state(job) is JobState.COMPLETED
    assert (await stand.held_micro(), await stand.wallet_micro()) == (0, before - stand.cost_micro(600))


async def test_a_job_that_ended_or_has_no_native_id_cannot_be_lost(stand: Stand):
    lease = await stand.claim()
    job, waiting = await queued(stand, lease, "7"), await stand.accept()
    await stand.book.intend(lease, limit=10)
    await settle(stand, lease, record(job, "7"))
    await stand.book.lose(lease, [job, waiting])
    assert await stand.state(job) is JobState.COMPLETED
    assert await stand.state(waiting) is JobState.SUBMITTING


async def test_a_lost_node_still_ends_a_job_that_was_lost(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    await stand.book.lose(lease, [job])
    await settle(stand, lease, record(job, "7", phase=NativePhase.NODE_FAILED), alive=("7",))
    assert await stand.state(job) is JobState.FAILED


async def test_a_lost_node_ends_no_job_that_is_in_the_queue_again(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    first = record(job, "7", phase=NativePhase.NODE_FAILED)
    second = record(job, "7", submitted_at=START + MINUTE, restart_count=1, ended_at=START + timedelta(hours=1))
    await settle(stand, lease, first, alive=("7",))
    assert await stand.state(job) is JobState.QUEUED
    assert (await settle(stand, lease, first, second)).charged == 1
    assert await stand.state(job) is JobState.COMPLETED
    assert await stand.wallet_micro() == before - stand.cost_micro(1200)


async def test_a_lost_node_ends_its_job_once_the_queue_does_not_show_it(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    failed = record(job, "7", phase=NativePhase.NODE_FAILED)
    await settle(stand, lease, failed, alive=("7",))
    await settle(stand, lease, failed)
    assert await stand.state(job) is JobState.FAILED
