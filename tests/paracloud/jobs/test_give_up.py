"""A person says that a centre's machines are off: what it was sent begins anew elsewhere, and is paid for once."""

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.full_east import MINUTE, sicken
from tests.paracloud.jobs.gone_east import (
    REASON,
    end_in_the_west,
    notices,
    opened,
    remains,
    say,
    say_and_give_up,
    untold,
)
from tests.paracloud.jobs.world import EAST, WEST, connect

from paracloud.jobs import store_given_up
from paracloud.jobs.book import Move
from paracloud.jobs.give_up import Fate, give_up
from paracloud.jobs.given_up import Remains
from paracloud.jobs.leave import BOUND
from paracloud.jobs.market import read_market
from paracloud.jobs.show import show
from paracloud.jobs.state import JobState
from paracloud.jobs.wish import cancel
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.identifiers import CentreName
from paracloud.worker.report import Reporter

__all__ = ["opened"]


async def test_what_a_centre_was_sent_begins_anew_elsewhere_and_what_runs_there_is_watched(opened) -> None:
    office = await opened()
    world = office.world
    queued, gone, runs, ran = [await office.queued(number) for number in ("7", "8", "9", "10")]
    now = world.clock.now()
    untold_start = Move(runs, JobState.RUNNING, "RUNNING", "", None, "n1", now)
    started = Move(ran, JobState.RUNNING, "RUNNING", "", now, "n1", now)
    await world.book.observed(office.lease, [untold_start, started])
    await world.book.observed(
        office.lease, [Move(job, JobState.VANISHED, "", "", None, "", now) for job in (gone, ran)]
    )
    unheard, unsent = await untold(office), await office.accepted()
    await sicken(office)
    fates = await say_and_give_up(office)
    assert fates == [Fate(job, None) for job in (queued, gone, unheard)]
    for job in (queued, gone, unheard):
        assert [await office.job(column, job) for column in ("centre", "state", "moves")] == ["west", "accepted", 1]
    assert [await office.job("centre", job) for job in (runs, ran, unsent)] == ["east"] * 3
    assert await remains(office) == dict.fromkeys((queued, gone, unheard), Remains.UNREACHED)
    assert [job.job for job in await world.book.live(office.lease)] == [runs, ran]
    async with world.database.begin() as session:
        last = (await show(session, world.caller, queued)).events[-1]
    why = f"the machines of east are off ({REASON}), and it is not known to have started there"
    assert last.reason == f"moved from east/cpu to west/cpu because {why}"
    assert "east 已停机" in last.note
    ((en, zh, _),) = await notices(office, "centre-gone")
    assert en.startswith(f"op says that the machines of east are off ({REASON}): 3 jobs")
    assert "3 个作业改派他处，其余 2 个作业" in zh
    assert await world.held() == 6 * 360_000
    assert await office.untrue() == {}


async def test_the_word_is_not_taken_of_a_centre_that_answers_or_that_failed_a_moment_ago(opened) -> None:
    office = await opened()
    job = await office.queued()
    with pytest.raises(NotFound):
        await say(office, CentreName("nowhere"))
    with pytest.raises(Conflict, match="east answers"):
        await say(office)
    await sicken(office, minutes=2)
    with pytest.raises(Conflict, match="not long enough to be sick"):
        await say(office)
    await sicken(office)
    word = await say(office)

    class Post:
        centre, clock = EAST, office.world.clock

    await Reporter(office.world.database).health(Post, None)
    with pytest.raises(Conflict, match="east answers again"):
        await say(office)
    async with office.world.database.begin() as session:
        now = office.world.clock.now()
        with pytest.raises(Conflict, match="east answers again"):
            await give_up(session, word, job, market=await read_market(session, now), now=now)
    assert await office.job("centre", job) == "east"


async def test_the_same_word_counts_once_in_an_outage_and_another_persons_is_another(opened) -> None:
    office = await opened()
    await sicken(office)
    first = await say(office)
    office.world.clock.forward(MINUTE)
    assert await say(office) == first
    assert (await say(office, person="wang")).id != first.id
    assert len(await notices(office, "centre-gone")) == 2


async def test_a_job_that_is_bound_to_its_place_stays_and_its_page_says_so_once(opened) -> None:
    office = await opened()
    bound = await office.queued("7", centre="east")
    first = await office.queued("8")
    needing = await office.queued("9", dependency=f"afterok:{first}")
    await sicken(office)
    for _ in range(2):
        assert await say_and_give_up(office) == [Fate(job, BOUND) for job in (bound, first, needing)]
    said = "stays at east/cpu, whose machines are off: %"
    query = f"SELECT count(*) FROM job_events WHERE job_id = :job AND reason LIKE '{said}'"  # noqa: S608
    assert [await office.world.one(query, job=job) for job in (bound, first, needing)] == [1, 1, 1]
    assert await remains(office) == {}
    note = "SELECT note FROM job_events WHERE job_id = :job ORDER BY id DESC LIMIT 1"
    assert (await office.world.one(note, job=bound)).startswith("留在 east/cpu（已停机）：作业不可改派")


async def test_a_job_that_its_user_has_cancelled_is_not_begun_anew(opened) -> None:
    office = await opened()
    job = await office.queued()
    async with office.world.database.begin() as session:
        await cancel(session, office.world.caller, job, now=office.world.clock.now())
    await sicken(office)
    assert await say_and_give_up(office) == []
    async with office.world.database.begin() as session:
        assert await store_given_up.count(session, EAST) == (0, 1)


async def test_where_no_place_takes_it_it_stays_and_goes_when_one_does(opened) -> None:
    office = await opened()
    job = await office.queued()
    await sicken(office)
    await office.shows(WEST, is_up=False)
    ((fate),) = await say_and_give_up(office)
    assert fate.stays[0] == "no other centre takes it now for the most that was agreed to be paid for it"
    assert "没有其他超算中心" in fate.stays[1]
    await office.shows(WEST)
    assert await say_and_give_up(office) == [Fate(job, None)]


@pytest.mark.parametrize(
    ("objective", "funds", "why"),
    [("cheapest", "1000", "no other centre takes it"), ("soonest", "0.5", "The job can cost up to 0.72")],
)
async def test_where_the_money_does_not_reach_it_stays_and_nothing_of_its_hold_is_touched(
    opened, objective: str, funds: str, why: str
) -> None:
    office = await opened(funds=funds)
    world = office.world
    async with world.database.begin() as session:
        await session.execute(text("DELETE FROM queues WHERE centre = 'west'"))
        await connect(session, "north", price="0.72")
    job = await office.queued(objective=objective)
    before = await world.held(), await world.wallet()
    await sicken(office)
    ((fate),) = await say_and_give_up(office)
    assert (fate.job, fate.stays[0].startswith(why)) == (job, True)
    assert (await world.held(), await world.wallet()) == before
    assert await world.one("SELECT count(*) FROM job_moves") == 0
    assert await office.untrue() == {}


async def test_a_dearer_place_is_paid_for_before_the_old_one_is_given_up(opened) -> None:
    office = await opened()
    world = office.world
    async with world.database.begin() as session:
        await session.execute(text("DELETE FROM queues WHERE centre = 'west'"))
        await connect(session, "north", price="0.72")
    job = await office.queued(objective="soonest")
    await sicken(office)
    assert await say_and_give_up(office) == [Fate(job, None)]
    assert (await world.held(), await office.job("held_micro", job)) == (720_000, 720_000)
    assert await office.untrue() == {}


async def test_a_job_on_its_way_elsewhere_when_its_centre_dies_goes_on_with_one_move(opened) -> None:
    office = await opened()
    job = await office.queued()
    assert await office.look() == [(job, "holding")]
    await office.leave(job)
    await sicken(office)
    assert await say_and_give_up(office) == [Fate(job, None)]
    await office.world.book.fenced(office.lease, {job: True})
    steps = "SELECT string_agg(step, ' ' ORDER BY id) FROM job_moves WHERE job_id = :job"
    assert await office.world.one(steps, job=job) == "stayed moved"
    await end_in_the_west(office, job)
    assert await office.untrue() == {}
