"""Whose CPU time is known: each process's once, whether it was looked at, told of when it ended, or known by its
parent alone."""

import shutil

import pytest
from tests.paramon.sensors import trees

from paramon.sample.chunk import ChunkWriter, read_chunk
from paramon.sample.fields import AT
from paramon.sensors.taskstats import Exit
from paramon.spent import completeness
from paramon.table import Belongs, Table

OWN, JOB = 2, 10
TICK_US = 10_000


class Told:
    """What the kernel is to tell of ends."""

    def __init__(self):
        self.exits, self.lost, self.is_closed = [], 0, False

    def ends(self, pid, parent, ticks, *, thread=None, name="short", system=0, peak=0, read=0, nearest=0):
        least = (ticks - system) * TICK_US, system * TICK_US
        self.exits.append(Exit(thread or pid, pid, parent, name, *least, peak, read, 0, nearest or sum(least)))

    def drain(self):
        found, self.exits = self.exits, []
        return found

    def close(self):
        self.is_closed = True


class World:
    """A tree of processes and the table that looks at it."""

    def __init__(self, root, told):
        self.root, self.told, self.chunk = root, told, ChunkWriter()
        self.came = []
        self.table = Table(Belongs(frozenset(), frozenset({OWN}), (b"MARK", b"here")), str(root), own=OWN, exits=told)

    def is_there(self, pid, parent, ticks=0, child_ticks=0, state="S", **more):
        trees.process(self.root, pid, parent, ticks=ticks, child_ticks=child_ticks, state=state, **more)

    def goes(self, pid):
        shutil.rmtree(self.root / str(pid))

    def look(self):
        self.chunk.tick(self.chunk.ticks)
        self.table.look(self.chunk, self.came.extend, is_first=self.chunk.ticks == 1)
        self.chunk.end_tick()

    def known(self):
        self.table.close()
        return self.table.spent.ticks

    def series(self):
        return {series: points[-1][1] for series, points in read_chunk(self.chunk.finish()).points.items()}


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def world(tmp_path, told):
    made = World(tmp_path, told)
    made.is_there(1, 0, ticks=5000)
    made.is_there(JOB, OWN, ticks=1)
    return made


@pytest.fixture
def silent(tmp_path):
    """No ends are told."""
    made = World(tmp_path, None)
    made.is_there(JOB, OWN, ticks=1)
    return made


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
    (number,) = [one.number for one in world.came if one.pid == 11]
    last = read_chunk(world.chunk.finish()).rows[number][-1][1]
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
    (number,) = [one.number for one in world.came if one.pid == 50]
    assert read_chunk(world.chunk.finish()).rows[number][-1][1][AT["peak_rss_kib"]] == 777


def test_what_is_just_ending_has_been_told_of_and_is_no_later_one_of_that_number(world, told):
    """Its record is written before its memory goes, and that before it is a zombie."""
    world.look()
    told.ends(50, JOB, 30, peak=777)
    world.is_there(50, JOB, ticks=30, state="R", rss_pages=0)
    world.look()
    world.goes(50)
    world.is_there(JOB, OWN, ticks=1, child_ticks=30)
    world.look()
    (number,) = [one.number for one in world.came if one.pid == 50]
    assert read_chunk(world.chunk.finish()).rows[number][-1][1][AT["peak_rss_kib"]] == 777
    assert world.known() == 31


def test_a_zombie_is_looked_at_and_not_counted_by_its_record_too(world, told):
    world.look()
    told.ends(50, JOB, 30, peak=777)
    world.is_there(50, JOB, ticks=30, state="Z")
    world.look()
    world.look()
    world.goes(50)
    world.is_there(JOB, OWN, ticks=1, child_ticks=30)
    world.look()
    (number,) = [one.number for one in world.came if one.pid == 50]
    assert read_chunk(world.chunk.finish()).rows[number][-1][1][AT["peak_rss_kib"]] == 777
    assert world.known() == 31


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
        told.ends(100 + number, JOB, 1, name=f"t{number}")
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
