"""What a kernel that is stricter than most lets nobody see is said, with what it takes."""

import pytest
from tests.paramon.sensors import trees

from paramon.perf.job import AUTO, OFF, SLEEP, job_sensors

NONE, ALL = "0000000000000000", "000001ffffffffff"


def told(proc, mpi: str = AUTO, *, is_attached: bool = True) -> tuple[str, str] | None:
    unavailable: dict[str, tuple[str, str]] = {}
    sensors, _ = job_sensors(1.0, mpi, unavailable, is_attached=is_attached, proc=str(proc))
    for one in sensors:
        one.close()
    if mpi == AUTO and "mpi" in unavailable:
        pytest.skip(f"no rank may be sampled here: {unavailable['mpi'][0]}")
    return unavailable.get(SLEEP)


def machine(root, scope: object, capabilities: str = NONE):
    trees.put(root, "sys/kernel/yama/ptrace_scope", scope)
    trees.put(root, "self/status", f"Name:\tpython3\nCapEff:\t{capabilities}\nSeccomp:\t0")
    return root


@pytest.mark.parametrize(
    ("scope", "capabilities", "is_attached", "is_said"),
    [
        (0, NONE, True, False),
        (1, NONE, True, True),
        (1, NONE, False, False),
        (1, ALL, True, False),
        (2, NONE, False, True),
        (2, ALL, True, False),
        (3, NONE, False, True),
        (3, ALL, False, True),
    ],
)
def test_who_forbids_to_see_where_ranks_sleep_is_named(tmp_path, scope, capabilities, is_attached, is_said):
    found = told(machine(tmp_path, scope, capabilities), is_attached=is_attached)
    assert (found is not None) == is_said
    for text in found or ():
        assert "kernel.yama.ptrace_scope" in text
        assert f" {scope}" in text


def test_a_kernel_without_it_forbids_nothing_and_who_samples_no_rank_is_told_nothing_of_it(tmp_path):
    assert told(tmp_path) is None
    assert told(machine(tmp_path / "strict", 3), OFF) is None
