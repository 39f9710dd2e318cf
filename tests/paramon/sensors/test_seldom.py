"""What is dear is read less often, and what is cheap at each tick."""

import pytest

from paramon.sensors.seldom import Seldom


class Clock:
    """Of both kinds: what passed, and what was spent."""

    def __init__(self):
        self.now = self.spent = 0.0


class Costly:
    """A sensor whose reads cost as told, and which fails when told."""

    name = "costly"

    def __init__(self, clock, costs):
        self.clock, self.costs, self.reads, self.fails, self.is_closed = clock, costs, 0, False, False

    def read(self):
        self.clock.spent += self.costs[min(self.reads, len(self.costs) - 1)]
        self.reads += 1
        if self.fails:
            raise OSError(5, "gone")
        return {"costly.reads": self.reads}

    def close(self):
        self.is_closed = True


def made(*costs):
    clock = Clock()
    sensor = Costly(clock, costs)
    return clock, sensor, Seldom(sensor, lambda: clock.now, lambda: clock.spent)


def reads_in(clock, sensor, seldom, seconds, period=1.0):
    before = sensor.reads
    for _ in range(round(seconds / period)):
        seldom.read()
        clock.now += period
    return sensor.reads - before


@pytest.mark.parametrize(("cost", "reads"), [(50e-6, 100), (200e-6, 20), (5e-3, 10)])
@pytest.mark.parametrize("period", [1.0, 0.1])
def test_its_cost_says_how_often_it_is_read(cost, reads, period):
    clock, sensor, seldom = made(cost)
    for _ in range(3):
        seldom.read()
    expected = reads if cost > 60e-6 else reads / period
    assert reads_in(clock, sensor, seldom, 100, period) == pytest.approx(expected, abs=1)


def test_one_read_that_was_disturbed_makes_it_not_dear():
    clock, sensor, seldom = made(3e-3, 20e-6, 9e-3, 20e-6, 20e-6, 9e-3, 20e-6)
    assert reads_in(clock, sensor, seldom, 20) == 20


def test_between_two_reads_it_says_what_was_read():
    clock, sensor, seldom = made(1.0)
    reads_in(clock, sensor, seldom, 3)
    assert (seldom.read(), sensor.reads) == ({"costly.reads": 3}, 3)


def test_ticks_that_come_early_are_not_missed():
    clock, sensor, seldom = made(1.0)
    reads_in(clock, sensor, seldom, 3)
    clock.now = 2 + 9.95
    seldom.read()
    assert sensor.reads == 4


def test_after_a_failed_read_nothing_old_is_told_as_if_it_were_new():
    clock, sensor, seldom = made(1.0)
    reads_in(clock, sensor, seldom, 3)
    clock.now, sensor.fails = 20.0, True
    with pytest.raises(OSError, match="gone"):
        seldom.read()
    assert seldom.read() == {}


def test_the_last_read_is_a_fresh_one():
    clock, sensor, seldom = made(1.0)
    reads_in(clock, sensor, seldom, 3)
    seldom.hurry()
    assert seldom.read() == {"costly.reads": 4}
    seldom.close()
    assert sensor.is_closed
