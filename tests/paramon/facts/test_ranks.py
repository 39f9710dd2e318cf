"""Shares, balance and hardware figures are computed of sums over ranks and nodes: of a run, and of a moment of it."""

import pytest
from tests.paramon.made import STARTED_MS, Made

from paramon.facts.hardware import Hardware, hardware
from paramon.facts.job import JobFacts
from paramon.facts.moment import node_at
from paramon.facts.ranks import balance
from paramon.facts.window import Window
from paramon.sample.profile import open_profile
from paramon.show.counted import hardware_words

S = 1_000_000


def spent(rank: int, **seconds: float) -> dict[str, int]:
    """As `paramon.perf.mpi` names it."""
    return {f"mpi.{rank}.{name}_us": int(number * S) for name, number in seconds.items()}


def test_the_share_of_all_ranks_is_that_of_their_time_together_and_asleep_in_mpi_counts():
    found = balance(
        {**spent(0, application=8, mpi=2), **spent(1, application=4, mpi_sleep=1), "mpi.0.samples": 99}, 10_000
    )
    assert found.shares == {0: 0.2, 1: 0.2}
    assert found.share == pytest.approx(3 / 15)
    assert (found.load, found.communication, found.parallel) == pytest.approx((0.75, 0.8, 0.6))


def test_of_ranks_with_several_threads_efficiency_is_not_told():
    found = balance(spent(0, application=8, others_application=8, mpi=2), 10_000)
    assert (found.load, found.communication, found.parallel) == (1.0, None, None)


def test_where_no_rank_was_sampled_nothing_is_said():
    assert balance({"cpu.user_ticks": 5}, 10_000) == ({}, None, None, None, None)


def test_a_job_adds_its_nodes_before_it_divides(tmp_path):
    for node, cycles, instructions in (("n1", 1000, 3000), ("n2", 3000, 1000)):
        rank = int(node[1:]) - 1
        made = Made(tmp_path, node=node, started_ms=STARTED_MS)
        made.comes(1, rank=rank)
        named = {
            "counter.cycles": cycles,
            "counter.instructions": instructions,
            **spent(rank, application=1 + rank, mpi=1),
        }
        zero = {name.replace(".", "__"): 0 for name in named}
        made.tick(0 + 1, **zero)
        made.tick(1001, **{name.replace(".", "__"): value for name, value in named.items()})
        made.close()
    found = JobFacts(open_profile(str(tmp_path)))
    assert found.hardware.instructions_a_cycle == 1.0, "not the mean of 3 and a third"
    assert found.balance.shares == {0: 0.5, 1: pytest.approx(1 / 3)}


def test_what_counters_give_differs_by_processor():
    intel = {
        "counter.cycles": 1e9, "counter.instructions": 2e9, "counter.llc_misses": 1e6, "counter.scalar_double": 1e8,
        "counter.packed512_double": 3e8, "node_counter.dram_read_lines": 1e7, "node_counter.dram_write_lines": 1e7,
    }  # fmt: skip
    assert hardware(intel, 2.0) == Hardware(2.0, 1.25e9, 0.75, {"llc": 0.5}, 64e7, pytest.approx(2.5e9 / 1.28e9))
    amd = {"counter.cycles": 1e9, "counter.instructions": 1e9, "counter.flop": 4e9, "counter.l2_misses": 2e6,
           "counter.scalar_ops": 1e8, "counter.packed256_ops": 1e8, "node_counter.dram_lines": 1e6}  # fmt: skip
    assert hardware(amd, 1.0) == Hardware(1.0, 4e9, 0.5, {"L2": 2.0}, 64e6, 62.5)
    assert hardware({"cpu.user_ticks": 5}, 1.0) == Hardware(None, None, None, {}, None, None)


def test_who_is_not_counted_is_told():
    found = hardware({"counter.cycles": 1e9, "counter.instructions": 2e9, "counter.uncounted": 3}, 1.0)
    assert hardware_words(found, lambda en, _: en) == ["2.00 instructions a cycle", "3 processes not counted"]
    assert hardware_words(found, lambda _, zh: zh) == ["IPC 2.00", "3 个进程未计入"]
    assert hardware_words(hardware({"counter.uncounted": 3}, 1.0), lambda en, _: en) == []


def test_a_moments_share_is_that_of_the_last_ten_seconds(tmp_path):
    made = Made(tmp_path)
    made.comes(1, rank=0)
    for second in range(31):
        computing = min(second, 15)
        made.tick(second * 1000, mpi__0__application_us=computing * S, mpi__0__mpi_us=(second - computing) * S)
    (profile,) = open_profile(made.path)
    window = Window(list(profile.chunks()))
    shares = {at: balance(node_at(window, at * 1000, {}.get, 100).of_ranks, 0).shares for at in (0, 14, 20, 30)}
    assert shares == {0: {}, 14: {0: 0.0}, 20: {0: 0.5}, 30: {0: 1.0}}
