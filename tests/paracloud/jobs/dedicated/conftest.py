"""Flights of jobs on dedicated nodes."""

from datetime import timedelta
from functools import partial

import pytest
from tests.paracloud.jobs.dedicated.nodes import END, JULY, JUNES_FEE, dedicated
from tests.paracloud.jobs.flight import SECOND, SLICES, Flight, flight
from tests.paracloud.jobs.world import EAST, START, open_world

from paracloud.billing.funding import set_funding
from paracloud.jobs.fund import Funder
from paracloud.kit.money import Money


@pytest.fixture
def fly(database):
    return partial(flight, database)


@pytest.fixture
def fly_on_own(database):
    """Half an hour before July, on nodes whose fee of June is paid; `funds` are left."""

    async def opened(funds: str) -> Flight:
        world = await open_world(database, funds=str(Money.parse(JUNES_FEE) + Money.parse(funds)))
        async with database.begin() as session:
            await set_funding(session, world.project, SLICES)
        lease = await world.leases(ttl=timedelta(days=90)).claim(EAST)
        assert lease is not None
        flying = Flight(world, lease, Funder(database, world.clock), JULY - END * SECOND)
        await dedicated(flying, "36")
        assert await world.wallet() == Money.parse(funds).micro
        world.clock.forward(flying.start - START)
        return flying

    return opened
