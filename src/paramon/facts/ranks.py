"""How the ranks of an MPI job spend their time: each one's share in MPI, and their balance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from paramon.perf.derive import (
    Time,
    communication_efficiency,
    load_balance,
    mpi_share,
    parallel_efficiency,
    rank_times,
)

SERIES = "mpi."


class Balance(NamedTuple):
    """`shares`: by rank, the part of its time in MPI; `share`: of all of them together. `load`: useful time, mean by
    most. The efficiencies are None where ranks have several threads, which are longer than the run together."""

    shares: dict[int, float]
    share: float | None
    load: float | None
    communication: float | None
    parallel: float | None


def balance(series: Mapping[str, int], run_ms: float) -> Balance:
    """`series`: `mpi.RANK.…` of paramon.perf.mpi at the end of the run, or how much each grew in that time."""
    times = rank_times(series)
    known = {rank: share for rank, time in times.items() if (share := mpi_share(time)) is not None}
    ranks = list(times.values())
    has_threads = any(one.useful > one.first for one in ranks)
    run_us = 0.0 if has_threads else run_ms * 1000
    return Balance(
        known,
        mpi_share(Time(*map(sum, zip(*ranks)))) if ranks else None,
        load_balance(ranks),
        communication_efficiency(ranks, run_us),
        parallel_efficiency(ranks, run_us),
    )
