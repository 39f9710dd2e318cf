"""What a job took: sums over its processes at each moment, counters over its life."""

import tracemalloc
from pathlib import Path

import pytest
from tests.paramon.made import STARTED_MS, Made

from paramon.facts import node as nodes
from paramon.facts.job import JobFacts
from paramon.facts.runs import newest_run
from paramon.sample.profile import open_profile
from paramon.top.board import board
from paramon.top.reel import Reel
from paramon.top.state import State


def facts(path) -> JobFacts:
    return JobFacts(open_profile(str(path)))


def test_the_peak_of_the_sum_is_not_the_sum_of_the_peaks(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.comes(2)
    made.tick(0, {1: {"rss_kib": 1000, "peak_rss_kib": 1000}, 2: {"rss_kib": 100, "peak_rss_kib": 100}})
    made.tick(1000, {1: {"rss_kib": 300}, 2: {"rss_kib": 500, "peak_rss_kib": 500}})
    made.close()
    found = facts(tmp_path)
    assert found.timeline.peak_memory() == (1100, 0)
    assert found.used.peak_rss_kib == 1500


def test_memory_that_is_shared_counts_once(tmp_path):
    made = Made(tmp_path)
    for number in (1, 2, 3):
        made.comes(number)
    made.tick(0, {number: {"rss_kib": 500 + number, "shared_kib": 300, "file_kib": 100} for number in (1, 2, 3)})
    made.close()
    (node,) = facts(tmp_path).nodes
    assert (node.peak.anonymous_kib, node.peak.common_kib, node.peak.kib) == (306, 400, 706)
    assert node.peak.rss_kib == 1506


def test_what_did_not_change_stays_as_it_was_also_over_minutes(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.comes(2)
    made.tick(0, {1: {"rss_kib": 700}, 2: {"rss_kib": 10}})
    made.tick(1000, {2: {"rss_kib": 20}})
    made.minute()
    made.tick(2000, {2: {"rss_kib": 30}})
    made.tick(5000, {2: {"rss_kib": 40}})
    made.close()
    found = facts(tmp_path)
    assert list(found.timeline.memory_kib) == [710, 720, 730, 730, 730, 740]


def test_counters_grow_over_minutes_and_are_not_counted_twice(tmp_path):
    made = Made(tmp_path)
    made.comes(1, rank=0)
    made.tick(0, {1: {"user_ticks": 10, "write_calls": 5}})
    made.minute()
    made.tick(1000, {1: {"user_ticks": 60, "write_calls": 7}})
    made.tick(2000, {1: {"user_ticks": 160, "run_wait_us": 5000}})
    made.close()
    found = facts(tmp_path)
    assert (found.used.user_ms, found.used.write_calls, found.used.run_wait_ms) == (1600, 7, 5)
    assert list(found.timeline.cpu_ms) == [500, 1000]
    assert found.there_ms == 4 * 2000


def test_a_process_that_ended_holds_nothing_and_one_that_was_lost_with_its_minute_neither(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.comes(2)
    made.tick(0, {1: {"rss_kib": 50}, 2: {"rss_kib": 400, "shared_kib": 100}})
    made.tick(1000, {2: made.ends(2)})
    made.forget(2)
    made.tick(2000)
    made.minute()
    made.comes(3)
    made.tick(3000, {3: {"rss_kib": 10}})
    made.minute()
    made.forget(3)
    made.tick(4000)
    made.close()
    assert list(facts(tmp_path).timeline.memory_kib) == [450, 50, 50, 60, 50]


def test_time_in_state_d_is_to_each_look_that_found_it_from_the_one_before(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.tick(0)
    made.tick(1500, {1: {"state": ord("D")}})
    made.tick(2000)
    made.tick(4000, {1: {"state": ord("S")}})
    made.tick(5000, {1: {"state": ord("D")}})
    made.minute()
    made.tick(7000, {1: {}})
    made.tick(7500, {1: {"state": ord("S")}})
    made.close()
    assert facts(tmp_path).used.blocked_ms == 2000 + 3000


def test_what_starts_just_at_its_first_look_has_not_been_in_state_d_for_any_time(tmp_path):
    """A shell that starts a program is, until that has begun: at the start of a run nearly always."""
    made = Made(tmp_path)
    made.comes(1)
    made.tick(4, {1: {"state": ord("D")}})
    made.tick(1000, {1: {"state": ord("S")}})
    made.tick(2000, {1: made.ends(1)})
    made.close()
    assert facts(tmp_path).used.blocked_ms == 0


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


def test_nodes_are_summed_at_the_same_moment(tmp_path):
    for node, later, sizes in (("n1", 0, (100, 900, 100)), ("n2", 1000, (100, 100, 800))):
        made = Made(tmp_path, node=node, started_ms=STARTED_MS + later)
        made.comes(1, rank=int(node[1:]) - 1)
        for second, kib in enumerate(sizes):
            made.tick(second * 1000, {1: {"rss_kib": kib}})
        made.close()
    found = facts(tmp_path)
    assert list(found.timeline.memory_kib) == [100, 1000, 200, 800]
    assert [(one.rank, one.node, one.peak_kib) for one in found.ranks] == [(0, "n1", 900), (1, "n2", 800)]
    assert found.wall_ms == 3000


def test_collectors_on_one_node_share_its_cores(tmp_path):
    def there(name: str, usable: int) -> tuple[int, int]:
        for one in range(3):
            made = Made(tmp_path / name, started_ms=STARTED_MS + one, usable_cores=usable)
            made.comes(1, rank=one)
            made.tick(0)
            made.tick(1000)
            made.close()
        found = facts(tmp_path / name)
        return found.cores, found.there_ms

    assert there("bound", 1) == (3, 3000)
    assert there("free", 4) == (4, 4 * 1002)


def test_what_processes_share_counts_once_at_a_node_however_many_collectors_are_there(tmp_path):
    for node, later_ms, shared_kib in (("n1", 0, 700), ("n1", 2000, 500), ("n2", 0, 700)):
        made = Made(tmp_path, node=node, started_ms=STARTED_MS + later_ms)
        made.comes(1)
        made.tick(0, {1: {"rss_kib": 1000, "shared_kib": shared_kib}})
        made.tick(3000)
        made.close()
    found = facts(tmp_path)
    assert list(found.timeline.memory_kib) == [2000, 2000, 2500, 2500, 1000, 1000]
    reel = Reel(str(tmp_path))
    reel.poll()
    assert " 2.4 MiB" in board(reel, State(moment_ms=STARTED_MS + 3000), 24, lambda en, zh: en).summary


def test_of_a_folder_with_many_runs_the_newest_is_told_of(tmp_path):
    for node, later_s, job, command in (("n1", 0, "1", "a"), ("n1", 100, "", "a"), ("n2", 101, "", "a"),
                                        ("n3", 101, "", "b"), ("n1", 50, "", "a")):  # fmt: skip
        made = Made(tmp_path, node=node, started_ms=STARTED_MS + later_s * 1000, job=job, command=[command])
        made.tick(0)
        made.tick(2000)
        made.close()
    profiles = [one for one in open_profile(str(tmp_path)) if one.header["node"] != "n3"]
    assert [one.header["node"] for one in newest_run(profiles)] == ["n1", "n2"]
    assert [one.header["started_at_ms"] - STARTED_MS for one in newest_run(profiles)] == [100_000, 101_000]
    assert [one.header["job"] for one in newest_run(profiles[:1])] == ["1"]


@pytest.mark.parametrize("is_minute", [False, True])
def test_of_a_run_that_has_no_end_each_node_is_its_own_until_its_last_tick_whatever_the_files_date(tmp_path, is_minute):
    for until_s, run in ((4, ["n1", "n2"]), (2, ["n2"])):
        folder = tmp_path / str(until_s)
        for node, later_s in (("n1", 0), ("n2", 3)):
            made = Made(folder, node=node, started_ms=STARTED_MS + later_s * 1000, job="")
            made.tick(0)
            made.tick(until_s * 1000)
            if is_minute:
                made.minute()
        assert [one.header["node"] for one in newest_run(open_profile(str(folder)))] == run
        reel = Reel(str(folder))
        reel.poll()
        assert [one.header["node"] for one in reel.tapes] == run


def test_a_copy_that_was_just_made_of_what_was_cut_off_long_ago_is_not_running(tmp_path):
    for started_ms, is_running in ((STARTED_MS - 3_600_000, False), (STARTED_MS - 10_000, True)):
        made = Made(tmp_path / str(started_ms), started_ms=started_ms)
        made.tick(0)
        made.tick(9000)
        (node,) = facts(Path(made.path).parent).nodes
        reel = Reel(made.path)
        reel.poll()
        assert (node.is_running, reel.is_over) == (is_running, not is_running)


def test_many_that_ended_are_summed_and_nothing_of_them_is_lost(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    number = 1
    for second in range(60):
        fresh = range(number + 1, number + 101)
        number += 100
        for one in fresh:
            made.comes(one)
        made.tick(second * 2000, {one: {"user_ticks": 3, "rss_kib": 8} for one in fresh})
        made.tick(second * 2000 + 1000, {one: made.ends(one) for one in fresh})
        for one in fresh:
            made.forget(one)
        made.minute()
    made.close()
    found = facts(tmp_path)
    assert found.used.user_ms == 6000 * 30
    assert found.nodes[0].folded > 2000
    assert len(found.processes) + found.nodes[0].folded == 6001
    assert len(found.nodes[0].profile.processes) == len(found.processes), "and nothing is kept of them"


def test_a_longer_profile_takes_no_more_memory(tmp_path):
    def most(minutes: int) -> int:
        made = Made(tmp_path / str(minutes))
        for number in range(1, 41):
            made.comes(number)
        for second in range(minutes * 60):
            made.tick(second * 1000, {number: {"user_ticks": second * number} for number in made.values})
            if second % 60 == 59:
                made.minute()
        path = made.close()
        tracemalloc.start()
        facts(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert most(6) < 1.2 * most(2)


def beside(folder, *, later_ms: int, ends_ms: int, total: int, before_us: int, known: int = 40, **end) -> None:
    """One of several collectors: it is told the group's ticks while it was there, and knows its own process's."""
    made = Made(folder, started_ms=STARTED_MS + later_ms)
    made.comes(1, rank=later_ms)
    made.tick(0, {1: {"user_ticks": 0}}, cgroup__cpu_us=before_us, node_counter__dram_lines=5)
    made.tick(ends_ms - later_ms, {1: {"user_ticks": known}}, cgroup__cpu_us=before_us + total * 10_000,
              node_counter__dram_lines=1005)  # fmt: skip
    told = {"cpu_ticks_total_by": "cgroup", "cpu_ticks_total": total, "cpu_ticks": known, "cpu_us": 0, **end}
    made.close(completeness=known / total, **told)


def completenesses(found: JobFacts) -> list[float | None]:
    return [some.completeness(node) for some in found.together for node in some.nodes]


def test_what_a_control_group_used_is_told_to_each_collector_and_counts_once(tmp_path):
    for one in range(4):
        beside(tmp_path, later_ms=one, ends_ms=1000 + one, total=200, before_us=7)
    found = facts(tmp_path)
    assert (found.cpu_ms, found.used.cpu_ms) == (2000, 1600)
    assert completenesses(found) == [0.8] * 4
    assert found.hardware.memory_bytes_a_second == pytest.approx(64_000, rel=0.01)


def test_collectors_that_follow_each_other_were_each_told_of_their_own_time(tmp_path):
    beside(tmp_path, later_ms=0, ends_ms=1000, total=100, before_us=7)
    beside(tmp_path, later_ms=1000, ends_ms=2000, total=70, before_us=1_000_007)
    found = facts(tmp_path)
    assert found.cpu_ms == 1700
    assert completenesses(found) == [0.4, 40 / 70]
    assert found.hardware.memory_bytes_a_second == 64_000


def test_of_those_that_overlap_the_groups_own_counter_says_how_much_both_were_told(tmp_path):
    beside(tmp_path, later_ms=0, ends_ms=1000, total=100, before_us=0)
    beside(tmp_path, later_ms=500, ends_ms=1500, total=100, before_us=500_000)
    assert facts(tmp_path).cpu_ms == 1500


def test_one_that_has_not_ended_is_in_the_groups_sum_too(tmp_path):
    beside(tmp_path, later_ms=0, ends_ms=1000, total=100, before_us=0)
    made = Made(tmp_path, started_ms=STARTED_MS + 1)
    made.comes(1)
    made.tick(0)
    made.tick(900, {1: {"user_ticks": 30}})
    found = facts(tmp_path)
    assert found.cpu_ms == 1000
    assert completenesses(found) == [None, None]


def test_what_each_waited_for_itself_is_added_up(tmp_path):
    for one, total in enumerate((50, 80, 160)):
        beside(tmp_path, later_ms=one, ends_ms=1000, total=total, before_us=0, cpu_ticks_total_by="rusage")
    found = facts(tmp_path)
    assert (found.cpu_ms, completenesses(found)) == (2900, [0.8, 0.5, 0.25])
