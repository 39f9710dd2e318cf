"""Who has to wait is kept back, and goes to whichever queue has room first: in PostgreSQL, with prices and wallets."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from tests.paracloud.jobs.kept_world import SECOND, Grid
from tests.paracloud.jobs.world import EAST, START, WEST, open_world

from paracloud.jobs import store_calibration, store_moves
from paracloud.jobs.draw import KEPT_MOST, REFUSED_FOR, LetGo, send
from paracloud.jobs.keep_back import KEPT
from paracloud.jobs.placer import Placer
from paracloud.jobs.show import show
from paracloud.jobs.tables import DRAWN_AFTER
from paracloud.jobs.who_goes import who_goes
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
    assert "goes to west/cpu because it waited for room" in await grid.job("why_en", job)
    assert "派往 west/cpu" in await grid.job("why_zh", job)
    assert await grid.job("account", job) == "west0"
    assert await grid.at(EAST) == []
    assert await grid.at(WEST) == [job]
    assert await grid.untrue() == {}
    assert await grid.draw(EAST) is False, "nobody is kept back any more"


async def test_who_was_kept_back_has_waited_since_it_was_accepted_and_what_was_promised_stands(opened):
    grid = await opened()
    job = await grid.kept(ntasks="4")
    await grid.shows(WEST, free_cores=4, free_nodes=1)
    async with grid.world.database.begin() as session:
        said = (await show(session, grid.world.caller, job)).forecast
    promised = said.wait.p50, said.wait.p90
    grid.world.clock.forward(timedelta(hours=23))
    await grid.draw(WEST)
    assert await grid.places(job) == [("west", False)]
    assert await grid.job("moved_at", job) == await grid.job("accepted_at", job) + DRAWN_AFTER
    grid.world.clock.forward(timedelta(hours=2))
    async with grid.world.database.begin() as session:
        shown = await show(session, grid.world.caller, job)
        now = grid.world.clock.now()
        assert await store_calibration.left_late(session, since=START, centre=None) == {}
        counted = await store_calibration.counted(session, since=START, now=now, centre=None)
    overdue = {row.centre: row.overdue for row in counted}
    assert (shown.forecast.centre, shown.forecast.made_at) == ("west", shown.summary.accepted_at + DRAWN_AFTER)
    assert (shown.forecast.wait.p50, shown.forecast.wait.p90) == promised
    assert overdue == {"east": 1, "west": 2}, "the ones that wait there, and it"


async def test_where_it_was_placed_it_is_let_go_and_has_not_moved(opened):
    grid = await opened()
    job = await grid.kept(ntasks="4")
    held = await grid.world.held()
    await grid.shows(EAST, free_cores=4, free_nodes=1, cores=20)
    await grid.draw(EAST)
    assert (await grid.job("moves", job), await grid.job("reason", job)) == (0, "")
    assert await grid.at(EAST) == [job]
    assert await grid.world.held() == held


@pytest.mark.parametrize(
    "options",
    [
        {"centre": "east"}, {"movable": False}, {"array": "1-3"}, {"partition": "cpu", "centre": "west"},
        {"constraints": Constraints(most_wait=timedelta(days=300))},
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


async def test_who_wants_a_node_alone_finds_no_room_where_none_is_idle(opened):
    grid = await opened(waiting=())
    for name in (EAST, WEST):
        await grid.shows(name, free_cores=8, free_nodes=0)
    await grid.kept(exclusive="true")
    assert await grid.job("kept", (await grid.world.submit()).job) is False


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
        (again,), _ = await who_goes(session, south, Placer(market), now)
        assert again.job == poor
        assert (await who_goes(session, south, Placer(market), now, without={poor}))[0] == []
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
        (goes,), _ = await who_goes(session, WEST, Placer(market), now)
    assert await LetGo(grid.world.database).round(grid.leases[EAST]) is False
    for _ in range(2):
        async with grid.world.database.begin() as session:
            await send(session, goes, market=market, now=now)
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
        (goes,), _ = await who_goes(session, WEST, Placer(market), now)
    async with grid.world.database.begin() as one, grid.world.database.begin() as other:
        await send(one, goes, market=market, now=now)
        await send(other, goes, market=market, now=now)
    assert (await grid.places(job), await grid.job("moves", job)) == ([("west", False)], 1)
    assert await grid.untrue() == {}


async def test_where_no_job_may_move_those_that_are_kept_back_are_let_go(opened):
    grid = await opened()
    job = await grid.kept()
    await LetGo(grid.world.database).round(grid.leases[WEST])
    assert await grid.at(EAST) == []
    await LetGo(grid.world.database).round(grid.leases[EAST])
    assert await grid.at(EAST) == [job]


async def test_a_sick_centre_keeps_nobody_back_and_chases_nobody_into_a_full_queue(opened):
    grid = await opened()
    job = await grid.kept(ntasks="4")
    async with grid.world.database.begin() as session:
        assert await store_moves.untried(session, EAST, 20) == []
    assert await grid.places(job) == [("east", True)]


async def test_nobody_is_kept_back_for_longer_than_a_day(opened):
    grid = await opened()
    job = await grid.kept(ntasks="4")
    grid.world.clock.forward(KEPT_MOST - SECOND * 9)
    await grid.draw(EAST)
    assert await grid.places(job) == [("east", True)]
    grid.world.clock.forward(SECOND * 9)
    await grid.draw(EAST)
    assert await grid.places(job) == [("east", False)]
    assert await grid.at(EAST) == [job]


async def test_who_is_kept_back_is_told_so_and_nothing_else(opened):
    """What is free is known to be another's, whatever the last picture of the queue says."""
    grid = await opened(waiting=())
    await grid.shows(EAST)
    assert "can start now" in (await grid.world.submit(ntasks="16", centre=EAST)).why_en
    kept = await grid.world.submit(ntasks="4", objective="soonest")
    assert await grid.job("kept", kept.job) is True
    assert "will wait" in kept.why_en
    assert "keeps it back until a centre has room" in kept.why_en
    assert "平台将其保留" in kept.why_zh
    async with grid.world.database.begin() as session:
        shown = await show(session, grid.world.caller, kept.job)
    assert shown.forecast.wait.p50 > timedelta(minutes=30)
