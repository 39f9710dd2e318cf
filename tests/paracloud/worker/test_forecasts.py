"""The loop that learns: it goes on whatever happens to it."""

import asyncio
from datetime import timedelta

import pytest
from tests.paracloud.jobs.world import StillClock

from paracloud.kit.database import Database
from paracloud.worker.forecasts import EVERY, learn


class ThreeLooks(StillClock):
    """Ends the loop when it would sleep for the third time."""

    async def sleep(self, duration: timedelta) -> None:
        self.forward(duration)
        if self.now() >= StillClock().now() + 3 * EVERY:
            raise asyncio.CancelledError


@pytest.mark.parametrize("reachable", [True, False])
async def test_it_looks_again_and_again_though_the_database_is_away(database, reachable: bool):
    away = Database.connect("postgresql://nobody@127.0.0.1:1/none")
    clock = ThreeLooks()
    with pytest.raises(asyncio.CancelledError):
        await learn(database if reachable else away, clock)
    assert clock.now() == StillClock().now() + 3 * EVERY
    await away.close()
