"""How long a process waits for processors now: what is read now and then is of no more time than it is told of."""

import pytest
from tests.paramon.made import HZ

from paramon.facts.waiting import Waiting, waiting
from paramon.facts.window import Window
from paramon.sample.chunk import Chunk
from paramon.sample.fields import AT, COUNT
from paramon.show.waits import as_known


def told(*, reads: list[int], seconds: int, cores: float = 0.5, share: float = 0.25, since: int = 0) -> list[Waiting]:
    """At each second from `since` on, when it came: of one that always ran and waited for so much of each, and of whom
    that was read at those seconds."""
    rows, read = [], since
    for second in range(since, seconds):
        read = second if second in reads else read
        values = [0] * COUNT
        values[AT["user_ticks"]] = round((second - since) * cores * HZ)
        values[AT["waits_known_us"]] = round((read - since) * cores * 1e6)
        values[AT["run_wait_us"]] = round((read - since) * share * 1e6)
        rows.append((second, tuple(values)))
    window = Window([Chunk([second * 1000 for second in range(seconds)], {1: rows}, {})])
    return [waiting(window, 1, second, HZ) for second in range(since, seconds)]


def shown(found: list[Waiting]) -> list[str]:
    return [as_known(one, f"{100 * one.share:.0f}%") for one in found]


@pytest.mark.parametrize("pause", [1, 5, 10, 20, 40])
def test_one_share_is_told_however_seldom_it_is_read(pause):
    found = told(reads=list(range(0, 120, pause)), seconds=120)
    assert set(shown(found[2 * pause :])) == {"25%"}


def test_of_one_that_is_young_it_is_told_as_far_as_it_is_known():
    found = shown(told(reads=[20, 21, 23, 27, 35], seconds=40, since=20))
    assert found[:8] == ["–", "25%", "≥ 12%", "25%", "≥ 19%", "≥ 15%", "≥ 12%", "25%"]
    assert found[12:16] == ["≥ 15%", "–", "–", "25%"]


def test_what_runs_again_after_a_long_time_is_not_known_until_it_is_read():
    rows = []
    for second in range(60):
        values = [0] * COUNT
        values[AT["user_ticks"]] = max(second - 40, 0) * HZ
        values[AT["waits_known_us"]] = 10_000_000 if second >= 50 else 1
        values[AT["run_wait_us"]] = 5_000_000 if second >= 50 else 1
        rows.append((second, tuple(values)))
    window = Window([Chunk([second * 1000 for second in range(60)], {1: rows}, {})])
    found = shown([waiting(window, 1, second, HZ) for second in range(60)])
    assert found[1:41] == ["0%"] * 40
    assert found[41:50] == ["–"] * 9
    assert found[50] == "50%"


def test_one_that_hardly_runs_is_told_as_it_is_known():
    assert set(shown(told(reads=[0, 17, 34], seconds=50, cores=0.0005, share=0.0))[1:]) == {"0%"}


def test_a_profile_that_does_not_say_of_how_much_its_waits_are_tells_them():
    rows = []
    for second in range(20):
        values = [0] * COUNT
        values[AT["user_ticks"]], values[AT["run_wait_us"]] = second * HZ, second * 300_000
        rows.append((second, tuple(values)))
    window = Window([Chunk([second * 1000 for second in range(20)], {1: rows}, {})])
    assert shown([waiting(window, 1, 19, HZ)]) == ["30%"]


def test_before_the_second_look_and_where_it_is_not_there_nothing_is_known():
    assert shown(told(reads=[0], seconds=1)) == ["–"]
    window = Window([Chunk([0, 1000], {1: [(1, (0,) * COUNT)]}, {})])
    assert waiting(window, 1, 0, HZ) == Waiting(0.0, 0.0)
