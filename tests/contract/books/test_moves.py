"""One suite for every Book: how a waiting job leaves a centre for another."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contract.books.steps import moved, queued, settle
from tests.contract.stands import Stand
from tests.paracloud.jobs.world import EAST, START, WEST, record

from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import JobId, NativeId, submit_tag
from paracloud.kit.lease import Lease

HOUR = 3600


async def steps(stand: Stand, lease: Lease) -> list[MoveStep]:
    return [one.step for one in await stand.book.departures(lease)]


async def departing(stand: Stand, lease: Lease, *, until: MoveStep) -> JobId:
    """A job, queued as 7, whose move has come to this step."""
    job = await queued(stand, lease, "7", movable=True)
    await stand.move(job)
    if until is not MoveStep.HOLDING:
        await stand.book.leave(lease, job)
    if until is MoveStep.CANCELLING:
        await stand.book.fenced(lease, {job: True})
    assert await steps(stand, lease) == [until]
    return job


def cancelled(job: JobId, native_id: str = "7") -> AccountingRecord:
    never_ran = {"started_at": None, "elapsed_seconds": 0, "cores": 0, "nodes": 0, "exit_code": 0}
    return record(job, native_id, phase=NativePhase.CANCELLED, native_state="CANCELLED by 0", **never_ran)


async def test_a_job_leaves_step_by_step_and_is_submitted_once_more_under_a_new_tag(stand: Stand) -> None:
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await departing(stand, lease, until=MoveStep.HOLDING)
    (departure,) = await stand.book.departures(lease)
    assert (departure.job, departure.tag, departure.native_id) == (job, job.hex, "7")
    assert departure.account == stand.account
    await stand.book.leave(lease, job)
    await stand.book.fenced(lease, {job: True})
    assert await stand.place(job) == EAST
    settled = await settle(stand, lease, cancelled(job))
    assert (settled.charged, await stand.place(job), await stand.state(job)) == (1, WEST, JobState.ACCEPTED)
    assert list(await stand.book.live(lease)) == []
    assert list(await stand.book.departures(lease)) == []
    assert await stand.held_micro() == stand.cost_micro(HOUR)
    assert await stand.wallet_micro() + await stand.held_micro() == before
    west = await stand.claim_west()
    (dispatch,) = await stand.book.intend(west, limit=10)
    assert (dispatch.job, dispatch.account, dispatch.is_first_try) == (job, "west0", True)
    assert dispatch.tag == dispatch.request.tag == submit_tag(job, 1) != job.hex
    await stand.book.submitted(west, {job: NativeId("3")}, postponed={})
    (live,) = await stand.book.live(west)
    assert (live.tag, live.native_id, live.account) == (submit_tag(job, 1), "3", "west0")
    done = record(job, "3", tag=submit_tag(job, 1), name=f"pc-{submit_tag(job, 1)}", account="west0")
    assert (await settle(stand, west, done)).charged == 1
    assert await stand.state(job) is JobState.COMPLETED
    assert (await stand.wallet_micro(), await stand.held_micro()) == (before - stand.cost_micro(600), 0)
    assert await stand.ledger_sum_micro() == 0


@pytest.mark.parametrize("step", [MoveStep.HOLDING, MoveStep.LEAVING, MoveStep.CANCELLING])
async def test_whoever_cancels_a_job_cancels_its_move_however_far_it_came(stand: Stand, step: MoveStep) -> None:
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await departing(stand, lease, until=step)
    await stand.wish(job, "cancel")
    assert list(await stand.book.departures(lease)) == []
    (wish,) = await stand.book.wishes(lease)
    assert wish.kind == "cancel"
    await stand.book.granted(lease, [wish])
    await settle(stand, lease, cancelled(job))
    assert (await stand.state(job), await stand.place(job)) == (JobState.CANCELLED, EAST)
    assert (await stand.wallet_micro(), await stand.held_micro()) == (before, 0)


@pytest.mark.parametrize("step", [MoveStep.HOLDING, MoveStep.LEAVING])
async def test_a_cancel_before_the_marker_is_ours_is_the_jobs_end(stand: Stand, step: MoveStep) -> None:
    """By hand, at the centre."""
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await departing(stand, lease, until=step)
    await settle(stand, lease, cancelled(job))
    assert (await stand.state(job), await stand.place(job)) == (JobState.CANCELLED, EAST)
    assert (await stand.wallet_micro(), await stand.held_micro()) == (before, 0)


async def test_a_job_that_has_its_marker_stays_and_is_charged_where_it_ran(stand: Stand) -> None:
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await departing(stand, lease, until=MoveStep.LEAVING)
    await stand.book.fenced(lease, {job: False})
    assert await steps(stand, lease) == [MoveStep.RELEASING]
    await stand.book.observed(lease, [moved(job, JobState.RUNNING, "RUNNING")])
    await stand.book.stay(lease, [job])
    assert await steps(stand, lease) == []
    await settle(stand, lease, record(job, "7"))
    assert (await stand.state(job), await stand.place(job)) == (JobState.COMPLETED, EAST)
    assert (await stand.wallet_micro(), await stand.held_micro()) == (before - stand.cost_micro(600), 0)


async def test_a_job_that_started_before_the_hold_took_effect_stays(stand: Stand) -> None:
    lease = await stand.claim()
    job = await departing(stand, lease, until=MoveStep.HOLDING)
    await stand.book.observed(lease, [moved(job, JobState.RUNNING, "RUNNING")])
    await stand.book.leave(lease, job)
    assert await steps(stand, lease) == [MoveStep.HOLDING]
    await stand.book.stay(lease, [job])
    assert await steps(stand, lease) == []


async def test_steps_that_come_twice_or_out_of_turn_change_nothing(stand: Stand) -> None:
    lease = await stand.claim()
    job = await departing(stand, lease, until=MoveStep.HOLDING)
    await stand.book.fenced(lease, {job: True})
    assert await steps(stand, lease) == [MoveStep.HOLDING]
    for _ in range(2):
        await stand.book.leave(lease, job)
    held = await stand.held_micro()
    for _ in range(2):
        await stand.book.fenced(lease, {job: True})
        await stand.book.stay(lease, [job])
        await stand.book.leave(lease, job)
    assert await steps(stand, lease) == [MoveStep.CANCELLING]
    await stand.book.fenced(lease, {job: False})
    assert await steps(stand, lease) == [MoveStep.CANCELLING]
    assert await stand.held_micro() == held
    for _ in range(2):
        await settle(stand, lease, cancelled(job))
    assert (await stand.state(job), await stand.held_micro()) == (JobState.ACCEPTED, held)


async def test_what_starts_under_the_marker_is_the_platforms_cost_and_hands_the_job_over(stand: Stand) -> None:
    """Its scheduler forgot the hold, or the tenant released it by hand: it found the marker taken."""
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await departing(stand, lease, until=MoveStep.CANCELLING)
    await stand.book.observed(lease, [replace(moved(job, JobState.RUNNING, "RUNNING"), started_at=START)])
    await settle(stand, lease, record(job, "7", elapsed_seconds=2))
    assert (await stand.state(job), await stand.place(job)) == (JobState.ACCEPTED, WEST)
    assert await stand.wallet_micro() + await stand.held_micro() == before
    assert await stand.ledger_sum_micro() == 0
    west = await stand.claim_west()
    await stand.book.intend(west, limit=10)
    await stand.book.submitted(west, {job: NativeId("3")}, postponed={})
    await stand.move_back(job)
    assert await steps(stand, west) == [MoveStep.HOLDING]
    await stand.book.leave(west, job)
    assert await steps(stand, west) == [MoveStep.LEAVING]


async def test_what_starts_at_a_centre_that_the_job_has_left_ends_nothing(stand: Stand) -> None:
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await departing(stand, lease, until=MoveStep.CANCELLING)
    await settle(stand, lease, cancelled(job))
    late = record(job, "7", submitted_at=START + timedelta(seconds=1), elapsed_seconds=2)
    await settle(stand, lease, late)
    assert (await stand.state(job), await stand.place(job)) == (JobState.ACCEPTED, WEST)
    assert await stand.wallet_micro() + await stand.held_micro() == before
    long = record(job, "7", submitted_at=START + timedelta(seconds=2), elapsed_seconds=3000)
    await settle(stand, lease, long)
    assert await stand.state(job) is JobState.ACCEPTED
    assert await stand.wallet_micro() + await stand.held_micro() == before - stand.cost_micro(3000)


async def test_a_departed_job_that_its_centre_forgot_is_handed_over_and_not_lost(stand: Stand) -> None:
    lease = await stand.claim()
    job = await departing(stand, lease, until=MoveStep.CANCELLING)
    await stand.book.observed(lease, [moved(job, JobState.VANISHED)])
    await stand.book.lose(lease, [job])
    assert (await stand.state(job), await stand.place(job)) == (JobState.ACCEPTED, WEST)


async def test_a_job_that_its_user_holds_is_not_held_for_a_move(stand: Stand) -> None:
    lease = await stand.claim()
    job = await departing(stand, lease, until=MoveStep.HOLDING)
    await stand.wish(job, "hold")
    assert await steps(stand, lease) == []
    assert [wish.kind for wish in await stand.book.wishes(lease)] == ["hold"]


async def test_a_job_that_its_user_releases_is_released_for_good(stand: Stand) -> None:
    lease = await stand.claim()
    job = await departing(stand, lease, until=MoveStep.HOLDING)
    await stand.wish(job, "release")
    assert await steps(stand, lease) == [MoveStep.RELEASING]
    await stand.book.leave(lease, job)
    assert await steps(stand, lease) == [MoveStep.RELEASING]


async def test_a_hold_of_a_job_that_is_leaving_is_for_its_new_place(stand: Stand) -> None:
    lease = await stand.claim()
    job = await departing(stand, lease, until=MoveStep.CANCELLING)
    await stand.wish(job, "hold")
    assert list(await stand.book.wishes(lease)) == []
    await settle(stand, lease, cancelled(job))
    (dispatch,) = await stand.book.intend(await stand.claim_west(), limit=10)
    assert dispatch.request.hold


async def test_a_job_that_others_come_to_need_stays(stand: Stand) -> None:
    lease = await stand.claim()
    job = await departing(stand, lease, until=MoveStep.HOLDING)
    await stand.accept(after=job)
    await stand.book.leave(lease, job)
    assert await steps(stand, lease) == [MoveStep.RELEASING]
