"""What a queue leaves to one more job: as its scheduler would, where all jobs are ours."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from paracloud.placement.room import Asks, Room, room_of
from paracloud.simulation.centre import passing
from paracloud.simulation.grid import Grid, Rules
from paracloud.simulation.workload import TraceJob, Workload

HOUR = 3600.0


def test_an_empty_queue_has_room_for_whatever_fits():
    assert room_of(8, [], []) == Room(8, inf, 8)
    assert room_of(8, [], []).holds(8, HOUR)
    assert not room_of(8, [], []).holds(9, 1)


def test_who_passes_the_first_that_waits_has_to_be_done_before_it_can_start_or_leave_it_its_cores():
    room = room_of(4, [Asks(4, HOUR)], [Asks(6, HOUR)])
    assert (room.shadow, room.extra) == (HOUR, 2)
    assert room.holds(4, HOUR)
    assert not room.holds(4, HOUR + 1)
    assert room.holds(2, HOUR + 1)
    room.take(2, HOUR + 1)
    assert not room.holds(1, HOUR + 1), "what it leaves for longer is taken"
    assert room.holds(2, HOUR)
    room.take(2, HOUR)
    assert not room.holds(1, 1)


def test_those_that_fit_are_about_to_start_and_leave_no_room_before_they_do():
    assert room_of(8, [], [Asks(5, HOUR)]) == Room(3, inf, 3)
    assert room_of(8, [], [Asks(5, HOUR), Asks(5, HOUR)]) == Room(3, HOUR, 3)


def test_behind_the_first_that_does_not_fit_those_that_pass_it_leave_no_room_either():
    assert room_of(4, [Asks(4, HOUR)], [Asks(8, HOUR), Asks(3, HOUR), Asks(1, 2 * HOUR)]) == Room(1, HOUR, 0)
    assert room_of(4, [], [Asks(8, HOUR), Asks(3, HOUR)]) == Room(1, inf, 4)


def test_where_it_waits_for_cores_of_others_what_is_free_is_room():
    assert room_of(2, [Asks(1, HOUR)], [Asks(6, HOUR)]) == Room(2, inf, 2)


@given(
    st.lists(st.tuples(st.integers(1, 8), st.integers(1, 9)), max_size=8),
    st.lists(st.tuples(st.integers(1, 8), st.integers(1, 9)), max_size=4),
    st.lists(st.tuples(st.integers(1, 8), st.integers(1, 9)), max_size=6),
)
def test_where_all_are_ours_it_is_what_easy_backfilling_would_start(before, queue, more):
    """Against the simulator's scheduler: those that run came first, then those that wait, then those that are asked."""
    jobs = [TraceJob(0, float(seconds), procs, float(seconds), 0, "ann") for procs, seconds in (*before, *queue, *more)]
    grid = Grid(Workload((8,), tuple(jobs)), Rules())
    (centre,) = grid.centres
    grid._told = lambda _job, _now: None  # nobody listens
    for job in range(len(before) + len(queue)):
        centre.join(job)
        centre.schedule(0.0)
    running = [Asks(grid.procs[job], until) for until, job in centre.running]
    room = room_of(centre.free, running, [Asks(grid.procs[job], grid.reserved[job]) for job in centre.queue])
    asked = range(len(before) + len(queue), len(jobs))
    held = []
    for job in asked:
        if room.holds(grid.procs[job], grid.reserved[job]):
            room.take(grid.procs[job], grid.reserved[job])
            held.append(job)
    assert held == list(passing(asked, grid.procs, grid.reserved, centre.hole(), 0.0))
