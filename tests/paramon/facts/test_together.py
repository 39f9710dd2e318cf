"""Several collectors of a job: on one node, one after the other, of several runs."""

from pathlib import Path

import pytest
from tests.paramon.facts.joined import facts
from tests.paramon.made import STARTED_MS, Made, now_ms

from paramon.facts.job import JobFacts
from paramon.facts.runs import newest_run, without_copies
from paramon.sample.profile import open_profile
from paramon.top.board import board
from paramon.top.reel import Reel
from paramon.top.state import State


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
    for started_ms, is_running in ((now_ms() - 3_600_000, False), (now_ms() - 10_000, True)):
        made = Made(tmp_path / str(started_ms), started_ms=started_ms)
        made.tick(0)
        made.tick(9000)
        (node,) = facts(Path(made.path).parent).nodes
        reel = Reel(made.path)
        reel.poll()
        assert (node.is_running, reel.is_over) == (is_running, not is_running)


def test_of_a_profile_that_was_renamed_while_it_was_written_the_file_with_its_end_counts(tmp_path):
    made = Made(tmp_path, boot="b", pid=7)
    for minute in range(3):
        made.tick(60_000 * minute, **{f"memory__{one}_kib": minute for one in range(50)})
        made.minute()
    Path(made.path).rename(tmp_path / "renamed.paramon")
    made.tick(180_000)
    made.close(wall_ms=181_000)
    for profiles in (open_profile(str(tmp_path)), open_profile(str(tmp_path))[::-1]):
        (kept,), (left_out,) = without_copies(profiles)
        assert (kept.path, Path(left_out.path).name) == (made.path, "renamed.paramon")


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
