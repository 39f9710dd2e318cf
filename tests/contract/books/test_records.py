"""One suite for every Book: what accounting's records end and charge."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contract.books.steps import MINUTE, queued, settle
from tests.contract.stands import Stand
from tests.paracloud.jobs.world import START, record

from paracloud.dialects.records import NativePhase
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import NativeId


async def test_a_record_ends_its_job_and_is_charged_once_however_often_it_is_read(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    first = await settle(stand, lease, record(job, "7"))
    assert (first.charged, first.corrected, first.known, first.unclaimed) == (1, 0, 0, 0)
    again = await settle(stand, lease, record(job, "7"))
    assert (again.charged, again.corrected, again.known) == (0, 0, 1)
    assert await stand.state(job) is JobState.COMPLETED
    assert await stand.wallet_micro() == before - stand.cost_micro(600)
    assert await stand.held_micro() == 0
    assert await stand.ledger_sum_micro() == 0


async def test_a_record_that_changes_after_it_was_charged_adds_the_difference(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    await settle(stand, lease, record(job, "7"))
    longer = record(job, "7", elapsed_seconds=900, ended_at=START + timedelta(seconds=900))
    assert (await settle(stand, lease, longer)).corrected == 1
    assert await stand.wallet_micro() == before - stand.cost_micro(900)
    shorter = record(job, "7", elapsed_seconds=60, phase=NativePhase.FAILED)
    assert (await settle(stand, lease, shorter)).corrected == 1
    assert await stand.wallet_micro() == before - stand.cost_micro(60)
    assert await stand.state(job) is JobState.COMPLETED
    assert await stand.ledger_sum_micro() == 0


async def test_more_than_the_hold_is_charged_all_the_same(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    await settle(stand, lease, record(job, "7", elapsed_seconds=4000))
    assert await stand.wallet_micro() == before - stand.cost_micro(4000)
    assert await stand.held_micro() == 0
    assert await stand.state(job) is JobState.COMPLETED


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (NativePhase.FAILED, JobState.FAILED),
        (NativePhase.TIMEOUT, JobState.TIMEOUT),
        (NativePhase.CANCELLED, JobState.CANCELLED),
        (NativePhase.NODE_FAILED, JobState.FAILED),
    ],
)
async def test_a_record_says_how_a_job_ended(stand: Stand, phase, state):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    await settle(stand, lease, record(job, "7", phase=phase))
    assert await stand.state(job) is state


async def test_a_state_that_is_not_understood_is_not_charged_and_ends_nothing_until_it_is(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    await settle(stand, lease, record(job, "7", phase=NativePhase.UNKNOWN, native_state="FOO"))
    assert await stand.state(job) is JobState.QUEUED
    assert await stand.held_micro() + await stand.wallet_micro() == before
    await settle(stand, lease, record(job, "7"))
    assert await stand.state(job) is JobState.COMPLETED
    assert (await stand.held_micro(), await stand.wallet_micro()) == (0, before - stand.cost_micro(600))


async def test_a_job_cancelled_while_it_waited_costs_nothing(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7")
    never = record(job, "7", phase=NativePhase.CANCELLED, started_at=None, elapsed_seconds=0, cores=0, nodes=0)
    await settle(stand, lease, never)
    assert await stand.state(job) is JobState.CANCELLED
    assert (await stand.held_micro(), await stand.wallet_micro()) == (0, before)


async def test_an_array_ends_with_its_last_task_and_the_worst_of_them_speaks(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7", array="0-2")
    task = [record(job, "7", record_id=NativeId(str(7 + index)), task_index=index) for index in range(3)]
    await settle(stand, lease, task[0])
    await settle(stand, lease, task[0], replace(task[1], phase=NativePhase.FAILED, exit_code=3))
    assert await stand.state(job) is JobState.QUEUED
    await settle(stand, lease, task[2])
    assert await stand.state(job) is JobState.FAILED
    assert await stand.wallet_micro() == before - stand.cost_micro(3 * 600)
    assert await stand.held_micro() == 0


async def test_one_record_ends_all_tasks_of_an_array_that_never_started(stand: Stand):
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7", array="0-99")
    failed = record(job, "7", record_id=NativeId("8"), task_index=0, phase=NativePhase.FAILED)
    rest = record(job, "7", phase=NativePhase.CANCELLED, started_at=None, elapsed_seconds=0, cores=0)
    await settle(stand, lease, failed)
    assert await stand.state(job) is JobState.QUEUED
    await settle(stand, lease, rest)
    assert await stand.state(job) is JobState.FAILED
    assert await stand.wallet_micro() == before - stand.cost_micro(600)


async def test_a_record_of_unstarted_tasks_leaves_those_that_it_does_not_name(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7", array="0-9")
    never = record(job, "7", phase=NativePhase.CANCELLED, started_at=None, elapsed_seconds=0, cores=0)
    await settle(stand, lease, replace(never, unstarted="1-9"))
    assert await stand.state(job) is JobState.QUEUED
    await settle(stand, lease, record(job, "7", record_id=NativeId("8"), task_index=0, phase=NativePhase.FAILED))
    assert await stand.state(job) is JobState.FAILED


@pytest.mark.parametrize("unstarted", ["0-99999999", "x", "", "4-1"])
async def test_a_list_of_unstarted_tasks_that_makes_no_sense_means_all_of_them(stand: Stand, unstarted):
    lease = await stand.claim()
    job = await queued(stand, lease, "7", array="0-9")
    never = record(job, "7", phase=NativePhase.CANCELLED, started_at=None, elapsed_seconds=0, cores=0)
    await settle(stand, lease, replace(never, unstarted=unstarted))
    assert await stand.state(job) is JobState.CANCELLED


async def test_the_accounting_window_only_moves_forward(stand: Stand):
    lease = await stand.claim()
    assert await stand.book.accounted_until(lease) is None
    for until in (START, START + MINUTE, START):
        await stand.book.settle(lease, [], alive=[], read_until=until)
    assert await stand.book.accounted_until(lease) == START + MINUTE
