"""What a program loses to the collector beside it.

The program runs on; stretches without and with the collector take turns, and each is compared with the mean of the two
beside it, so that what the machine's other users do, which changes by more than is looked for, falls out. The same for
the stretches without gives what is seen where there is nothing to see: `floor`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import comb
from pathlib import Path
from typing import Any

from benchmarks.parts.collectors import PYTHON
from benchmarks.parts.figures import median, say
from benchmarks.parts.loads.count import counted

ROOT = Path(__file__).parents[2]
STRETCH_SECONDS = 3.0
"""Some looks of the collector fall into it, at one a second."""
SETTLE_SECONDS = 1.2
"""From the collector's start until it only looks: no part of what a long job loses."""
START_SECONDS = 30.0
CONFIDENCE = 0.95
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_btl": "self,vader"}
TWO_RANKS = ["mpirun", "-n", "2", "--oversubscribe", "--bind-to", "none"]
PROGRAMS: dict[str, list[str]] = {
    "stream": [sys.executable, "-m", "benchmarks.parts.loads.kernels", "stream"],
    "compute": [sys.executable, "-m", "benchmarks.parts.loads.kernels", "compute"],
    "pingpong": [*TWO_RANKS, sys.executable, "-m", "benchmarks.parts.loads.pingpong"],
}


def slowdown(name: str, pyz: Path, folder: Path, pairs: int) -> dict[str, Any]:
    """Figures by name: the median ratio, without ÷ with, of `pairs` stretches, and the interval that holds the true
    median with 95 % confidence. None where the program does not run here, and why is said."""
    folder.mkdir()
    try:
        rates = _rates(PROGRAMS[name], pyz, folder, pairs)
    except (OSError, RuntimeError) as wrong:
        say(f"{name} does not run here: {wrong}")
        return {f"slowdown_{name}": None}
    lost = [_beside(rates, place) for place in range(1, len(rates), 2)]
    nothing = [_beside(rates[::2], place) for place in range(1, len(rates[::2]) - 1)]
    say(f"{name}: {median(lost):.4f} {interval(lost)}; where there is nothing to see {median(nothing):.4f}")
    return {
        f"slowdown_{name}": round(median(lost), 4),
        f"slowdown_{name}_interval": interval(lost),
        f"slowdown_{name}_floor": [round(median(nothing), 4), *interval(nothing)],
    }


def _beside(rates: Sequence[float], place: int) -> float:
    return (rates[place - 1] + rates[place + 1]) / 2 / rates[place]


def interval(samples: Sequence[float]) -> list[float]:
    """Two of the samples, between which the median lies with the confidence, whatever they are distributed like: the
    number of them below it is that of heads among as many coins."""
    ordered, count = sorted(samples), len(samples)
    below = 0
    while sum(comb(count, heads) for heads in range(below + 1)) / 2**count <= (1 - CONFIDENCE) / 2:
        below += 1
    return [round(ordered[max(below - 1, 0)], 4), round(ordered[min(count - below, count - 1)], 4)]


def _rates(program: Sequence[str], pyz: Path, folder: Path, pairs: int) -> list[float]:
    """Rounds a second of each stretch: the even ones without, the odd ones with the collector."""
    with _running(program, folder / "count") as process:
        rates = [_rate(folder / "count")]
        for number in range(pairs):
            beside = [PYTHON, str(pyz), "watch", "--pid", str(process.pid), "--folder", str(folder / str(number))]
            with subprocess.Popen(beside) as collector:
                rates.append(_rate(folder / "count"))
                collector.kill()
            rates.append(_rate(folder / "count"))
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}")
        return rates


@contextmanager
def _running(program: Sequence[str], path: Path) -> Iterator[subprocess.Popen[bytes]]:
    path.touch()
    environment = os.environ | MPI
    with subprocess.Popen([*program, str(path)], cwd=ROOT, env=environment, start_new_session=True) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while not counted(path) or not all(rounds for rounds, _ in counted(path)):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("it did not start")
                time.sleep(0.1)
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _rate(path: Path) -> float:
    time.sleep(SETTLE_SECONDS)
    before = counted(path)
    time.sleep(STRETCH_SECONDS)
    both = zip(before, counted(path), strict=True)
    return sum((later[0] - one[0]) / (later[1] - one[1]) * 1e9 for one, later in both)
