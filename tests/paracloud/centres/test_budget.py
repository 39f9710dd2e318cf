"""The centre never sees more commands than were published."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from paracloud.centres.budget import CommandBudget


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


@given(
    per_minute=st.integers(12, 6000),
    largest=st.floats(0, 1),
    asked=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 90)), min_size=1, max_size=80),
    another=st.floats(0, 300),
)
@example(per_minute=24, largest=1.0, asked=[(0.0, 60.0), (1.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)], another=300.0)
@example(per_minute=24, largest=1.0, asked=[(1.0, 90.0), (0.0, 0.0), (0.0, 0.0)], another=150.0)
def test_in_no_minute_more_comes_through_than_was_published(
    per_minute: int, largest: float, asked, another: float
) -> None:
    """Steps of any cost up to the largest, after an idle while; in the middle another holder takes over."""
    clock, most = Ticks(), round(largest * per_minute)
    taken: list[tuple[float, int]] = []

    async def go() -> None:
        budget, is_first = CommandBudget(per_minute, clock, most), True
        for part, idle in asked:
            clock.at += idle
            if is_first and clock.at > another:
                budget, is_first = CommandBudget(per_minute, clock, most), False
            cost = max(1, round(part * max(most, budget.most_at_once)))
            await budget.take(cost)
            taken.append((clock.at, cost))

    asyncio.run(go())
    for at, _ in taken:
        assert sum(cost for when, cost in taken if at <= when < at + 60) <= per_minute


def test_a_minute_of_steady_work_gets_most_of_what_was_published() -> None:
    clock = Ticks()
    budget = CommandBudget(240, clock)

    async def go() -> None:
        while clock.at < 600:
            await budget.take(1)

    asyncio.run(go())
    assert budget.taken >= 10 * 240 * 0.82


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
