"""Examples that were worked out by hand, or are published with their formula."""

import pytest

from paramon.perf.derive import (
    Time,
    communication_efficiency,
    cycles_per_instruction,
    load_balance,
    memory_bytes,
    mpi_share,
    operational_intensity,
    operations,
    parallel_efficiency,
    rank_times,
    scaled,
    vectorisation,
)


def rank(useful: float, mpi: float = 0, sleep_in_mpi: float = 0, elsewhere: float = 0, sleep: float = 0) -> Time:
    return Time(useful, useful, mpi, elsewhere, sleep_in_mpi, sleep)


def test_a_counter_that_ran_a_quarter_of_the_time_counted_a_quarter():
    assert scaled(250, 4_000_000, 1_000_000) == 1000
    assert scaled(250, 1_000_000, 1_000_000) == 250
    assert scaled(2**62, 3, 2) == 2**62 * 3 // 2  # exact where a float is not
    assert scaled(0, 1_000_000, 0) is None


def test_ratios_are_of_sums_and_not_means_of_ratios():
    busy, idle = (8_000, 4_000), (10, 1)
    together = cycles_per_instruction(busy[0] + idle[0], busy[1] + idle[1])
    assert together == pytest.approx(2.002, abs=0.001)
    assert together != pytest.approx((busy[0] / busy[1] + idle[0] / idle[1]) / 2, abs=1)
    assert cycles_per_instruction(5, 0) is None


def test_flop_by_width_is_as_likwid_computes_it():
    # FLOPS_DP of LIKWID: PMC0*2.0 + PMC1 + PMC2*4.0 + PMC3*8.0
    counts = {"packed128_double": 10, "scalar_double": 100, "packed256_double": 20, "packed512_double": 5}
    assert operations(counts) == 10 * 2 + 100 + 20 * 4 + 5 * 8
    # 100 * (PMC0+PMC2+PMC3) / (PMC0+PMC1+PMC2+PMC3)
    assert vectorisation({**counts, "cycles": 10**9}) == pytest.approx(35 / 135)
    assert operations({"scalar_single": 1, "packed128_single": 1, "packed256_single": 1, "packed512_single": 1}) == 29
    assert vectorisation({"cycles": 10**9}) is None


def test_a_triad_has_the_intensity_of_a_triad():
    # a[i] = b[i] + s * c[i]: 2 FLOP and, with the read for ownership, 32 bytes an element.
    elements = 1_000_000
    assert operational_intensity(2 * elements, memory_bytes(32 * elements // 64)) == 1 / 16


def test_pops_efficiencies_of_four_ranks():
    # Useful 8, 6, 6, 4 s of 10 s: LB = 6/8, CommE = 8/10, PE = 6/10 = their product.
    ranks = [rank(8, 2), rank(6, 4), rank(6, 4), rank(4, 6)]
    assert load_balance(ranks) == 0.75
    assert communication_efficiency(ranks, 10) == 0.8
    assert parallel_efficiency(ranks, 10) == pytest.approx(0.75 * 0.8)
    assert [mpi_share(one) for one in ranks] == [0.2, 0.4, 0.4, 0.6]
    assert load_balance([]) is communication_efficiency([], 10) is parallel_efficiency([], 10) is None


def test_sleep_in_mpi_is_mpis_and_other_sleep_is_not():
    assert mpi_share(rank(5, mpi=1, sleep_in_mpi=2, elsewhere=1, sleep=1)) == 0.3
    assert mpi_share(rank(0)) is None


def test_ranks_are_found_among_the_series():
    found = rank_times({
        "mpi.10.application_us": 7, "mpi.2.application_us": 5, "mpi.2.mpi_us": 3, "mpi.2.mpi_sleep_us": 2,
        "mpi.2.others_application_us": 11, "cpu.user_ticks": 9, "mpi.x.mpi_us": 4,
    })  # fmt: skip
    assert found == {2: Time(16, 5, 3, 0, 2, 0), 10: Time(7, 7, 0, 0, 0, 0)}
