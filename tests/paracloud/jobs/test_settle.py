"""Rounds over a centre whose listing and accounting a test sets: what may end a job or meet it, and what may not."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from tests.contract.stands import MemoryStand
from tests.paracloud.jobs.world import EAST, START, StillClock, record

from paracloud.dialects.records import Accounted, AccountingRecord, NativePhase, Observation, Unread
from paracloud.jobs.carry_out import carry_out
from paracloud.jobs.outpost import Outpost
from paracloud.jobs.settle import BATCH, Settlement
from paracloud.jobs.state import JobState
from paracloud.jobs.watch import watch
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import JobId, NativeId, submit_tag
from paracloud.kit.lease import Lease

PATIENCE = timedelta(minutes=10)


@dataclass
class Centre:
    """As its own dialect, way and budget: answers what it was told to."""

    listed: list[Observation] = field(default_factory=list)
    accounted: list[AccountingRecord] = field(default_factory=list)
    cancelled: list[NativeId] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def observe(self, accounts):
        return Command(("squeue",), lambda _: tuple(self.listed))

    def account(self, start, end, accounts):
        return Command(("sacct",), lambda _: Accounted(tuple(self.accounted), tuple(self.unread)))

    def account_of(self, ids):
        found = tuple(one for one in self.accounted if one.native_id in ids)
        return Command(("sacct",), lambda _: Accounted(found))

    def cancel(self, ids):
        self.cancelled.extend(ids)
        return Command(("scancel",), lambda _: None)

    async def to(self, centre, account, *, purpose):
        return self

    async def run(self, argv, *, stdin, timeout, limit_bytes):
        return Completed(0, b"", b"")

    async def take(self, cost):
        return None


class Rounds:
    """One tenure over one centre."""

    def __init__(self, stand: MemoryStand, lease: Lease) -> None:
        self.stand, self.lease, self.centre, self.clock = stand, lease, Centre(), StillClock()
        same = self.centre
        self.outpost = Outpost(EAST, "watcher", PATIENCE, same, same, same, self.clock)
        self.settlement = Settlement(stand.book, self.outpost, lambda: lease)

    async def queued(self, native_id: str) -> JobId:
        job = await self.stand.accept()
        await self.stand.book.intend(self.lease, limit=10)
        await self.stand.book.submitted(self.lease, {job: NativeId(native_id)}, postponed={})
        return job

    def lists(self, job: JobId, native_id: str, phase: NativePhase) -> None:
        seen = Observation(
            NativeId(native_id), None, submit_tag(job), self.stand.account, phase, phase.name, "", START, None, "n1"
        )
        self.centre.listed = [one for one in self.centre.listed if one.native_id != native_id] + [seen]

    async def go(self, after: timedelta = timedelta(seconds=1)) -> None:
        self.clock.forward(after)
        book = self.stand.book
        listing = await watch(book, self.outpost, lambda: self.lease, await book.live(self.lease))
        await self.settlement.settle(await book.live(self.lease), listing)


@pytest.fixture
async def rounds() -> Rounds:
    stand = MemoryStand()
    return Rounds(stand, await stand.claim())


async def test_a_vanished_job_is_lost_though_another_job_got_its_native_id(rounds: Rounds):
    """A controller that is killed before it saved its state gives the ids of its last jobs again."""
    forgotten, other = await rounds.queued("7"), await rounds.queued("7")
    rounds.lists(other, "7", NativePhase.RUNNING)
    await rounds.go()
    rounds.centre.accounted = [record(other, "7")]
    await rounds.go(PATIENCE)
    await rounds.go()
    assert await rounds.stand.state(forgotten) is JobState.LOST
    assert await rounds.stand.state(other) is JobState.COMPLETED


async def test_a_row_that_is_not_understood_stops_nobody_elses_and_its_own_job_is_not_lost(rounds: Rounds):
    doubted, other = await rounds.queued("7"), await rounds.queued("8")
    rounds.centre.accounted = [record(other, "8")]
    rounds.centre.unread = [Unread(NativeId("7"), rounds.stand.account, None, "odd", "odd", "7:odd")]
    for _ in range(3):
        await rounds.go(PATIENCE)
    assert await rounds.stand.state(other) is JobState.COMPLETED
    assert await rounds.stand.state(doubted) is JobState.VANISHED
    assert await rounds.stand.book.accounted_until(rounds.lease) == rounds.clock.now()
    rounds.centre.unread = [replace(rounds.centre.unread[0], account=None)]
    await rounds.go(PATIENCE)
    assert await rounds.stand.state(doubted) is JobState.LOST


@pytest.mark.parametrize("wrong", [{"cores": 10**12}, {"ended_at": START + timedelta(days=2)}])
async def test_a_row_that_cannot_be_true_stops_nobody_elses_and_is_read_again(rounds: Rounds, wrong):
    doubted, other = await rounds.queued("7"), await rounds.queued("8")
    good = record(doubted, "7")
    rounds.centre.accounted = [replace(good, **wrong), record(other, "8")]
    await rounds.go(PATIENCE)
    await rounds.go()
    assert await rounds.stand.state(other) is JobState.COMPLETED
    assert await rounds.stand.state(doubted) is JobState.VANISHED
    rounds.centre.accounted[0] = good
    await rounds.go(PATIENCE)
    assert await rounds.stand.state(doubted) is JobState.COMPLETED


class FailsAtThe:
    """A book that is out of reach at one of its settlings."""

    def __init__(self, book, number: int) -> None:
        self._book, self._number, self._calls = book, number, 0

    def __getattr__(self, name: str):
        return getattr(self._book, name)

    async def settle(self, *records, **more):
        self._calls += 1
        if self._calls == self._number:
            raise Unreachable("The database does not answer.", "数据库无响应。")
        return await self._book.settle(*records, **more)


async def test_a_flood_of_records_is_settled_in_parts_and_read_again_until_its_last_part_was(rounds: Rounds):
    first, last = await rounds.queued("7"), await rounds.queued("8")
    others = [record(None, str(number), account="nobodys") for number in range(100, 100 + BATCH)]
    rounds.centre.accounted = [record(first, "7"), *others, record(last, "8")]
    rounds.settlement = Settlement(FailsAtThe(rounds.stand.book, 2), rounds.outpost, lambda: rounds.lease)
    with pytest.raises(Unreachable):
        await rounds.go()
    assert await rounds.stand.book.accounted_until(rounds.lease) is None
    assert (await rounds.stand.state(first), await rounds.stand.state(last)) == (JobState.COMPLETED, JobState.VANISHED)
    await rounds.go()
    assert await rounds.stand.book.accounted_until(rounds.lease) == rounds.clock.now()
    assert await rounds.stand.state(last) is JobState.COMPLETED


async def test_a_requeued_job_waits_for_the_record_of_its_last_run(rounds: Rounds):
    job = await rounds.queued("7")
    rounds.lists(job, "7", NativePhase.RUNNING)
    first = record(job, "7", phase=NativePhase.NODE_FAILED)
    rounds.centre.accounted = [first]
    await rounds.go()
    rounds.lists(job, "7", NativePhase.COMPLETED)
    await rounds.go()
    rounds.centre.listed = []
    await rounds.go()
    assert await rounds.stand.state(job) is JobState.VANISHED
    rounds.centre.accounted = [first, record(job, "7", submitted_at=START + timedelta(minutes=1))]
    await rounds.go()
    assert await rounds.stand.state(job) is JobState.COMPLETED


async def test_a_lost_node_ends_a_job_that_the_listing_shows_as_failed_by_it(rounds: Rounds):
    job = await rounds.queued("7")
    rounds.lists(job, "7", NativePhase.NODE_FAILED)
    rounds.centre.accounted = [record(job, "7", phase=NativePhase.NODE_FAILED)]
    await rounds.go()
    assert await rounds.stand.state(job) is JobState.FAILED


async def test_a_lost_node_ends_a_job_that_the_listing_has_not_shown_for_the_whole_patience(rounds: Rounds):
    job = await rounds.queued("7")
    rounds.centre.accounted = [record(job, "7", phase=NativePhase.NODE_FAILED)]
    await rounds.go()
    await rounds.go()
    assert await rounds.stand.state(job) is JobState.VANISHED
    await rounds.go(PATIENCE)
    assert await rounds.stand.state(job) is JobState.FAILED


async def test_a_record_that_came_before_its_native_id_was_known_is_settled_when_it_is(rounds: Rounds):
    job = await rounds.stand.accept()
    await rounds.stand.book.intend(rounds.lease, limit=10)
    rounds.centre.accounted = [record(job, "8", elapsed_seconds=600)]
    before = await rounds.stand.wallet_micro()
    await rounds.go()
    assert await rounds.stand.wallet_micro() == before
    await rounds.stand.book.submitted(rounds.lease, {job: NativeId("7")}, postponed={})
    rounds.lists(job, "7", NativePhase.RUNNING)
    await rounds.go()
    assert await rounds.stand.wallet_micro() == before - rounds.stand.cost_micro(600)


async def test_one_record_of_unstarted_tasks_ends_only_those_that_it_names(rounds: Rounds):
    job = await rounds.stand.accept(array="0-2")
    await rounds.stand.book.intend(rounds.lease, limit=10)
    await rounds.stand.book.submitted(rounds.lease, {job: NativeId("7")}, postponed={})
    never = record(job, "7", phase=NativePhase.CANCELLED, started_at=None, elapsed_seconds=0, cores=0, nodes=0)
    rounds.centre.accounted = [replace(never, unstarted="1-2")]
    await rounds.go()
    assert await rounds.stand.state(job) is JobState.VANISHED
    ran = record(job, "7", record_id=NativeId("8"), task_index=0, phase=NativePhase.FAILED)
    rounds.centre.accounted.append(ran)
    await rounds.go()
    assert await rounds.stand.state(job) is JobState.FAILED


async def test_a_wish_never_meets_another_job_that_has_the_native_id_now(rounds: Rounds):
    forgotten, other = await rounds.queued("7"), await rounds.queued("7")
    rounds.lists(other, "7", NativePhase.RUNNING)
    await rounds.stand.wish(forgotten, "cancel")
    await carry_out(rounds.stand.book, rounds.outpost, lambda: rounds.lease)
    assert rounds.centre.cancelled == []
    await rounds.stand.wish(other, "cancel")
    await carry_out(rounds.stand.book, rounds.outpost, lambda: rounds.lease)
    assert rounds.centre.cancelled == ["7"]
    assert [wish.job for wish in await rounds.stand.book.wishes(rounds.lease)] == [forgotten]
