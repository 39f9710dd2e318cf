"""A person says that a centre's machines are off: what it was sent begins anew elsewhere, and is paid for once."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.test_reroute import MINUTE, Office, sicken
from tests.paracloud.jobs.world import EAST, START, WEST, connect, open_world, record

from paracloud.billing.reconcile import reconcile
from paracloud.centres.registry import owners
from paracloud.dialects.records import NativePhase
from paracloud.jobs import store_given_up
from paracloud.jobs.book import Move
from paracloud.jobs.give_up import Fate, give_up
from paracloud.jobs.given_up import GivenUp, Remains, Word
from paracloud.jobs.leave import BOUND
from paracloud.jobs.market import read_market
from paracloud.jobs.say_gone import say_gone
from paracloud.jobs.show import show
from paracloud.jobs.state import JobState
from paracloud.jobs.wish import cancel
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.identifiers import CentreName, JobId, NativeId, UnixAccount, submit_tag
from paracloud.worker.report import Reporter

REASON = "the substation burnt down"
EAST0 = UnixAccount("east0")
CORE_SECOND = 100
"""Micro-yuan; of it the centre gets four fifths."""


@pytest.fixture
def opened(database) -> Callable[..., Awaitable[Office]]:
    async def open_office(**options) -> Office:
        return await Office.open(await open_world(database, **options))

    return open_office


async def say(office: Office, centre: CentreName = EAST, person: str = "op", reason: str = REASON) -> Word:
    async with office.world.database.begin() as session:
        return await say_gone(session, centre, person=person, reason=reason, now=office.world.clock.now())


async def say_and_give_up(office: Office) -> list[Fate | None]:
    """As the operator's verb does it."""
    world, word, fates = office.world, await say(office), []
    async with world.database.begin() as session:
        jobs = await store_given_up.stranded(session, EAST, 100, after=None)
    for job in jobs:
        async with world.database.begin() as session:
            now = world.clock.now()
            fates.append(await give_up(session, word, job, market=await read_market(session, now), now=now))
    return fates


async def untold(office: Office) -> JobId:
    """A job whose submission was never answered."""
    job = await office.accepted()
    await office.world.book.intend(office.lease, limit=100)
    return job


async def remains(office: Office) -> dict[JobId, Remains]:
    return {one.job: one.remains for one in await office.world.book.remains(office.lease)}


async def end_in_the_west(office: Office, job: JobId) -> None:
    world, tag = office.world, submit_tag(job, 1)
    west = await world.leases("west", timedelta(days=1)).claim(WEST)
    await world.book.intend(west, limit=100)
    await world.book.submitted(west, {job: NativeId("3")}, postponed={})
    done = record(job, "3", tag=tag, name=f"pc-{tag}", account=UnixAccount("west0"), ended_at=world.clock.now())
    await world.book.settle(west, [done], alive=[], read_until=None)
    assert await world.state(job) == "completed"


async def notices(office: Office, kind: str) -> list[tuple[str, str, int]]:
    async with office.world.database.begin() as session:
        query = text("SELECT text_en, text_zh, amount_micro FROM notices WHERE kind = :kind ORDER BY id")
        return [tuple(row) for row in await session.execute(query, {"kind": kind})]


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


async def test_a_centre_that_is_back_gets_nothing_before_each_marker_was_looked_at(opened) -> None:
    office = await opened()
    world, free, started = office.world, await office.queued("7"), await office.queued("8")
    await sicken(office)
    await say_and_give_up(office)
    pinned = (await world.submit(centre=None, partition="cpu")).job
    async with world.database.begin() as session:
        await session.execute(text("UPDATE jobs SET centre = 'east' WHERE id = :job"), {"job": pinned})
    tags = submit_tag(free), submit_tag(started)
    assert list(await world.book.intend(office.lease, limit=10)) == []
    await world.book.cleared(office.lease, tags)
    await world.book.marked(office.lease, {tags[0]: True})
    assert list(await world.book.intend(office.lease, limit=10)) == []
    assert await remains(office) == {free: Remains.FENCED, started: Remains.UNREACHED}
    await world.book.marked(office.lease, {tags[1]: False})
    assert [one.job for one in await world.book.intend(office.lease, limit=10)] == [pinned]
    await world.book.marked(office.lease, {tags[0]: False, tags[1]: True})
    assert await remains(office) == {free: Remains.FENCED, started: Remains.STARTED}
    assert await world.book.remains(office.lease) == [
        GivenUp(free, tags[0], EAST0, Remains.FENCED), GivenUp(started, tags[1], EAST0, Remains.STARTED)
    ]  # fmt: skip
    async with world.database.begin() as session:
        last = (await show(session, world.caller, started)).events[-1]
    assert "it had started at east as well" in last.reason
    assert "不计费" in last.note
    await world.book.cleared(office.lease, tags)
    assert await remains(office) == {}


async def test_what_a_given_up_attempt_ran_is_the_platforms_cost_and_the_user_pays_for_the_new_one_alone(
    opened,
) -> None:
    office = await opened()
    world, job = office.world, await office.queued()
    before = await world.wallet() + await world.held()
    await sicken(office)
    await say_and_give_up(office)
    ran = record(job, "7", elapsed_seconds=3000, ended_at=START + timedelta(seconds=3000), phase=NativePhase.CANCELLED)
    for _ in range(2):
        await world.book.settle(office.lease, [ran], alive=[], read_until=None)
    assert (await world.state(job), await office.job("centre", job)) == ("accepted", "west")
    assert await world.wallet() + await world.held() == before
    cost = 3000 * CORE_SECOND * 4 // 5
    assert await world.balance("expense:duplicates") == -cost
    ((en, zh, amount),) = await notices(office, "given-up-ran")
    assert amount == cost
    assert f"Job {job} was given up at east" in en
    assert "for 3000 s: the centre gets 0.240000 CNY" in en
    assert "课题组不付费" in zh
    more = replace(ran, elapsed_seconds=3600, ended_at=START + timedelta(seconds=3600))
    await world.book.settle(office.lease, [more], alive=[], read_until=None)
    assert [amount for _, _, amount in await notices(office, "given-up-ran")] == [cost, 600 * CORE_SECOND * 4 // 5]
    async with world.database.begin() as session:
        day, lent = timedelta(days=1), await owners(session, EAST)
        found = await reconcile(
            session, EAST, [more], start=START, end=START + day, lent=lent, pinned={}, since=START - day
        )
    assert (found.settled_micro, found.mismatches) == (3600 * CORE_SECOND * 4 // 5, ())
    await end_in_the_west(office, job)
    assert (await world.wallet(), await world.held()) == (before - 600 * CORE_SECOND, 0)
    assert await office.job("charged_micro", job) == 600 * CORE_SECOND
    assert await office.untrue() == {}


async def test_an_attempt_that_never_ran_is_told_to_nobody(opened) -> None:
    office = await opened()
    job = await office.queued()
    await sicken(office)
    await say_and_give_up(office)
    never_ran = {"started_at": None, "elapsed_seconds": 0, "cores": 0, "nodes": 0}
    gone = record(job, "7", phase=NativePhase.CANCELLED, **never_ran)
    assert (await office.world.book.settle(office.lease, [gone], alive=[], read_until=None)).charged == 1
    assert await notices(office, "given-up-ran") == []
    assert await office.job("centre", job) == "west"


async def test_what_a_tenant_runs_under_the_name_of_a_given_up_attempt_is_the_tenants(opened) -> None:
    office = await opened()
    world, job, unheard = office.world, await office.queued(), await untold(office)
    before = await world.wallet() + await world.held()
    await sicken(office)
    await say_and_give_up(office)
    await world.book.settle(office.lease, [record(job, "70")], alive=[], read_until=None)
    assert await world.wallet() + await world.held() == before - 600 * CORE_SECOND
    ran = [record(unheard, "71"), record(unheard, "72", elapsed_seconds=300)]
    await world.book.settle(office.lease, ran, alive=[], read_until=None)
    assert await world.wallet() + await world.held() == before - 900 * CORE_SECOND, "one try was made"
    assert [amount for _, _, amount in await notices(office, "given-up-ran")] == [600 * CORE_SECOND * 4 // 5]
    assert await office.untrue() == {}
