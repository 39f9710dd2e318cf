"""What a node does at a moment: a rate is the true one, however seldom what it is of is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paramon.made import Made

from paramon.facts.moment import node_at
from paramon.facts.window import Window
from paramon.sample.chunk import Chunk
from paramon.sample.fields import AT, COUNT, SLEPT_SERIES
from paramon.sample.profile import NodeProfile

CYCLES = "counter.cycles"


def rates(points: list[tuple[int, int]], *, seconds: int = 60, period: int = 1, series: str = CYCLES) -> list:
    """At each look: as a profile of minutes, each of which begins with all series."""
    chunks, ticks = [], list(range(0, seconds, period))
    for begin in range(0, len(ticks), 25):
        held = [value for tick, value in points if tick <= begin][-1:]
        later = [(tick - begin, value) for tick, value in points if begin < tick < begin + 25]
        told = {series: [*((0, value) for value in held), *later]} if held or later else {}
        chunks.append(Chunk([tick * 1000 for tick in ticks[begin : begin + 25]], {}, told))
    window = Window(chunks)
    return [node_at(window, tick * 1000, lambda _: None, 100).rates.get(series) for tick in ticks]


@pytest.mark.parametrize("pause", [1, 5, 10])
def test_what_grows_steadily_has_one_rate_however_seldom_it_is_read(pause):
    found = rates([(tick, tick * 3_000) for tick in range(0, 60, pause)])
    assert found[0] is None
    assert found[:pause] == [None, *[0] * (pause - 1)]
    assert found[pause:] == [3_000] * (60 - pause)


def test_what_is_read_at_first_at_each_look_and_then_seldom_has_one_rate():
    found = rates([(tick, tick * 3_000) for tick in (0, 1, 2, *range(12, 60, 10))])
    assert set(found[1:3] + found[12:]) == {3_000}
    assert max(found[1:]) == 3_000


def test_what_grows_no_more_stands_still_as_soon_as_it_was_read_again():
    each_look = rates([(tick, min(tick, 20) * 50) for tick in range(21)])
    assert each_look[1:] == [50] * 20 + [0] * 39
    seldom = rates([(tick, min(tick, 20) * 50) for tick in (0, 10, 20)])
    assert seldom[10:] == [50] * 20 + [0] * 30


def test_what_grew_at_once_after_a_long_time_is_of_no_more_than_the_longest_pause():
    found = rates([(0, 7), (40, 1207)])
    assert found[1:40] == [0] * 39
    assert found[40:] == [100] * 12 + [0] * 8


def test_looks_that_are_a_minute_apart_have_their_rate():
    found = rates([(look, look * 600) for look in range(10)], seconds=600, period=60)
    assert found[1:] == [10] * 9


def test_what_falls_does_not_grow_and_what_stands_has_no_rate():
    assert rates([(tick, 100 - tick) for tick in range(60)])[1:] == [0] * 59
    assert rates([(tick, tick) for tick in range(60)], series="memory.free_kib") == [None] * 60


def test_a_machine_that_slept_longer_than_there_was_time_has_no_rate():
    slept = [(0, 0), (2, 2000), (3, 1 << 60)]
    told = Chunk([0, 1000, 2000, 3000], {}, {CYCLES: [(0, 1), (2, 2)], SLEPT_SERIES: slept})
    assert node_at(Window([told]), 3000, lambda _: None, 100).rates[CYCLES] == 0


@pytest.mark.parametrize("first", [1, 3])
def test_what_came_between_two_looks_has_used_all_of_it_since_the_first_of_the_two(first):
    values = [0] * COUNT
    values[AT["user_ticks"]], values[AT["state"]] = 70, ord("R")
    told = Chunk([0, 1000, 2000, 3000], {1: [(first, tuple(values))]}, {})
    now = node_at(Window([told]), first * 1000, lambda _: None, 100)
    assert (now.cores, now.processes[0].cores) == (0.7, 0.7)


@given(
    st.lists(
        st.tuples(st.booleans(), st.dictionaries(st.integers(1, 3), st.integers(0, 9), max_size=3)),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_any_moment_is_the_same_however_the_minutes_fall(tmp_path_factory, looks):
    """`looks`: whether a minute ends, and by how much each process's time grows."""
    made = Made(tmp_path_factory.mktemp("profile"))
    used = dict.fromkeys((1, 2, 3), 0)
    for number in used:
        made.comes(number)
    memory = []
    for second, (is_minute, grown) in enumerate(looks):
        used = {number: ticks + grown.get(number, 0) for number, ticks in used.items()}
        memory.append(sum(used.values()))
        made.tick(second * 1000, {number: {"user_ticks": ticks, "rss_kib": ticks} for number, ticks in used.items()})
        if is_minute:
            made.minute()
    profile = NodeProfile(made.close())
    window = Window(list(profile.chunks()), profile.processes.get)
    for second, (_, grown) in enumerate(looks):
        now = node_at(window, second * 1000 + 999, profile.processes.get, 100)
        assert (now.at_ms, now.memory_kib) == (second * 1000, memory[second])
        assert now.cores == pytest.approx(sum(grown.values()) / 100 if second else 0)
