"""A history is a function of its seed: what failed once can be looked at again."""

import os
import subprocess
import sys
from pathlib import Path

from tests.simulation.history import play

ROOT = Path(__file__).parents[2]
PROGRAM = "from tests.simulation.history import play; print(*(play(seed).hash for seed in (1, 2, 3)))"


def hashes(hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_same_seed_gives_the_same_history_in_any_process() -> None:
    here = [play(seed).hash for seed in (1, 2, 3)]
    assert hashes("1") == hashes("4242") == here


def test_another_seed_gives_another_history() -> None:
    assert len({play(seed).hash for seed in range(5)}) == 5
