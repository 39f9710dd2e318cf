"""One suite for every Book: what the worker may rely on."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contract.stands import MemoryStand, PostgresStand, Stand
from tests.paracloud.jobs.world import START, record

from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.jobs.book import Move
from paracloud.jobs.state import JobState
from paracloud.kit.errors import Conflict, Fenced, Refused
from paracloud.kit.identifiers import JobId, NativeId
from paracloud.kit.lease import Lease

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["postgres", "memory"])
def opener(request: pytest.FixtureRequest) -> Callable[[], Awaitable[Stand]]:
    """How to open the implementation; the database's own fixtures must be made outside of a running loop."""
    if request.param == "memory":
        return _open_memory
    database = request.getfixturevalue("database")
    return lambda: PostgresStand.open(database)


async def _open_memory() -> Stand:
    return MemoryStand()


@pytest.fixture
async def stand(opener: Callable[[], Awaitable[Stand]]) -> Stand:
    return await opener()


async def queued(stand: Stand, lease: Lease, native_id: str, **wanted) -> JobId:
    job = await stand.accept(**wanted)
    await stand.book.intend(lease, limit=100)
    await stand.book.submitted(lease, {job: NativeId(native_id)}, postponed={})
    return job


async def settle(stand: Stand, lease: Lease, *records: AccountingRecord, alive: tuple[str, ...] = ()):
    living = [NativeId(one) for one in alive]
    return await stand.book.settle(lease, list(records), alive=living, read_until=None)


def moved(job: JobId, to: JobState, native_state: str = "", at=START) -> Move:
    return Move(job, to, native_state, "", None, "", at)


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


async def test_the_accounting_window_only_moves_forward(stand: Stand):
    lease = await stand.claim()
    assert await stand.book.accounted_until(lease) is None
    for until in (START, START + MINUTE, START):
        await stand.book.settle(lease, [], alive=[], read_until=until)
    assert await stand.book.accounted_until(lease) == START + MINUTE


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
