"""Seconds of a profile that anybody may have made up."""

from paramon.facts import timeline
from paramon.facts.timeline import MOST, Timeline


def test_use_is_spread_evenly_over_the_seconds_that_passed():
    line = Timeline()
    line.cpu(0, 500, 100)
    line.cpu(500, 3500, 3000)
    assert list(line.cpu_ms) == [600, 1000, 1000, 500]


def test_a_moment_that_no_profile_can_have_costs_no_more_than_the_longest_one(monkeypatch):
    monkeypatch.setattr(timeline, "MOST_SECONDS", 1000)
    line = Timeline()
    line.cpu(0, 1 << 70, 2.0**70)
    line.memory(1 << 70, 5)
    assert len(line.cpu_ms) == 1000
    assert set(line.cpu_ms) == {1000}
    assert not line.memory_kib


def test_more_than_any_node_has_is_told_as_most():
    line = Timeline()
    line.cpu(0, 1000, 2.0**70)
    line.memory(0, 1 << 70)
    for _ in range(3):
        line.join(line, 0)
    assert (list(line.cpu_ms), list(line.memory_kib)) == ([MOST], [MOST])


def test_who_goes_to_and_fro_is_followed_once():
    class Counted(Timeline):
        """How many seconds were written."""

        def __init__(self) -> None:
            super().__init__()
            self.cpu_ms = Column()

    class Column(list):
        written = 0

        def __setitem__(self, second, value) -> None:
            self.written += 1
            super().__setitem__(second, value)

    line = Counted()
    for _ in range(50):
        line.cpu(0, 10_000_000, 10_000)
        line.cpu(10_000_000, 0, 10_000)
    line.cpu(10_000_000, 10_001_000, 7)
    assert (line.cpu_ms.written, line.cpu_ms[0], line.cpu_ms[-1]) == (10_001, 1, 7)
