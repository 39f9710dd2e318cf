"""A centre whose clock is wrong by an hour: what ran there is charged once all the same, neither lost nor doubled."""

from datetime import datetime, timedelta

import pytest
from tests.contract.stands import MemoryStand
from tests.paracloud.jobs.test_settle import Centre, Rounds
from tests.paracloud.jobs.world import START, record

from paracloud.dialects.records import Accounted, NativePhase
from paracloud.jobs.settle import SWEEP_EVERY
from paracloud.jobs.state import JobState
from paracloud.kit.command import Command

HOUR = timedelta(hours=1)
RAN = 600


class Windowed(Centre):
    """Tells of a window what ended in it, by the centre's own clock."""

    def account(self, start: datetime, end: datetime, accounts):
        found = tuple(one for one in self.accounted if start <= one.ended_at < end)
        return Command(("sacct",), lambda _: Accounted(found))


@pytest.fixture(params=[HOUR, -HOUR], ids=["ahead", "behind"])
async def rounds(request: pytest.FixtureRequest) -> Rounds:
    stand = MemoryStand()
    made = Rounds(stand, await stand.claim())
    made.centre = Windowed()
    made.outpost = type(made.outpost)(
        made.outpost.centre, "watcher", made.outpost.patience, made.centre, made.centre, made.centre, made.clock
    )
    made.settlement = type(made.settlement)(stand.book, made.outpost, lambda: made.lease)
    made.skew = request.param
    return made


def ended(rounds: Rounds, job, native_id: str):
    """A record of what began when the centre's clock said so, and ended ten minutes later."""
    began = START + rounds.skew
    times = {"submitted_at": began, "started_at": began, "ended_at": began + timedelta(seconds=RAN)}
    return record(job, native_id, elapsed_seconds=RAN, **times)


async def test_a_job_of_ours_ends_and_is_charged_at_once_by_its_own_record(rounds: Rounds):
    job = await rounds.queued("7")
    rounds.lists(job, "7", NativePhase.RUNNING)
    await rounds.go()
    rounds.centre.listed, rounds.centre.accounted = [], [ended(rounds, job, "7")]
    before = await rounds.stand.wallet_micro() + await rounds.stand.held_micro()
    await rounds.go(timedelta(seconds=RAN))
    await rounds.go()
    assert await rounds.stand.state(job) is JobState.COMPLETED
    assert await rounds.stand.held_micro() == 0
    assert before - await rounds.stand.wallet_micro() == rounds.stand.cost_micro(RAN)


async def test_a_run_that_was_started_by_hand_is_charged_once_within_the_hour(rounds: Rounds):
    await rounds.go()
    before = await rounds.stand.wallet_micro()
    rounds.centre.accounted = [ended(rounds, None, "8")]
    for _ in range(int(2 * HOUR / SWEEP_EVERY)):
        await rounds.go(SWEEP_EVERY)
    assert before - await rounds.stand.wallet_micro() == rounds.stand.cost_micro(RAN)
