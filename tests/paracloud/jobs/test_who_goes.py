"""Who of those that are kept back goes to a centre: by what it has left, and nobody before others for ever."""

from collections.abc import Awaitable, Callable

import pytest
from tests.paracloud.jobs.kept_world import FULL, SECOND, Grid
from tests.paracloud.jobs.world import EAST, WEST, open_world

from paracloud.jobs.placer import Placer
from paracloud.jobs.who_goes import CHOOSY, HAS_ROOM, who_goes
from paracloud.kit.identifiers import CentreName
from paracloud.placement.constraints import Constraints


@pytest.fixture
def opened(database) -> Callable[..., Awaitable[Grid]]:
    async def one(**options) -> Grid:
        return await Grid.open(await open_world(database), **options)

    return one


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
    await grid.begins(first, at)
    async with grid.world.database.begin() as session:
        market = await grid.drawer.market.now()
        going, _ = await who_goes(session, WEST, Placer(market), at)
        assert [one for one in going if one.why is HAS_ROOM] == []
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


async def test_one_that_a_centre_refuses_keeps_nobody_else_from_going_ahead_and_goes_elsewhere_itself(opened):
    """The one account that the south lends is another's."""
    grid = await opened()
    south = await grid.join("south", price="0.36", accounts=1, lent_to="wang")
    await grid.change("UPDATE centres SET region = 'north' WHERE name IN ('east', 'south')")
    refused = await grid.kept(ntasks="4", time="10", constraints=Constraints(region="north"))
    other = await grid.kept(ntasks="4", time="10")
    await grid.change("UPDATE jobs SET state = 'completed', ended_at = now() WHERE centre = 'west' AND NOT kept")
    await grid.draw(south)
    assert grid.drawer._refused.keys() == {(south, refused)}
    grid.world.clock.forward(CHOOSY)
    await grid.draw(WEST)
    assert await grid.places(other) == [("west", False)]
    await grid.change("UPDATE jobs SET state = 'completed', ended_at = now() WHERE centre = 'east' AND NOT kept")
    await grid.draw(EAST)
    assert await grid.job("kept", refused) is False


async def test_who_can_never_go_there_hides_nobody(opened, monkeypatch):
    monkeypatch.setattr("paracloud.jobs.who_goes.READ_MOST", 3)
    monkeypatch.setattr("paracloud.jobs.who_goes.AHEAD_MOST", 2)
    grid = await opened()
    await grid.join("third", price="0.36")
    await grid.join("fourth", price="0.36")
    await grid.change("UPDATE centres SET region = 'north' WHERE name IN ('third', 'fourth')")
    for centre in ("third", "fourth"):
        await grid.at(CentreName(centre), str(await grid.world.submit(centre=centre, ntasks="16")))
    for _ in range(5):
        await grid.kept(constraints=Constraints(region="north"), time="1")
    hidden = await grid.kept(ntasks="4", time="30")
    await grid.shows(WEST, free_cores=8, free_nodes=2)
    for _ in range(3):
        await grid.draw(WEST)
    assert await grid.places(hidden) == [("west", False)]


async def test_whole_nodes_are_those_of_the_queue_that_draws(opened):
    grid = await opened(waiting=(EAST,))
    await grid.shows(WEST, **FULL, gives_whole_nodes=True)
    jobs = [await grid.kept(objective="soonest") for _ in range(3)]
    await grid.shows(WEST, free_cores=4, free_nodes=1, gives_whole_nodes=True)
    async with grid.world.database.begin() as session:
        market = await grid.drawer.market.now()
        going, _ = await who_goes(session, WEST, Placer(market), grid.world.clock.now())
    assert [one.why for one in going].count(HAS_ROOM) == 1
    assert len(jobs) == 3
