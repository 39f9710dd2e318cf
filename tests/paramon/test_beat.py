"""When it looks again, by a clock and a cost that the test sets."""

from hypothesis import given
from hypothesis import strategies as st

from paramon.beat import START_SECONDS, Beat


class World:
    def __init__(self) -> None:
        self.now = self.spent = 0.0

    def beat(self, period: float, budget: float) -> Beat:
        return Beat(period, budget, lambda: self.now, lambda: self.spent)

    def tick(self, beat: Beat, cost: float, took: float = 0.0) -> float:
        """When the tick was."""
        self.now += beat.wait_seconds()
        at = self.now
        self.spent += cost
        self.now += took or cost
        beat.ticked()
        return at


def test_what_is_cheap_is_done_at_each_period():
    world = World()
    beat = world.beat(1.0, 0.005)
    assert [round(world.tick(beat, 0.004), 6) for _ in range(200)] == list(range(200))
    assert (beat.ticks, beat.missed, beat.slowed) == (200, 0, 0)


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=300), st.sampled_from([0.1, 1.0, 10.0]))
def test_never_more_is_spent_than_the_budget_allows(costs, period):
    world = World()
    budget = 0.005
    beat = world.beat(period, budget)
    for cost in costs:
        at = world.tick(beat, cost)
        before = world.spent - cost
        assert before <= budget * (at + START_SECONDS) + 1e-6


def test_what_is_too_dear_is_done_less_often_and_it_says_so():
    world = World()
    beat = world.beat(1.0, 0.005)
    for _ in range(500):
        world.tick(beat, 0.02)
    assert beat.slowed > 1000
    assert beat.cost() < 0.006
    slowed = beat.slowed
    for _ in range(200):
        world.tick(beat, 0.001)
    assert beat.slowed - slowed < 10, "and as often as wished again when it is cheap"


def test_one_end_of_a_minute_slows_nothing():
    world = World()
    beat = world.beat(1.0, 0.005)
    for number in range(1, 300):
        world.tick(beat, 0.06 if number % 60 == 0 else 0.003)
    assert beat.slowed == 0


def test_moments_that_were_slept_through_are_counted_and_not_made_up_for():
    world = World()
    beat = world.beat(1.0, 0.5)
    world.tick(beat, 0.001)
    world.now += 10.5
    world.tick(beat, 0.001)
    assert beat.missed == 9, "those of the seconds 2 to 10; that of second 1 was late"
    assert beat.ticks == 2
    assert 0 < beat.wait_seconds() <= 1.0
