"""Which rank a process is, by what its launcher put into its environment; anybody may put anything there. And whether
it is there."""

import os
import resource

import pytest

from paramon.owner import NO_RANK, began, rank_in
from paramon.watch import EndOfProcess


@pytest.mark.parametrize(
    ("known", "rank"),
    [
        ({b"PMIX_RANK": b"3", b"OMPI_COMM_WORLD_RANK": b"4"}, 3),
        ({b"PMI_RANK": b"7"}, 7),
        ({b"SLURM_PROCID": b"2"}, NO_RANK),
        ({b"SLURM_PROCID": b"2", b"SLURM_STEP_ID": b"0"}, 2),
        ({b"PMIX_RANK": b"9" * 5000}, NO_RANK),
        ({b"PMIX_RANK": b"9" * 5000, b"PMI_RANK": b"1"}, 1),
        ({b"PMIX_RANK": b"-1"}, NO_RANK),
        ({}, NO_RANK),
    ],
)
def test_the_surest_word_that_is_a_number_of_a_rank_counts(known, rank):
    assert rank_in(known) == rank


@pytest.mark.parametrize("name", ["orted", "prted", "hydra_pmi_proxy", "hydra_bstrap_proxy"[:15]])
def test_a_launchers_daemon_that_slurm_started_is_no_rank(name):
    """Of a job of two nodes the second's is Slurm's task 1; rank 1 of MPI is another process, maybe elsewhere."""
    assert rank_in({b"SLURM_PROCID": b"1", b"SLURM_STEP_ID": b"0"}, name) == NO_RANK


def test_who_cannot_be_asked_has_not_ended():
    before, start = resource.getrlimit(resource.RLIMIT_NOFILE), began(os.getpid())
    end = EndOfProcess(os.getpid())
    for file in end.files:
        os.close(file)
    end.files = ()  # as before Linux 5.3
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        assert began(os.getpid(), b"unknown") == b"unknown"
        with pytest.raises(OSError, match="Too many open files"):
            began(os.getpid())
        assert not end.has_come()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert began(os.getpid(), b"unknown") == start != b""
    assert began(1 << 23, b"unknown") == b""
