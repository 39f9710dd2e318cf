"""Whose CPU time is known: each process's once, also where the kernel tells of its end."""

import pytest
from tests.paramon.table_world import JOB, OWN, Told, World, told, world

from paramon.sample.fields import AT

__all__ = ["told", "world"]


def test_a_process_that_nobody_saw_is_counted_by_its_exit_record(world, told):
    world.look()
    told.ends(50, JOB, 30, name="cc1", peak=900, read=4096)
    told.ends(51, JOB, 12, name="cc1", peak=700)
    world.look()
    assert world.series() == {
        "exits.cc1.count": 2,
        "exits.cc1.cpu_us": 420_000,
        "exits.cc1.peak_rss_kib": 900,
        "exits.cc1.read_bytes": 4096,
        "exits.cc1.written_bytes": 0,
        "exits.lost": 0,
    }
    assert world.known() == 43
    assert told.is_closed


def test_of_those_that_nobody_saw_the_nearest_is_summed_up_and_the_least_is_counted(world, told):
    """Their parent is told the truth."""
    world.look()
    told.ends(50, JOB, 30, nearest=333_000)
    told.ends(51, JOB, 10, thread=52, nearest=111_000)
    told.ends(51, JOB, 10, nearest=122_000)
    world.look()
    assert world.series()["exits.short.cpu_us"] == 333_000 + 111_000 + 122_000
    assert world.known() == 1 + 50


def test_its_parent_counts_it_not_again(world, told):
    world.look()
    told.ends(50, JOB, 30)
    world.is_there(JOB, OWN, ticks=1, child_ticks=30)
    world.look()
    world.look()
    assert world.known() == 31


def test_what_the_record_did_not_have_the_parent_has(world, told):
    """A process still gives its memory back after its record was written; and records can be lost."""
    world.look()
    told.ends(50, JOB, 30)
    world.is_there(JOB, OWN, ticks=1, child_ticks=38)
    world.look()
    told.ends(51, JOB, 20)
    world.goes(JOB)
    world.look()
    assert world.known() == 1 + 38 + 20


def test_a_family_of_which_nobody_was_seen_is_counted_whole_and_once(world, told):
    world.look()
    told.ends(52, 51, 7, name="grandchild")
    told.ends(51, 50, 5, name="child")
    told.ends(50, JOB, 3, name="parent")
    told.ends(53, OWN, 2, name="orphan")
    world.is_there(JOB, OWN, ticks=1, child_ticks=15)
    world.look()
    assert world.known() == 1 + 15 + 2


def test_others_on_the_node_are_not_the_jobs(world, told):
    world.look()
    told.ends(60, 1, 1000)
    told.ends(61, 59, 1000)
    for _ in range(6):
        world.look()
    assert world.known() == 1
    assert not any(series.startswith("exits.short") for series in world.series())


def test_a_child_that_ended_before_its_parent_was_first_seen_waits_for_it(world, told):
    world.look()
    told.ends(51, 50, 9)
    world.look()
    world.is_there(50, JOB, ticks=2)
    world.look()
    world.is_there(50, JOB, ticks=2, child_ticks=9)
    world.look()
    assert world.known() == 12


def test_a_parent_that_was_seen_once_counts_not_again_what_it_was_told_of_before(world, told):
    world.look()
    told.ends(51, 50, 9)
    world.is_there(50, JOB, ticks=2, child_ticks=9)
    world.look()
    told.ends(52, 50, 4)
    told.ends(50, JOB, 3)
    world.goes(50)
    world.is_there(JOB, OWN, ticks=1, child_ticks=16)
    world.look()
    world.look()
    assert world.known() == 1 + 16


def test_of_a_process_that_was_seen_its_end_is_told_exactly_and_once(world, told):
    world.is_there(11, JOB, ticks=50)
    world.look()
    told.ends(11, JOB, 99, system=20, peak=5000, read=8192)
    world.goes(11)
    world.is_there(JOB, OWN, ticks=1, child_ticks=99)
    world.look()
    world.look()
    last = world.last_row(11)
    assert last[AT["user_ticks"]] + last[AT["system_ticks"]] == 99
    assert (last[AT["system_ticks"]], last[AT["peak_rss_kib"]], last[AT["read_bytes"]]) == (9, 5000, 8192)
    assert world.known() == 100


def test_threads_that_end_are_their_processs(world, told):
    world.is_there(11, JOB, ticks=50)
    world.look()
    told.ends(11, JOB, 40, thread=12)
    world.is_there(11, JOB, ticks=60)
    for _ in range(6):
        world.look()
    told.ends(11, JOB, 30)
    world.goes(11)
    world.look()
    assert world.known() == 71


def test_threads_of_a_process_that_nobody_saw_are_counted_with_it(world, told):
    world.look()
    told.ends(50, JOB, 4, thread=51, name="worker")
    told.ends(50, JOB, 6, thread=50, name="main")
    world.look()
    assert world.series()["exits.main.cpu_us"] == 100_000
    assert world.known() == 11


def test_a_process_that_lives_on_is_not_counted_by_a_thread_of_it_that_ended(world, told):
    world.look()
    told.ends(50, JOB, 4, thread=51)  # both began after the look
    world.look()
    world.is_there(50, JOB, ticks=10)
    world.look()
    assert world.known() == 11


@pytest.mark.parametrize("is_told_late", [False, True])
@pytest.mark.parametrize("is_seen_before", [False, True])
def test_what_a_zombie_had_at_most_is_in_its_row(world, told, is_seen_before, is_told_late):
    world.look()
    if is_seen_before:
        world.is_there(50, JOB)
        world.look()
    world.is_there(50, JOB, ticks=30, state="Z")
    if is_told_late:
        world.look()
    told.ends(50, JOB, 30, peak=777)
    world.look()
    assert world.last_row(50)[AT["peak_rss_kib"]] == 777


def goes_and_is_counted_once(world):
    world.goes(50)
    world.is_there(JOB, OWN, ticks=1, child_ticks=30)
    world.look()
    assert world.last_row(50)[AT["peak_rss_kib"]] == 777
    assert world.known() == 31


def test_what_is_just_ending_has_been_told_of_and_is_no_later_one_of_that_number(world, told):
    """Its record is written before its memory goes, and that before it is a zombie."""
    world.look()
    told.ends(50, JOB, 30, peak=777)
    world.is_there(50, JOB, ticks=30, state="R", rss_pages=0)
    world.look()
    goes_and_is_counted_once(world)


def test_a_zombie_is_looked_at_and_not_counted_by_its_record_too(world, told):
    world.look()
    told.ends(50, JOB, 30, peak=777)
    world.is_there(50, JOB, ticks=30, state="Z")
    world.look()
    world.look()
    goes_and_is_counted_once(world)


def test_nobody_waits_for_a_parent_for_long(world, told):
    world.look()
    told.ends(51, 50, 9)
    for _ in range(6):
        world.look()
    world.is_there(50, JOB, ticks=2)  # a later process of that number
    world.look()
    world.look()
    assert world.known() == 3


def test_a_number_that_comes_again_has_not_what_was_told_of_an_earlier_process(world, told):
    world.look()
    told.ends(50, 999, 5000)  # of a parent that nobody knows
    world.look()
    world.is_there(50, JOB, ticks=3)
    world.look()
    world.goes(50)
    world.is_there(JOB, OWN, ticks=1, child_ticks=3)
    world.look()
    assert world.known() == 4


def test_a_record_that_was_lost_is_told_and_left_to_the_parent(world, told):
    world.look()
    told.lost = 1
    world.is_there(JOB, OWN, ticks=1, child_ticks=44)
    world.look()
    assert world.series() == {"exits.lost": 1}
    assert world.known() == 45


def test_very_many_names_are_told_together(world, told):
    world.look()
    for number in range(100):
        told.ends(100 + number, JOB, 1, name=f"t{number}", peak=9)
    world.look()
    series = world.series()
    assert series["exits.(others).count"] == 36
    assert len(series) == 65 * 5 + 1
    assert world.known() == 101


def test_what_the_kernel_tells_is_taken_at_each_look_whether_anybody_came_or_not(tmp_path):
    (tmp_path / "loadavg").write_text("0.00 0.00 0.00 1/1 77\n")
    told = Told()
    world = World(tmp_path, told)
    world.is_there(JOB, OWN)
    for _ in range(4):
        told.ends(4711, 1, 1)
        world.look()
        assert not told.exits
    world.table.close()
