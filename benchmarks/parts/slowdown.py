"""What a program loses to the collector beside it: runs with and without it take turns; their medians are compared."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.parts.collectors import LOADS, PYTHON
from benchmarks.parts.figures import median, say

RUN_SECONDS = 2.5
"""Of one run, about: some looks of the collector fall into it."""
ROUNDS_MOST = 1 << 24
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_btl": "self,vader"}
PROGRAMS: dict[str, list[str]] = {
    "stream": [sys.executable, str(LOADS / "kernels.py"), "stream"],
    "compute": [sys.executable, str(LOADS / "kernels.py"), "compute"],
    "pingpong": [
        "mpirun",
        "-n",
        "2",
        "--oversubscribe",
        "--bind-to",
        "none",
        sys.executable,
        str(LOADS / "pingpong.py"),
    ],
}


def slowdown(name: str, pyz: Path, folder: Path, pairs: int) -> float | None:
    """The ratio of the medians, with ÷ without; None where the program does not run here, and why is said."""
    program = PROGRAMS[name]
    beside = [PYTHON, str(pyz), "run", "--folder", str(folder), "--"]
    try:
        rounds = _rounds(program)
        taken: dict[bool, list[float]] = {False: [], True: []}
        for number in range(pairs):
            for is_beside in (False, True) if number % 2 else (True, False):
                taken[is_beside].append(_seconds([*beside, *program] if is_beside else program, rounds))
    except (OSError, RuntimeError) as wrong:
        say(f"{name} does not run here: {wrong}")
        return None
    ratio = median(taken[True]) / median(taken[False])
    say(f"{name}: {ratio:.4f}; without {_range(taken[False])}, with {_range(taken[True])}")
    return round(ratio, 4)


def _rounds(program: Sequence[str]) -> int:
    """So many that a run takes about as long as it should. One that was held up by something else is no measure."""
    rounds = 8
    while (took := min(_seconds(program, rounds) for _ in range(2))) < RUN_SECONDS / 2 and rounds < ROUNDS_MOST:
        rounds = min(rounds * 8, max(round(rounds * RUN_SECONDS / took), rounds + 1))
    return rounds


def _seconds(argv: Sequence[str], rounds: int) -> float:
    done = subprocess.run([*argv, str(rounds)], env=os.environ | MPI, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    return float(done.stdout)


def _range(taken: Sequence[float]) -> str:
    return f"{min(taken):.3f}–{median(taken):.3f}–{max(taken):.3f} s"
