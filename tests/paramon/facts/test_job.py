"""What a job took: sums over its processes at each moment, counters over its life."""

import tracemalloc

from tests.paramon.facts.joined import facts
from tests.paramon.made import STARTED_MS, Made


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
