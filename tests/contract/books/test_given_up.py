"""One suite for every Book: what is left of a job at a centre that was off, by a person's word."""

from datetime import timedelta

from tests.contract.books.steps import queued, settle
from tests.contract.stands import Stand
from tests.paracloud.jobs.world import START, WEST, record

from paracloud.jobs.given_up import GivenUp, Remains
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import NativeId, submit_tag


async def test_markers_come_first_then_the_scheduler_and_nothing_goes_there_before(stand: Stand) -> None:
    lease = await stand.claim()
    fenced, started = await queued(stand, lease, "7", movable=True), await queued(stand, lease, "8", movable=True)
    for job in (fenced, started):
        await stand.give_up(job)
        assert (await stand.place(job), await stand.state(job)) == (WEST, JobState.ACCEPTED)
    other = await stand.accept()
    tags = submit_tag(fenced), submit_tag(started)

    async def remains() -> list[GivenUp]:
        return list(await stand.book.remains(lease))

    def left(*steps: Remains) -> list[GivenUp]:
        of = zip((fenced, started), tags, steps, strict=True)
        return [GivenUp(job, tag, stand.account, step) for job, tag, step in of]

    assert await remains() == left(Remains.UNREACHED, Remains.UNREACHED)
    await stand.book.cleared(lease, tags)
    await stand.book.marked(lease, {tags[0]: True})
    assert await remains() == left(Remains.FENCED, Remains.UNREACHED)
    assert list(await stand.book.intend(lease, limit=10)) == []
    for is_ours in (False, True):
        await stand.book.marked(lease, {tags[1]: is_ours})
    assert await remains() == left(Remains.FENCED, Remains.STARTED)
    assert [one.job for one in await stand.book.intend(lease, limit=10)] == [other]
    await stand.book.cleared(lease, tags)
    assert await remains() == []


async def test_a_word_of_its_old_place_that_comes_late_says_nothing_of_its_next_move(stand: Stand) -> None:
    lease = await stand.claim()
    job = await queued(stand, lease, "7", movable=True)
    await stand.give_up(job)
    west = await stand.claim_west()
    await stand.book.intend(west, limit=10)
    await stand.book.submitted(west, {job: NativeId("3")}, postponed={})
    await stand.move_back(job)
    await stand.book.leave(west, job)
    await stand.book.fenced(lease, {job: True})
    assert [one.step for one in await stand.book.departures(west)] == [MoveStep.LEAVING]


async def test_what_it_ran_is_the_platforms_cost_and_the_new_attempt_the_users(stand: Stand) -> None:
    lease, before = await stand.claim(), await stand.wallet_micro()
    job = await queued(stand, lease, "7", movable=True)
    await stand.give_up(job)
    ran = record(job, "7", elapsed_seconds=3000, ended_at=START + timedelta(seconds=3000))
    for _ in range(2):
        await settle(stand, lease, ran)
    assert await stand.state(job) is JobState.ACCEPTED
    assert await stand.wallet_micro() + await stand.held_micro() == before
    west, tag = await stand.claim_west(), submit_tag(job, 1)
    await stand.book.intend(west, limit=10)
    await stand.book.submitted(west, {job: NativeId("3")}, postponed={})
    await settle(stand, west, record(job, "3", tag=tag, name=f"pc-{tag}", account="west0"))
    assert (await stand.state(job), await stand.held_micro()) == (JobState.COMPLETED, 0)
    await settle(stand, lease, record(job, "70", submitted_at=START + timedelta(seconds=1)))
    assert await stand.wallet_micro() == before - 2 * stand.cost_micro(600), "of another id it is the tenant's own"
    assert await stand.ledger_sum_micro() == 0
