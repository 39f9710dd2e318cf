"""Ranks are seen from outside as they know themselves to be: programs of MPI that print the truth, run by paramon."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paramon.perf.call import paranoid
from paramon.perf.derive import Time, load_balance, mpi_share, rank_times
from paramon.sample.profile import open_profile

ROOT = Path(__file__).parents[3]
PLANTED = Path(__file__).with_name("planted.py")
level = paranoid()
pytestmark = [
    pytest.mark.skipif(not shutil.which("mpirun"), reason="no Open MPI here (openmpi-bin)"),
    pytest.mark.skipif(level is None or (level > 2 and os.getuid() != 0), reason="no perf events for us here"),
]


def ran(folder: Path, ranks: int, *arguments: str, options: tuple[str, ...] = ()) -> tuple[list[dict], dict[str, int]]:
    """What the ranks said of themselves, and the series at their ends."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMPI_ALLOW_RUN_AS_ROOT": "1"}
    environment |= {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}
    mpirun = ["mpirun", "--oversubscribe", "-n", str(ranks), sys.executable, str(PLANTED), *arguments]
    paramon = [sys.executable, "-m", "paramon", "run", "--folder", str(folder), "--budget", "10", "--period", "0.5"]
    argv = [*paramon, *options, "--", *mpirun]
    done = subprocess.run(argv, env=environment, check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.replace("}{", "}\n{").splitlines()  # mpirun may lose the end of a line between two ranks
    told = [json.loads(line) for line in lines if line.startswith("{")]
    (node,) = open_profile(str(folder))
    series: dict[str, int] = {}
    for chunk in node.chunks():
        series.update({name: points[-1][1] for name, points in chunk.points.items()})
    return sorted(told, key=lambda one: one["rank"]), series


def true_time(one: dict) -> Time:
    """Polls of MPI wait for no CPU and sleep not; what it is without one for is not MPI's."""
    useful, mpi = one["useful"]["cpu"], one["mpi"]["cpu"]
    return Time(useful, useful, mpi, 0, max(one["mpi"]["wall"] - mpi - one["mpi"]["run_wait"], 0), 0)


def seen_waiting(series: dict[str, int], rank: int, sampled: Time) -> float:
    unseen = series.get(f"mpi.{rank}.unseen_sleep_us", 0)  # of one that hardly sleeps; here it is MPI's
    return mpi_share(sampled._replace(mpi_sleep=sampled.mpi_sleep + unseen))


@pytest.mark.parametrize("how", ["busy", "blocking"])
def test_who_has_less_to_do_is_seen_waiting_in_mpi(tmp_path, how):
    """Whose shares these are, that is: how near to the truth they come is measured, not tested. What is planted is a
    balance of 0.65; a busy machine makes of it what it likes, and it is planted again until the ranks say that one of
    them waited much longer than the other."""
    for planted in range(10):
        told, series = ran(tmp_path / str(planted), 2, "10:3", how, "150")
        truth = [true_time(one) for one in told]
        waited = mpi_share(truth[1]) - mpi_share(truth[0])
        if waited > 0.3 and load_balance(truth) < 0.9:
            break
    found = rank_times(series)
    assert sorted(found) == [0, 1]
    assert load_balance(found.values()) < 0.95, "one is what is seen where nobody knows MPI from work"
    assert seen_waiting(series, 1, found[1]) - seen_waiting(series, 0, found[0]) > waited / 2 > 0


def test_who_does_not_want_it_has_none_of_it_and_the_profile_says_so(tmp_path):
    _, series = ran(tmp_path / "profile", 1, "1", "busy", "1", options=("--mpi", "off"))
    (node,) = open_profile(str(tmp_path / "profile"))
    assert rank_times(series) == {}
    assert "--mpi off" in node.header["unavailable"]["mpi"][0]


def test_a_program_without_ranks_has_no_series_of_ranks(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMPI_COMM_WORLD_RANK": "0"}
    paramon = [sys.executable, "-m", "paramon", "run", "--folder", str(tmp_path), "--period", "0.1", "--", "sleep", "1"]
    subprocess.run(paramon, env=environment, check=True, timeout=60)
    (node,) = open_profile(str(tmp_path))
    assert not [name for chunk in node.chunks() for name in chunk.points if name.startswith("mpi.")]
