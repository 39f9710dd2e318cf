"""One suite for every Book: records of jobs that are nobody's, somebody else's, or one too many."""

from tests.contract.books.steps import MINUTE, queued, settle
from tests.contract.stands import Stand
from tests.paracloud.jobs.world import record

from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import NativeId


async def test_a_job_started_by_hand_is_billed_to_the_accounts_project(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    assert (await settle(stand, lease, record(None, "99", account=stand.account))).charged == 1
    assert await stand.wallet_micro() == before - stand.cost_micro(600)


async def test_usage_of_an_account_that_is_nobodys_bills_nobody(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    forged = record(job, "7", account="mallory")
    settled = await settle(stand, lease, forged)
    assert (settled.charged, settled.unclaimed) == (0, 1)
    assert await stand.state(job) is JobState.QUEUED
    assert await stand.wallet_micro() + await stand.held_micro() == before


async def test_another_tenants_record_with_our_tag_neither_ends_nor_charges_our_job(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    await settle(stand, lease, record(job, "7", record_id=NativeId("7"), account=stand.foreign_account))
    assert await stand.state(job) is JobState.QUEUED
    assert await stand.wallet_micro() + await stand.held_micro() == before


async def test_a_duplicate_is_the_platforms_cost_and_ends_nothing(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await stand.accept()
    await stand.book.intend(lease, limit=10)
    await stand.book.submitted(lease, {}, postponed={job: "no answer"})
    stand.forward(MINUTE)
    await stand.book.intend(lease, limit=10)
    await stand.book.submitted(lease, {job: NativeId("7")}, postponed={})
    second = record(job, "8", elapsed_seconds=2)
    await settle(stand, lease, second)
    assert await stand.state(job) is JobState.QUEUED
    assert await stand.wallet_micro() + await stand.held_micro() == before
    assert await stand.ledger_sum_micro() == 0
    await settle(stand, lease, record(job, "9", elapsed_seconds=2), second)
    assert await stand.wallet_micro() + await stand.held_micro() == before - stand.cost_micro(2)


async def test_a_jobs_name_makes_nothing_free_where_its_submission_was_tried_once(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    await settle(stand, lease, record(job, "8", elapsed_seconds=2))
    assert await stand.state(job) is JobState.QUEUED
    assert await stand.wallet_micro() + await stand.held_micro() == before - stand.cost_micro(2)


async def test_long_work_under_a_jobs_tag_is_no_duplicate_and_the_tenant_pays(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    await settle(stand, lease, record(job, "8", elapsed_seconds=3000))
    assert await stand.state(job) is JobState.QUEUED
    assert await stand.wallet_micro() + await stand.held_micro() == before - stand.cost_micro(3000)


async def test_a_record_that_comes_before_the_native_id_is_kept_for_later(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await stand.accept()
    await stand.book.intend(lease, limit=10)
    early = await settle(stand, lease, record(job, "7"))
    assert (early.charged, early.known, early.waiting) == (0, 0, 1)
    assert await stand.state(job) is JobState.SUBMITTING
    await stand.book.submitted(lease, {job: NativeId("7")}, postponed={})
    assert (await settle(stand, lease, record(job, "7"))).charged == 1
    assert await stand.state(job) is JobState.COMPLETED
    assert await stand.wallet_micro() == before - stand.cost_micro(600)
