"""Children that come and go between two looks, over time: when their parents are told of them, once, and in all as much
as the totals say."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.paramon.made import Made

from paramon.facts.job import JobFacts
from paramon.facts.moment import cores_by_time, node_at
from paramon.facts.node import NodeFacts
from paramon.facts.unseen import Unseen
from paramon.facts.window import Window
from paramon.sample.profile import NodeProfile
from paramon.show.told import told as everything

SHELL, CHILD = 1, 2


def family(folder, **header) -> Made:
    made = Made(folder, **header)
    made.comes(SHELL, name="sh", rank=0)
    made.comes(CHILD, parent=1000 + SHELL, start_ticks=9)
    return made


def over_time(path: str) -> list[int]:
    return list(JobFacts([NodeProfile(path)]).timeline.cpu_ms)


def cores(path: str, moments) -> list[float]:
    profile = NodeProfile(path)
    window = Window(list(profile.chunks()), profile.processes.get)
    return [node_at(window, at * 1000, profile.processes.get, 100).cores for at in moments]


@pytest.mark.parametrize("is_minute", [False, True], ids=["in a minute", "over two"])
def test_a_shell_that_starts_short_commands_is_as_busy_as_they_are(tmp_path, is_minute):
    made = family(tmp_path)
    made.tick(0, exits__cc__cpu_us=0)
    for second in (1, 2, 3, 4):
        told = {"child_user_ticks": 30 * second, "child_system_ticks": 10 * second}
        made.tick(second * 1000, {SHELL: told}, exits__cc__cpu_us=400_000 * second)
        if is_minute and second == 2:
            made.minute()
    path = made.close()
    assert over_time(path) == [400] * 4
    assert cores(path, range(5)) == [0, *[pytest.approx(0.4)] * 4]
    profile = NodeProfile(path)
    window = Window(list(profile.chunks()), profile.processes.get)
    assert cores_by_time(window, SHELL, range(5), 100) == pytest.approx([0.4] * 4)
    (row,) = (one for one in node_at(window, 2000, profile.processes.get, 100).processes if one.process.rank == 0)
    assert row.cores == pytest.approx(0.4)
    told = everything(JobFacts([NodeProfile(path)]))
    assert told["by_time"] == {"seconds": 1, "cpu_ms": [*[400] * 4, 0], "memory_kib": [0] * 5}
    assert sum(told["by_time"]["cpu_ms"]) == told["used"]["cpu_ms"] == told["ranks"][0]["used"]["cpu_ms"]


def test_of_a_child_that_was_seen_only_what_it_did_since_the_last_look_is_told_by_its_parent(tmp_path):
    made = family(tmp_path)
    made.tick(0)
    made.tick(1000, {CHILD: {"user_ticks": 80}})
    made.tick(2000, {CHILD: made.ends(CHILD), SHELL: {"child_user_ticks": 95}})
    made.forget(CHILD)
    made.tick(3000)
    path = made.close()
    assert over_time(path) == [800, 150, 0]
    assert cores(path, range(4)) == pytest.approx([0, 0.8, 0.15, 0])


def test_who_has_just_ended_was_as_busy_as_its_last_row_says(tmp_path):
    made = family(tmp_path)
    made.tick(0)
    made.tick(1000, {CHILD: {**made.ends(CHILD), "user_ticks": 80, "child_user_ticks": 10}})
    made.forget(CHILD)
    made.tick(2000)
    assert cores(made.close(), range(3)) == pytest.approx([0, 0.9, 0])


@pytest.mark.parametrize("is_minute", [False, True], ids=["in a minute", "between two"])
def test_what_a_parent_was_told_of_a_child_before_its_end_was_seen_counts_once(tmp_path, is_minute):
    made = family(tmp_path)
    made.tick(0)
    made.tick(1000, {CHILD: {"user_ticks": 90}})
    made.tick(2000, {SHELL: {"child_user_ticks": 100}})
    if is_minute:
        made.minute()
    made.tick(3000, {CHILD: made.ends(CHILD)})
    made.forget(CHILD)
    made.tick(4000, {SHELL: {"child_user_ticks": 130}})
    path = made.close()
    assert over_time(path) == [900, 100, 0, 300]
    assert cores(path, range(5)) == pytest.approx([0, 0.9, 0.1, 0, 0.3])


def test_what_was_told_before_somebody_looked_on_is_not_counted(tmp_path):
    made = family(tmp_path, attached=True)
    made.tick(0, {SHELL: {"child_user_ticks": 5000}, CHILD: {"user_ticks": 700, "child_user_ticks": 100}})
    made.tick(1000, {SHELL: {"child_user_ticks": 5020}})
    made.tick(2000, {CHILD: made.ends(CHILD), SHELL: {"child_user_ticks": 5820}})
    made.forget(CHILD)
    path = made.close()
    assert over_time(path) == [200, 0]
    assert cores(path, range(3)) == pytest.approx([0, 0.2, 0])


LOOK = st.tuples(
    st.booleans(),
    st.dictionaries(st.integers(1, 4), st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=4),
    st.sets(st.integers(2, 4), max_size=2),
)


OUTLIVED = [(False, {2: (0, 20), 3: (9, 0)}, set()), (False, {}, {2}), (False, {}, {3})]


@example(OUTLIVED)
@given(st.lists(LOOK, min_size=1, max_size=20))
def test_over_time_it_is_in_all_what_the_totals_say(tmp_path_factory, looks):
    """`looks`: whether a minute ends; by how much time of their own and of their children grows; who ends."""
    made = Made(tmp_path_factory.mktemp("profile"))
    for number, parent in ((1, 1), (2, 1001), (3, 1002), (4, 1001)):
        made.comes(number, parent=parent, start_ticks=number)
    for second, (is_minute, grown, ends) in enumerate(looks):
        changed: dict[int, dict[str, int]] = {}
        for number, (own, told) in grown.items():
            if number in made.values:
                user, child = made.values[number][0], made.values[number][13]
                changed[number] = {"user_ticks": user + own, "child_user_ticks": child + told}
        gone = [number for number in ends if number in made.values]
        for number in gone:
            changed[number] = {**changed.get(number, {}), **made.ends(number)}
        made.tick(second * 1000, changed)
        for number in gone:
            made.forget(number)
        if is_minute:
            made.minute()
    node = NodeFacts(NodeProfile(made.close()))
    unseen, found = Unseen(node.profile.processes.get), dict.fromkeys((1, 2, 3, 4), 0)
    for chunk in node.profile.chunks():
        node.take(chunk)
        for number, grown_at in unseen.take(chunk.rows).items():
            found[number] += sum(grown_at.values())
    assert found == {**dict.fromkeys(found, 0), **node.unseen_ticks()}
