"""Columns by time, and any moment looked up: the same values, however the minutes fall."""

from hypothesis import given
from hypothesis import strategies as st
from tests.paramon.made import Made

from paramon.facts.by_time import ByTime
from paramon.facts.moment import node_at
from paramon.facts.window import Window
from paramon.sample.profile import NodeProfile


def columns(path: str) -> list[dict]:
    profile = NodeProfile(path)
    by_time = ByTime(100, lambda number: profile.processes[number].rank)
    return [by_time.take(chunk) for chunk in profile.chunks()]


def test_rates_go_on_over_the_end_of_a_minute(tmp_path):
    made = Made(tmp_path)
    made.comes(1, rank=0)
    made.comes(2, rank=1)
    made.tick(0, {1: {"user_ticks": 500}}, network__eth0__received_bytes=7)
    made.tick(1000, {1: {"user_ticks": 600, "read_chars": 10}}, network__eth0__received_bytes=17)
    made.minute()
    made.tick(3000, {1: {"user_ticks": 700}, 2: {"system_ticks": 50, "rss_kib": 30}}, network__eth0__received_bytes=57)
    first, second = columns(made.close())
    assert (first["at_ms"], first["cpu_cores"], first["read_chars_a_second"]) == ([0, 1000], [None, 1.0], [None, 10.0])
    assert (second["cpu_cores"], second["memory_kib"], second["processes"]) == ([0.75], [30], [2])
    assert (second["ranks"]["0"]["cpu_cores"], second["ranks"]["1"]["cpu_cores"]) == ([0.5], [0.25])
    assert first["series"]["network.eth0.received_bytes"] == [None, 10.0]
    assert second["series"]["network.eth0.received_bytes"] == [20.0]


def test_who_has_ended_is_not_counted(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.comes(2)
    made.tick(0, {2: {"state": ord("D"), "threads": 3}})
    made.tick(1000, {2: made.ends(2)})
    made.forget(2)
    made.tick(2000)
    (told,) = columns(made.close())
    assert (told["processes"], told["threads"], told["blocked"]) == ([2, 1, 1], [4, 1, 1], [1, 0, 0])


def test_what_stands_is_said_at_each_tick_from_when_it_is_known(tmp_path):
    made = Made(tmp_path)
    made.tick(0)
    made.tick(1000, memory__free_kib=5)
    made.tick(2000)
    made.tick(3000, memory__free_kib=6)
    (told,) = columns(made.close())
    assert told["series"]["memory.free_kib"] == [None, 5, 5, 6]


@given(
    st.lists(
        st.tuples(st.booleans(), st.dictionaries(st.integers(1, 3), st.integers(0, 9), max_size=3)),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_any_moment_looked_up_is_what_the_columns_say(tmp_path_factory, looks):
    """`looks`: whether a minute ends, and by how much each process's time grows."""
    made = Made(tmp_path_factory.mktemp("profile"))
    used = dict.fromkeys((1, 2, 3), 0)
    for number in used:
        made.comes(number)
    for second, (is_minute, grown) in enumerate(looks):
        for number, more in grown.items():
            used[number] += more
        made.tick(second * 1000, {number: {"user_ticks": ticks, "rss_kib": ticks} for number, ticks in used.items()})
        if is_minute:
            made.minute()
    path = made.close()
    told = columns(path)
    cores = [value for part in told for value in part["cpu_cores"]]
    memory = [value for part in told for value in part["memory_kib"]]
    profile = NodeProfile(path)
    window = Window(list(profile.chunks()))
    for second in range(len(looks)):
        now = node_at(window, second * 1000 + 999, profile.processes.get, 100)
        assert now.at_ms == second * 1000
        assert now.memory_kib == memory[second]
        assert round(now.cores, 6) == (cores[second] or 0.0)
