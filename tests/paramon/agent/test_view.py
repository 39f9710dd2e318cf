"""What is known of jobs now, from the rows of their processes: nothing is lost when one ends, nothing counts twice."""

import pytest
from tests.paramon.agent.strict import read, value

from paramon.agent import view as views
from paramon.agent.job_metrics import job_families, process_families
from paramon.agent.openmetrics import page
from paramon.agent.view import View
from paramon.agent.whose import Owner
from paramon.sample.fields import AT, COUNT
from paramon.sample.profile import Process, open_profile
from paramon.spent import TICK_US
from paramon.spool import Spool

JOB, MINE, ROOT = Owner("7", "", "lin", "cgroup"), Owner("8", "", "lin", "environment"), Owner("", "", "root", "user")
LIN = Owner("", "", "lin", "user")


class World:
    """`owners`: of processes by pid; a process's number is its pid less 1000."""

    def __init__(self, spool: Spool | None = None, **owners: Owner):
        self.owners = {int(pid[1:]): owner for pid, owner in owners.items()}
        self.seconds, self.job_us = 0.0, 0
        self.view = View(lambda pid: self.owners[pid], spool, lambda: self.seconds, lambda pid: lambda: self.job_us)
        self.rows: dict[int, list[int]] = {}

    def comes(self, pid: int, parent: int = 1, name: str = "a.out", rank: int = -1):
        self.view.processes([Process(pid - 1000, pid, 5, parent, name, "./a.out", rank)])
        self.rows.setdefault(pid, [0] * COUNT)

    def tick(self, changed: dict[int, dict[str, int]], came: tuple[tuple[int, int], ...] = (), seconds: float = 1.0):
        self.seconds += seconds
        self.view.tick(int(self.seconds * 1000))
        for pid, parent in came:
            self.comes(pid, parent)
        for pid, fields in changed.items():
            for name, number in fields.items():
                self.rows[pid][AT[name]] = number
            self.view.row(pid - 1000, tuple(self.rows[pid]))
        self.view.end_tick()

    def told(self, *, is_any_closed: bool = False):
        view = self.view
        families = job_families(view.groups, view.jobs, view.counted, is_any_closed=is_any_closed)
        return read(page(families + process_families(view.groups, is_any_closed=is_any_closed)).decode())

    def cpu(self, **labels: str) -> float:
        return value(self.told(), "paramon_job_cpu_seconds", mode="user", **labels)


GONE = {"state": ord("X"), "threads": 0, "rss_kib": 0}


def ticks(seconds: float) -> int:
    return round(seconds * 1_000_000 / TICK_US)


def test_a_job_is_the_sum_of_its_processes_also_of_those_that_ended():
    world = World(p1001=JOB, p1002=JOB, p1003=ROOT)
    world.tick(
        {
            1001: {"user_ticks": ticks(2), "system_ticks": ticks(1), "read_chars": 10, "write_calls": 3, "threads": 4},
            1002: {"user_ticks": ticks(5), "read_chars": 20, "threads": 1, "run_wait_us": 500, "write_bytes": 4096},
            1003: {"user_ticks": ticks(9), "threads": 1},
        },
        came=((1001, 1), (1002, 1001), (1003, 1)),
    )
    world.tick({1002: {"user_ticks": ticks(6), **GONE}})
    found = world.told()
    labels = {"jobid": "7", "user": "lin", "by": "cgroup"}
    assert value(found, "paramon_job_cpu_seconds", mode="user", **labels) == 8
    assert value(found, "paramon_job_cpu_seconds", mode="system", **labels) == 1
    assert value(found, "paramon_job_io_bytes", way="read", **labels) == 30
    assert value(found, "paramon_job_io_calls", way="write", **labels) == 3
    assert value(found, "paramon_job_storage_bytes", way="write", **labels) == 4096
    assert value(found, "paramon_job_run_wait_seconds", **labels) == 0.0005
    assert value(found, "paramon_job_processes", **labels) == 1
    assert value(found, "paramon_job_threads", **labels) == 4
    assert value(found, "paramon_job_cpu_seconds", mode="user", user="root") == 9
    assert len(found["paramon_process_threads"].samples) == 2


def test_shared_memory_counts_once_and_the_peak_is_of_one_moment():
    world = World(p1001=MINE, p1002=MINE)
    shared = {"rss_kib": 150, "shared_kib": 60, "file_kib": 40}
    world.tick({1001: shared, 1002: shared}, came=((1001, 1), (1002, 1)))
    found = world.told()
    assert value(found, "paramon_job_memory_bytes") == (50 + 50 + 100) * 1024
    world.tick({1001: {"shared_kib": 0, "rss_kib": 90}, 1002: {**GONE}})
    found = world.told()
    assert value(found, "paramon_job_memory_bytes") == (50 + 40) * 1024
    assert value(found, "paramon_job_memory_peak_bytes") == 200 * 1024


def test_time_in_state_d_is_counted_while_it_lasts():
    world = World(p1001=MINE)
    world.tick({1001: {"state": ord("D")}}, came=((1001, 1),))
    world.tick({}, seconds=2.5)
    found = world.told()
    assert value(found, "paramon_job_blocked_processes") == 1
    assert value(found, "paramon_job_blocked_seconds") == 3.5
    world.tick({1001: {"state": ord("S")}})
    assert value(world.told(), "paramon_job_blocked_processes") == 0


@pytest.mark.parametrize("has_ended", [False, True])
def test_children_that_nobody_saw_are_known_by_their_parents_and_seen_ones_do_not_count_again(has_ended):
    world = World(p1001=JOB, p1002=JOB)
    world.tick({1001: {"child_user_ticks": ticks(9)}}, came=((1001, 1),))
    world.tick({1002: {"user_ticks": ticks(1)}}, came=((1002, 1001),))
    end = GONE if has_ended else {}
    world.tick({1002: GONE, 1001: {"child_user_ticks": ticks(9 + 1 + 3), **end}})
    assert value(world.told(), "paramon_job_unseen_children_cpu_seconds") == 3  # the nine were before the first look
    assert world.cpu() == 1


def test_a_grandchild_is_known_once_though_its_parent_ends_with_it():
    world = World(p1001=JOB, p1002=JOB, p1003=JOB)
    world.tick({1002: {"child_user_ticks": ticks(9)}}, came=((1001, 1), (1002, 1001), (1003, 1002)))
    world.tick({1003: {"user_ticks": ticks(2)}})
    world.tick({1003: GONE, 1002: GONE, 1001: {"child_user_ticks": ticks(9 + 2)}})
    assert value(world.told(), "paramon_job_unseen_children_cpu_seconds") == 0
    assert world.cpu() == 2


def test_a_counter_never_falls():
    world = World(p1001=JOB)
    world.tick({1001: {"user_ticks": 5}}, came=((1001, 1),))
    before = world.cpu()
    world.tick({1001: {"user_ticks": 4}})
    assert world.cpu() == before


def test_one_that_becomes_another_users_takes_with_it_only_what_it_does_from_then_on():
    world = World(p1001=ROOT)
    world.tick({1001: {"user_ticks": ticks(2), "rss_kib": 10}}, came=((1001, 1),))
    world.owners[1001] = JOB
    world.tick({1001: {"user_ticks": ticks(5)}}, came=((1001, 1),))
    assert (world.cpu(user="root"), world.cpu(user="lin")) == (2, 3)
    assert value(world.told(), "paramon_job_processes", user="root") == 0
    assert value(world.told(), "paramon_job_memory_bytes", user="root") == 0
    assert value(world.told(), "paramon_job_memory_bytes", user="lin") == 10 * 1024


@pytest.mark.parametrize("next_parent", [1, 1001])
def test_one_that_lost_its_parent_is_whose_it_was_and_its_time_is_its_next_parents(next_parent):
    world = World(p1001=MINE, p1002=MINE, p1003=LIN)
    world.tick({1003: {"user_ticks": ticks(2)}}, came=((1001, 1), (1002, 1001), (1003, 1002)))
    world.tick({1002: GONE}, came=((1003, next_parent),))
    assert len(world.view.groups[MINE].members) == 2
    world.tick({1003: GONE, 1001: {"child_user_ticks": ticks(2 if next_parent == 1001 else 0)}})
    assert value(world.told(), "paramon_job_unseen_children_cpu_seconds") == 0


def test_one_that_says_nothing_is_its_parents():
    world = World(p1001=MINE, p1002=LIN, p1003=ROOT, p1004=Owner("", "", "", "user"))
    world.tick({}, came=((1001, 1), (1002, 1001), (1003, 1001), (1004, 1001)))
    processes = world.told()["paramon_job_processes"].samples
    assert {dict(given)["user"]: number for given, number in processes.items()} == {"lin": 3, "root": 1}


def test_a_job_is_told_of_for_some_time_after_its_end_and_then_forgotten():
    world = World(p1001=JOB, p1002=LIN)
    world.tick({1001: {"user_ticks": 5}}, came=((1001, 1), (1002, 1)))
    world.tick({1001: GONE, 1002: GONE})
    world.tick({}, seconds=views.KEPT_SECONDS - 1)
    assert JOB in world.view.groups
    world.tick({}, seconds=1)
    assert (world.view.groups, world.view.jobs) == ({}, {})


def test_who_makes_up_jobs_without_end_gets_no_more_series_and_takes_none_of_others(monkeypatch):
    monkeypatch.setattr(views, "MADE_UP_MOST", 3)
    pids = range(1001, 1010)
    other, of_root = Owner("9", "", "wang", "environment"), Owner("5", "", "lin", "cgroup")
    made_up = {f"p{pid}": Owner(str(pid), "", "lin", "environment") for pid in pids}
    world = World(**made_up, p1010=of_root, p1011=other, p1012=JOB)
    world.tick({}, came=tuple((pid, 1) for pid in (*pids, 1010, 1011, 1012)))
    assert {one.job for one in world.view.groups if one.by == "environment" and one.user == "lin"} == {
        "1001", "1002", "1003"
    }  # fmt: skip
    assert len(world.view.groups[LIN].members) == 6
    assert {of_root, other, JOB} <= set(world.view.groups)


def test_a_made_up_job_that_was_forgotten_makes_room_for_another(monkeypatch):
    monkeypatch.setattr(views, "MADE_UP_MOST", 1)
    later = Owner("77", "", "lin", "environment")
    world = World(p1001=MINE, p1002=later, p1003=later)
    world.tick({}, came=((1001, 1), (1002, 1)))
    assert later not in world.view.groups
    world.tick({1001: GONE, 1002: GONE})
    world.tick({}, seconds=views.KEPT_SECONDS)
    world.tick({}, came=((1003, 1),))
    assert later in world.view.groups


@pytest.mark.parametrize(("by_kernel_us", "expected"), [(4_000_000, 0.5), (2_000_000, 1.0), (1_000_000, 2.0)])
def test_what_its_control_group_counts_is_what_a_jobs_processes_are_held_against(by_kernel_us, expected):
    world = World(p1001=JOB)
    world.job_us = 50_000_000
    world.tick({1001: {"user_ticks": ticks(3)}}, came=((1001, 1),))
    assert "paramon_job_completeness_ratio" not in world.told()
    world.job_us += by_kernel_us
    world.tick({1001: {"user_ticks": ticks(5)}})
    found = world.told()
    assert value(found, "paramon_job_completeness_ratio", jobid="7") == expected
    assert value(found, "paramon_job_cgroup_cpu_seconds", jobid="7") == 50 + by_kernel_us / 1e6


def test_each_process_has_series_of_its_own_where_that_is_wanted():
    world = World(p1001=JOB)
    world.tick({}, came=())
    world.comes(1001, name='x "y"\\', rank=3)
    world.tick({1001: {"user_ticks": ticks(2), "rss_kib": 5, "peak_rss_kib": 6, "threads": 2}})
    found, whose = world.told(), {"pid": "1001", "rank": "3", "name": 'x "y"\\', "jobid": "7"}
    assert value(found, "paramon_process_cpu_seconds", mode="user", **whose) == 2
    assert value(found, "paramon_process_resident_memory_bytes", **whose) == 5 * 1024
    assert value(found, "paramon_process_resident_memory_peak_bytes", **whose) == 6 * 1024


IO = {f"paramon_{whose}_{what}" for whose in ("job", "process") for what in ("io_bytes", "io_calls", "storage_bytes")}


def test_io_that_must_not_be_read_is_no_zero():
    world = World(p1001=ROOT, p1002=MINE)
    world.tick({1001: {"threads": 1}, 1002: {"threads": 1}}, came=((1001, 1), (1002, 1)))
    known, closed = world.told(), world.told(is_any_closed=True)
    assert {name for name in known if name.endswith(("io_bytes", "io_calls", "storage_bytes"))} == IO
    assert {user for name in IO for user in users(known, name)} == {"root", "lin"}
    assert known.keys() - closed.keys() == IO
    world.tick({1002: {"read_chars": 5}})
    closed = world.told(is_any_closed=True)
    assert {user for name in IO for user in users(closed, name)} == {"lin"}
    assert value(closed, "paramon_job_storage_bytes", way="read") == 0
    assert users(closed, "paramon_job_cpu_seconds") == {"root", "lin"}


def users(found, name: str) -> set[str]:
    return {dict(given)["user"] for given in found[name].samples}


def test_what_programs_that_came_and_went_used_is_told_until_it_changes():
    world = World()
    world.view.tick(0)
    world.view.point("exits.true.count", 5)
    world.view.point("memory.free_kib", 5)
    world.view.end_tick()
    world.view.tick(1)
    assert world.view.points == {"exits.true.count": 5}


def test_a_nodes_profile_knows_no_ranks_since_several_jobs_have_the_same(tmp_path):
    first = Spool(str(tmp_path), "first", {"node": "n1", "started_at_ms": 1})
    world = World(first, p1001=JOB, p1002=MINE)
    world.comes(1001, rank=3)
    world.comes(1002, rank=3)
    world.tick({1001: {"user_ticks": 1}, 1002: {"user_ticks": 2}})
    world.view.go_on_in(Spool(str(tmp_path), "second", {"node": "n1", "started_at_ms": 2}))
    world.tick({1001: {"user_ticks": 2}})
    world.view.close({})
    for node in open_profile(str(tmp_path)):
        assert [len(chunk.ticks) for chunk in node.chunks()] == [1]
        assert [one.rank for one in node.processes.values()] == [-1, -1]


def test_a_pid_that_came_again_has_not_its_predecessors_children():
    world = World(p1001=JOB, p1002=JOB)
    world.tick({}, came=((1001, 1),))
    world.tick({1002: {"user_ticks": ticks(5)}}, came=((1002, 1001),))
    world.tick({1001: GONE})
    world.view.processes([Process(3, 1001, 9, 1, "a.out", "./a.out", -1)])  # its child began before it
    world.rows[1003] = [0] * COUNT
    world.tick({1003: {"user_ticks": ticks(1)}, 1002: GONE})
    world.tick({1003: {"child_user_ticks": ticks(4)}})
    assert value(world.told(), "paramon_job_unseen_children_cpu_seconds") == 4
