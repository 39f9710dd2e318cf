"""Whose CPU time is known: each process's once, whether it was looked at or known by its parent alone."""

import pytest
from tests.paramon.table_world import JOB, OWN, World, silent

from paramon.spent import completeness
from paramon.table import Belongs, Table

__all__ = ["silent"]


def test_without_exit_records_parents_tell_of_those_that_nobody_saw(silent):
    silent.look()
    silent.is_there(JOB, OWN, ticks=2, child_ticks=70)
    silent.look()
    assert silent.known() == 72


def test_what_a_process_used_before_it_was_given_to_us_is_not_counted(tmp_path):
    world = World(tmp_path, None)
    world.table = Table(Belongs(frozenset({JOB}), frozenset(), (b"MARK", b"here")), str(tmp_path), own=OWN)
    world.is_there(JOB, 1, ticks=900, child_ticks=500)
    world.is_there(11, JOB, ticks=300)
    world.look()
    world.is_there(JOB, 1, ticks=907, child_ticks=520)
    world.is_there(12, JOB, ticks=40)
    world.look()
    assert world.known() == 7 + 20 + 40


def test_a_child_that_was_seen_is_not_counted_by_its_parent_again(silent):
    silent.is_there(11, JOB, ticks=50)
    silent.look()
    silent.goes(11)
    silent.is_there(JOB, OWN, ticks=2, child_ticks=53)
    silent.look()
    assert silent.known() == 55


@pytest.mark.parametrize("is_asleep", [False, True])
def test_a_child_whose_parent_has_ended_is_its_next_parents(silent, is_asleep):
    """As in a container, whose first process waits for all (PR_SET_CHILD_SUBREAPER)."""
    burnt = 50 if is_asleep else 30
    silent.is_there(11, JOB)
    silent.is_there(12, 11, ticks=burnt)
    for _ in range(3):
        silent.look()
    silent.goes(11)
    silent.is_there(12, JOB, ticks=50)
    silent.look()
    silent.look()
    silent.goes(12)
    silent.is_there(JOB, OWN, ticks=2, child_ticks=50)
    silent.look()
    assert silent.known() == 52
    assert [one.parent for one in silent.came if one.pid == 12] == [11, JOB]


def test_one_of_which_nothing_could_be_read_is_asked_again(silent):
    (silent.root / "11").mkdir()
    for _ in range(3):
        silent.look()
    silent.is_there(11, JOB, ticks=5)
    silent.look()
    assert silent.known() == 1 + 5


def test_of_one_that_is_just_being_taken_away_the_kernel_tells_nothing_that_counts(silent):
    silent.is_there(11, JOB, ticks=50)
    silent.look()
    silent.is_there(11, 0, ticks=0, state="X", start=1011, threads=0)
    silent.look()
    assert silent.known() == 51


def test_a_launcher_that_ends_together_with_its_ranks_counts_them_once(silent):
    """mpirun is looked at before its ranks, and had not waited for them at its last look."""
    silent.is_there(11, JOB, ticks=1)
    silent.is_there(12, 11, ticks=400)
    silent.look()
    silent.goes(11)
    silent.goes(12)
    silent.is_there(JOB, OWN, ticks=1, child_ticks=401)
    silent.look()
    assert silent.known() == 402


@pytest.mark.parametrize(
    ("known", "total", "part"),
    [(0, 0, None), (5, 0, None), (90, 120, 0.75), (120, 120, 1.0), (121, 120, 1.0), (122, 120, 1.0167), (3, 1, 3.0)],
)
def test_more_than_all_is_said_as_it_is_unless_a_tick_was_rounded(known, total, part):
    assert completeness(known, total) == part


def test_a_pid_that_came_again_has_not_its_predecessors_children(silent):
    silent.is_there(20, JOB, start=2100)
    silent.is_there(21, 20, ticks=50, start=2110)
    silent.look()
    silent.goes(20)
    silent.look()
    silent.is_there(20, JOB, ticks=3, start=2200)
    silent.look()
    silent.goes(21)
    silent.look()
    silent.is_there(20, JOB, ticks=3, child_ticks=40, start=2200)
    silent.look()
    assert silent.known() == 1 + 50 + 3 + 40
