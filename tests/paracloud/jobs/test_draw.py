"""Who has to wait is kept back, and goes to whichever queue has room first: in PostgreSQL, with prices and wallets."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from tests.paracloud.jobs.kept_world import SECOND, Grid
from tests.paracloud.jobs.world import EAST, START, WEST, open_world

from paracloud.jobs import store_calibration
from paracloud.jobs.draw import HAS_ROOM, REFUSED_FOR, LetGo, plan, send
from paracloud.jobs.keep_back import KEPT
from paracloud.jobs.show import show
from paracloud.jobs.wish import cancel, hold
from paracloud.placement.constraints import Constraints


@pytest.fixture
def opened(database) -> Callable[..., Awaitable[Grid]]:
    async def one(**options) -> Grid:
        return await Grid.open(await open_world(database), **options)

    return one


async def test_who_has_to_wait_is_kept_back_and_sent_nowhere(opened):
    grid = await opened()
    job = await grid.kept()
    assert await grid.job("reason", job) == KEPT
    assert await grid.at(EAST) == await grid.at(WEST) == []
    assert await grid.draw(EAST) is await grid.draw(WEST) is True
    assert await grid.places(job) == [("east", True)]


async def test_it_goes_to_the_centre_that_has_room_first_with_its_money(opened):
    grid = await opened()
    job = await grid.kept(ntasks="4")
    await grid.shows(WEST, free_cores=4, free_nodes=1)
    await grid.draw(WEST)
    assert await grid.places(job) == [("west", False)]
    assert "moved from east/cpu to west/cpu because it waited for room" in await grid.job("why_en", job)
    assert "由 east/cpu 改派至 west/cpu" in await grid.job("why_zh", job)
    assert await grid.job("account", job) == "west0"
    assert await grid.at(EAST) == []
    assert await grid.at(WEST) == [job]
    assert await grid.untrue() == {}
    assert await grid.draw(EAST) is False, "nobody is kept back any more"


async def test_who_was_kept_back_has_waited_since_it_was_accepted_and_what_was_promised_stands(opened):
    grid = await opened()
    job = await grid.kept(ntasks="4")
    await grid.shows(WEST, free_cores=4, free_nodes=1)
    grid.world.clock.forward(timedelta(days=30))
    await grid.draw(WEST)
    assert await grid.places(job) == [("west", False)]
    assert await grid.job("moved_at", job) == await grid.job("accepted_at", job)
    async with grid.world.database.begin() as session:
        shown = await show(session, grid.world.caller, job)
        now = grid.world.clock.now()
        assert await store_calibration.left_late(session, since=START, centre=None) == {}
        counted = await store_calibration.counted(session, since=START, now=now, centre=None)
    overdue = {row.centre: row.overdue for row in counted}
    assert (shown.forecast.centre, shown.forecast.made_at) == ("east", shown.summary.accepted_at)
    assert overdue["east"] == 2, "it, and the one that waits there"


async def test_where_it_was_placed_it_is_let_go_and_has_not_moved(opened):
    grid = await opened()
    job = await grid.kept(ntasks="4")
    held = await grid.world.held()
    await grid.shows(EAST, free_cores=4, free_nodes=1, cores=20)
    await grid.draw(EAST)
    assert (await grid.job("moves", job), await grid.job("reason", job)) == (0, "")
    assert await grid.at(EAST) == [job]
    assert await grid.world.held() == held


async def test_the_shortest_goes_first_and_no_more_go_than_there_is_room_for(opened):
    grid = await opened()
    jobs = [await grid.kept(ntasks="4", time=minutes) for minutes in ("60", "10", "30")]
    await grid.shows(WEST, free_cores=8, free_nodes=2)
    await grid.draw(WEST)
    assert await grid.places(*jobs) == [("east", True), ("west", False), ("west", False)]
    await grid.draw(WEST)
    assert await grid.places(jobs[0]) == [("east", True)], "those that are on their way there come before it"


async def test_what_started_since_the_queue_was_looked_at_is_not_free(opened):
    grid = await opened(waiting=(EAST,))
    await grid.shows(WEST, free_cores=4, free_nodes=1)
    first = (await grid.world.submit(ntasks="4", centre=WEST)).job
    await grid.at(WEST)
    job = await grid.kept(ntasks="4")
    at = grid.world.clock.now() + SECOND
    await grid.change("UPDATE jobs SET state = 'running', started_at = :at WHERE id = :id", at=at, id=first)
    async with grid.world.database.begin() as session:
        market = await grid.drawer.market.now()
        assert [one for one in await plan(session, WEST, market, at) if one.why is HAS_ROOM] == []
    assert await grid.job("kept", job) is True


async def test_whoever_has_nodes_alone_takes_all_of_their_cores(opened):
    grid = await opened(waiting=(WEST,))
    await grid.shows(EAST)
    alone = (await grid.world.submit(nodes="4", exclusive="true", centre=EAST)).job
    assert (await grid.job("cores", alone), await grid.job("cores_taken", alone)) == (4, 16)
    wide, narrow = await grid.kept(nodes="2", exclusive="true"), await grid.kept()
    await grid.shows(WEST, free_cores=4, free_nodes=1)
    await grid.draw(WEST)
    assert (await grid.job("kept", wide), await grid.places(narrow)) == (True, [("west", False)])


async def test_cards_that_one_takes_are_not_there_for_the_next(opened):
    cards = {"gpus_per_node": 2, "gpu_model": "a100"}
    grid = await opened(waiting=())
    await grid.shows(EAST, **cards, free_gpus=1)
    await grid.shows(WEST, **cards, free_gpus=0)
    first = (await grid.world.submit(gres="gpu:1")).job
    second, third = await grid.kept(gres="gpu:1"), await grid.kept(gres="gpu:1")
    assert await grid.at(EAST) == [first]
    await grid.at(WEST, str(await grid.world.submit(gres="gpu:2", centre=WEST)))
    await grid.shows(WEST, **cards, free_gpus=3)
    await grid.draw(WEST)
    assert await grid.places(second, third) == [("west", False), ("east", True)]


async def test_who_has_waited_longest_is_sent_ahead_to_where_none_of_ours_waits(opened):
    grid = await opened(waiting=(EAST,))
    jobs = [await grid.kept(ntasks="8", time=minutes) for minutes in ("60", "10")]
    await grid.draw(EAST)
    assert await grid.places(*jobs) == [("east", True)] * 2
    await grid.draw(WEST)
    assert await grid.places(*jobs) == [("west", False), ("east", True)]
    assert "it has waited longest" in await grid.job("why_en", jobs[0])
    await grid.draw(WEST)
    assert await grid.places(jobs[1]) == [("east", True)], "one of ours waits there now"


@pytest.mark.parametrize(
    "options",
    [
        {"centre": "east"}, {"movable": False}, {"array": "1-3"}, {"partition": "cpu", "centre": "west"},
        {"objective": "deadline", "constraints": Constraints(deadline=START + timedelta(days=300))},
    ],
    ids=str,
)  # fmt: skip
async def test_who_can_go_nowhere_else_is_sent_at_once(opened, options):
    grid = await opened()
    job = (await grid.world.submit(**options)).job
    assert await grid.job("kept", job) is False
    assert job in [*await grid.at(EAST), *await grid.at(WEST)]


async def test_who_would_have_to_pay_more_elsewhere_is_sent_at_once_but_for_one_in_a_hurry(opened):
    grid = await opened()
    await grid.change("UPDATE centres SET is_enabled = false WHERE name = 'west'")
    await grid.join("south", price="0.72")
    cheap = (await grid.world.submit()).job
    assert await grid.places(cheap) == [("east", False)]
    await grid.kept(objective="soonest")


async def test_where_there_is_room_nobody_is_kept_back(opened):
    grid = await opened()
    await grid.shows(EAST, free_cores=20, free_nodes=5, cores=20)
    assert await grid.places((await grid.world.submit(ntasks="4")).job) == [("east", False)]
    await grid.kept(ntasks="4")


async def test_its_users_wish_ends_the_keeping(opened):
    grid = await opened()
    gone, held, needed = [await grid.kept() for _ in range(3)]
    async with grid.world.database.begin() as session:
        await cancel(session, grid.world.caller, gone, now=grid.world.clock.now())
        await hold(session, grid.world.caller, held, now=grid.world.clock.now())
    await grid.world.submit(dependency=f"afterok:{needed}")
    assert {held, needed} <= {*await grid.at(EAST)}
    assert await grid.world.state(gone) == "cancelled"
    assert await grid.untrue() == {}


async def test_who_cannot_have_a_place_stands_before_nobody(opened):
    """Its wallet has not what a dear centre wants."""
    grid = await opened()
    south = await grid.join("south", price="100000")
    poor = await grid.kept(ntasks="4", time="10", objective="soonest")
    await grid.shows(south, free_cores=4, free_nodes=1)
    await grid.draw(south)
    assert await grid.places(poor) == [("east", True)]
    assert grid.drawer._refused.keys() == {(south, poor)}
    market, now = await grid.drawer.market.now(), grid.world.clock.now()
    async with grid.world.database.begin() as session:
        (again,) = await plan(session, south, market, now)
        assert again.job == poor
        assert await plan(session, south, market, now, without=frozenset({poor})) == []
    grid.world.clock.forward(REFUSED_FOR)
    await grid.draw(EAST)
    assert grid.drawer._refused == {}
    assert await grid.untrue() == {}


async def test_one_that_was_sent_meanwhile_is_left_where_it_is(opened):
    grid = await opened()
    job = await grid.kept(ntasks="4")
    await grid.shows(WEST, free_cores=4, free_nodes=1)
    market, now = await grid.drawer.market.now(), grid.world.clock.now()
    async with grid.world.database.begin() as session:
        (goes,) = await plan(session, WEST, market, now)
    assert await LetGo(grid.world.database).round(grid.leases[EAST]) is False
    for _ in range(2):
        async with grid.world.database.begin() as session:
            await send(session, job, goes.offer, goes.why, market=market, now=now)
        assert await grid.places(job) == [("east", False)]
        await grid.at(EAST)
    assert await grid.world.state(job) == "queued"


async def test_two_centres_that_draw_the_same_job_at_once_get_it_once(opened):
    grid = await opened()
    job = await grid.kept(ntasks="4")
    await grid.shows(WEST, free_cores=4, free_nodes=1)
    grid.world.clock.forward(SECOND)
    market, now = await grid.drawer.market.now(), grid.world.clock.now()
    async with grid.world.database.begin() as session:
        (goes,) = await plan(session, WEST, market, now)
    async with grid.world.database.begin() as one, grid.world.database.begin() as other:
        await send(one, job, goes.offer, goes.why, market=market, now=now)
        await send(other, job, goes.offer, goes.why, market=market, now=now)
    assert (await grid.places(job), await grid.job("moves", job)) == ([("west", False)], 1)
    assert await grid.untrue() == {}


async def test_where_no_job_may_move_those_that_are_kept_back_are_let_go(opened):
    grid = await opened()
    job = await grid.kept()
    await LetGo(grid.world.database).round(grid.leases[WEST])
    assert await grid.at(EAST) == []
    await LetGo(grid.world.database).round(grid.leases[EAST])
    assert await grid.at(EAST) == [job]
