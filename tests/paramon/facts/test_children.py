"""Children that nobody saw, and those that were seen: each counts once."""

import pytest
from tests.paramon.facts.joined import facts
from tests.paramon.made import Made

from paramon.facts import node as nodes


def test_children_that_nobody_saw_are_their_parents(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.comes(2, parent=1001)
    made.tick(0)
    made.tick(1000, {2: {"user_ticks": 30}})
    made.tick(2000, {2: {**made.ends(2), "user_ticks": 40}, 1: {"child_user_ticks": 100}})
    made.forget(2)
    made.close(cpu_ticks_total=110)
    found = facts(tmp_path)
    assert (found.used.user_ms, found.used.unseen_children_ms) == (400, 600)
    assert found.cpu_ms == 1100


def test_of_children_that_nobody_saw_as_much_is_the_kernels_as_of_all_that_their_parent_was_told_of(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.tick(0)
    made.tick(1000, {1: {"system_ticks": 10, "child_user_ticks": 300, "child_system_ticks": 100}})
    made.close(cpu_ticks_total=410)
    assert facts(tmp_path).used.kernel_part == pytest.approx(110 / 410)


def test_of_what_used_nothing_no_part_is_the_kernels(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.tick(0)
    made.close()
    assert facts(tmp_path).used.kernel_part is None


def generations(tmp_path, **header) -> Made:
    """A grandparent, a parent and a child, of which the two below end between the same two looks."""
    made = Made(tmp_path, **header)
    made.comes(1)
    made.comes(2, parent=1001, start_ticks=6)
    made.comes(3, parent=1002, start_ticks=7)
    return made


@pytest.mark.parametrize("kept", [5000, 0])
def test_a_grandchild_is_counted_once_though_its_parent_ends_with_it(tmp_path, monkeypatch, kept):
    monkeypatch.setattr(nodes, "ENDED_KEPT", kept)
    made = generations(tmp_path)
    made.tick(0)
    made.tick(1000, {3: {"user_ticks": 60}})
    # What its parent was told of it nobody saw: its last values are those of the look before.
    made.tick(2000, {3: made.ends(3), 2: made.ends(2), 1: {"child_user_ticks": 60}})
    made.forget(2)
    made.forget(3)
    made.minute()
    made.tick(3000)
    made.close()
    used = facts(tmp_path).used
    assert (used.user_ms, used.unseen_children_ms) == (600, 0)


def test_what_a_child_used_before_it_was_watched_is_none_of_its_parents_either(tmp_path):
    made = generations(tmp_path, attached=True)
    made.tick(0, {3: {"user_ticks": 500}, 2: {"child_user_ticks": 300}})
    made.tick(1000, {3: {"user_ticks": 590}})
    made.tick(2000, {3: made.ends(3), 2: made.ends(2), 1: {"child_user_ticks": 300 + 590}})
    made.close()
    used = facts(tmp_path).used
    assert (used.user_ms, used.unseen_children_ms) == (900, 0)


def reused(tmp_path, monkeypatch, kept: int):
    """Two processes had one pid, one after the other; each had a child that was seen and one that was not."""
    monkeypatch.setattr(nodes, "ENDED_KEPT", kept)
    made = Made(tmp_path)
    for number, child, start in ((1, 2, 10), (3, 4, 30)):
        made.comes(number, pid=1001, start_ticks=start)
        made.comes(child, parent=1001, start_ticks=start + 5)
        made.tick(start * 100)
        made.tick(start * 100 + 100, {child: {"user_ticks": 40}})
        made.tick(start * 100 + 200, {child: made.ends(child), number: {"child_user_ticks": 100}})
        made.forget(child)
        made.minute()
        if number == 1:  # its other child outlives it
            made.comes(5, parent=1001, start_ticks=20)
        made.tick(start * 100 + 300, {number: made.ends(number)})
        made.forget(number)
        made.minute()
    made.tick(5000, {5: {"user_ticks": 70}})
    made.tick(5100, {5: made.ends(5)})
    made.close()
    return facts(tmp_path).used


@pytest.mark.parametrize("kept", [5000, 0])
def test_a_pid_that_came_again_has_its_own_children_alone(tmp_path, monkeypatch, kept):
    used = reused(tmp_path, monkeypatch, kept)
    assert (used.user_ms, used.unseen_children_ms) == (2 * 400 + 700, 2 * 600)


def test_what_was_used_before_somebody_looked_on_is_not_counted(tmp_path):
    made = Made(tmp_path, attached=True)
    made.comes(1)
    made.tick(0, {1: {"user_ticks": 99999}})
    made.comes(2)
    made.tick(1000, {1: {"user_ticks": 100009}, 2: {"user_ticks": 7}})
    made.close()
    assert facts(tmp_path).used.user_ms == 170
