"""The centre never sees more commands than were published."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from paracloud.centres.budget import BURST_SECONDS, CommandBudget


class Ticks:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, duration: timedelta) -> None:
        self.at += duration.total_seconds() + 1e-9
        await asyncio.sleep(0)


@given(per_minute=st.integers(1, 600), costs=st.lists(st.integers(1, 5), min_size=1, max_size=60))
def test_in_any_time_no_more_than_the_rate_and_one_burst_come_through(per_minute: int, costs: list[int]) -> None:
    clock = Ticks()
    budget = CommandBudget(per_minute, clock)

    async def go() -> None:
        for cost in costs:
            await budget.take(cost)

    asyncio.run(go())
    rate = per_minute / 60
    burst = max(1.0, rate * BURST_SECONDS)
    assert budget.taken == sum(costs)
    assert sum(costs[:-1]) <= clock.at * rate + burst + max(costs) + 1e-6


def test_who_asked_first_for_many_commands_is_not_starved_by_those_who_ask_for_few() -> None:
    budget = CommandBudget(60, Ticks())
    order: list[str] = []

    async def few() -> None:
        for _ in range(50):
            await budget.take(1)
            order.append("few")

    async def many() -> None:
        await budget.take(15)
        order.append("many")

    async def go() -> None:
        await budget.take(20)
        rounds = asyncio.create_task(few())
        await asyncio.sleep(0)
        await asyncio.gather(many(), rounds)

    asyncio.run(go())
    assert order.index("many") < 10
