"""One suite for every Book: what users wish for their jobs stays until it is granted."""

import pytest
from tests.contract.books.steps import moved, queued, settle
from tests.contract.stands import Stand
from tests.paracloud.jobs.world import record

from paracloud.dialects.records import NativePhase
from paracloud.jobs.state import JobState
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import NativeId


async def test_what_waits_of_a_running_array_can_be_held_and_released(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7", array="0-9")
    await stand.book.observed(lease, [moved(job, JobState.RUNNING)])
    for kind in ("hold", "release"):
        await stand.wish(job, kind)
        assert [wish.kind for wish in await stand.book.wishes(lease)] == [kind]


async def test_only_what_waits_can_be_held(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    await stand.book.observed(lease, [moved(job, JobState.RUNNING)])
    with pytest.raises(Conflict):
        await stand.wish(job, "hold")


async def test_a_wish_for_a_live_job_stays_until_it_is_granted(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    await stand.wish(job, "hold")
    (held,) = await stand.book.wishes(lease)
    assert (held.job, held.native_id, held.account, held.kind) == (job, "7", stand.account, "hold")
    await stand.wish(job, "cancel")
    await stand.book.granted(lease, [held])
    (wish,) = await stand.book.wishes(lease)
    assert wish.kind == "cancel"
    await stand.book.granted(lease, [wish])
    assert list(await stand.book.wishes(lease)) == []


async def test_a_signal_is_wished_for_by_its_name_and_what_a_user_wishes_goes_before_it(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    await stand.book.observed(lease, [moved(job, JobState.RUNNING)])
    await stand.wish(job, "signal")
    (signal,) = await stand.book.wishes(lease)
    assert (signal.job, signal.kind, signal.signal) == (job, "signal", "USR1")
    await stand.wish(job, "cancel")
    await stand.book.granted(lease, [signal])
    (wish,) = await stand.book.wishes(lease)
    assert (wish.kind, wish.signal) == ("cancel", "")


async def test_a_signal_that_was_delivered_is_wished_for_no_more(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    await stand.book.observed(lease, [moved(job, JobState.RUNNING)])
    await stand.wish(job, "signal")
    await stand.book.granted(lease, await stand.book.wishes(lease))
    assert list(await stand.book.wishes(lease)) == []


async def test_a_wish_before_the_native_id_is_known_waits_for_it_and_an_ended_job_has_none(stand: Stand):
    lease, job = await stand.claim(), await stand.accept()
    await stand.book.intend(lease, limit=10)
    await stand.wish(job, "cancel")
    assert list(await stand.book.wishes(lease)) == []
    (dispatch,) = await stand.book.intend(lease, limit=10)
    assert dispatch.request.hold
    await stand.book.submitted(lease, {job: NativeId("7")}, postponed={})
    assert [wish.kind for wish in await stand.book.wishes(lease)] == ["cancel"]
    await settle(stand, lease, record(job, "7", phase=NativePhase.CANCELLED))
    assert list(await stand.book.wishes(lease)) == []


async def test_a_wish_for_a_vanished_job_waits_since_its_id_may_be_another_jobs_now(stand: Stand):
    lease = await stand.claim()
    job = await queued(stand, lease, "7")
    await stand.book.observed(lease, [moved(job, JobState.VANISHED)])
    await stand.wish(job, "cancel")
    assert list(await stand.book.wishes(lease)) == []
    await stand.book.observed(lease, [moved(job, JobState.RUNNING)])
    assert [wish.kind for wish in await stand.book.wishes(lease)] == ["cancel"]
