"""How near paramon comes to what programs of MPI know of themselves: the share of MPI, and the balance of the ranks."""

import json
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence
from itertools import product
from operator import itemgetter
from pathlib import Path
from typing import Any

from benchmarks.parts.collectors import LOADS, PYTHON
from benchmarks.parts.figures import say
from benchmarks.parts.slowdown import MPI
from paramon.facts.window import Window
from paramon.perf.derive import Time, load_balance, mpi_share, rank_times
from paramon.sample.profile import open_profile

PROGRAMS, SIZES, WAITS = ("uneven", "halo", "tasks"), (2, 4, 8), ("busy", "blocking")
ROUND_MS = 20
"""Of CPU time that a round takes a rank, about."""
LOOKS_LEAST, LOOKS_FIRST = 3, 12
"""Looks that a measure takes at least; and those before it: what a rank slept as MPI began is told some looks later."""


def errors(pyz: Path, folder: Path, seconds: int) -> dict[str, Any]:
    """By program, ranks and wait: by how much the balance is wrong, and by how many points the share of the rank that
    is seen worst. Empty where no program of MPI runs here, and why is said."""
    balance, share, turns = {}, {}, _turns_a_millisecond()
    for program, size, wait in product(PROGRAMS, SIZES, WAITS):
        name = f"{program} {size} {wait}"
        try:
            truth, found = _run(pyz, folder / name.replace(" ", "-"), (program, size, wait), seconds, turns)
        except (OSError, RuntimeError) as wrong:
            say(f"{name}: {wrong}")
            return {}
        balance[name] = round(abs(_known(load_balance(truth.values())) - _known(load_balance(found.values()))), 4)
        share[name] = round(100 * max(abs(_share(truth[rank]) - _share(found[rank])) for rank in truth), 2)
        say(f"{name}: balance {balance[name]}, share {share[name]} points")
    return {
        "mpi_balance_error": balance,
        "mpi_share_error_points": share,
        "mpi_balance_worst": max(balance.values()),
        "mpi_share_worst_points": max(share.values()),
    }


def _turns_a_millisecond() -> int:
    """Of a loop like theirs, of CPU time: the least of some measures is the least disturbed."""
    total, most = 0, 0.0
    for _ in range(20):
        before = time.thread_time()
        for turn in range(100_000):
            total += turn
        most = max(most, 100 / (time.thread_time() - before))
    return round(most)


def _run(
    pyz: Path, folder: Path, what: tuple[str, int, str], seconds: int, turns: int
) -> tuple[dict[int, Time], dict[int, Time]]:
    """What each rank says of itself, and what is seen of it. `turns`: of a loop, in a millisecond."""
    program, size, wait = what
    folder.mkdir(parents=True)
    rounds = max(round(seconds * 1000 / ROUND_MS / max(size / (os.cpu_count() or 1), 1)), 1)
    command = [sys.executable, str(LOADS / "ranks.py"), program, wait, str(rounds), str(turns), str(folder)]
    mpirun = ["mpirun", "-n", str(size), "--oversubscribe", "--bind-to", "none", *command]
    argv = [PYTHON, str(pyz), "run", "--folder", str(folder), "--", *mpirun]
    done = subprocess.run(argv, env=os.environ | MPI, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    (node,) = open_profile(str(folder))
    rows = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(size)]
    started = int(node.header["started_at_ms"])
    window = Window(list(node.chunks()))
    # While all ranks are at their rounds: MPI begins and ends in its own ways.
    begin = window.tick_at(max(each[0][0] for each in rows) - started) + LOOKS_FIRST
    end = window.tick_at(min(each[-1][0] for each in rows) - started)
    if end - begin < LOOKS_LEAST:
        raise RuntimeError(f"only {end - begin} looks: give it more seconds")
    found = rank_times({name: _grown(window, name, begin, end) for name in window.series()})
    if found.keys() != set(range(size)):
        raise RuntimeError(f"of ranks only {sorted(found)} were seen: {node.header['unavailable'].get('mpi')}")
    from_ms, until_ms = (window.ticks[tick] + started for tick in (begin, end))
    return {rank: _true(each, from_ms, until_ms) for rank, each in enumerate(rows)}, found


def _grown(window: Window, name: str, begin: int, end: int) -> int:
    return (window.value(name, end) or 0) - (window.value(name, begin) or 0)


def _true(rows: Sequence[Sequence[int]], from_ms: int, until_ms: int) -> Time:
    before, after = (_at(rows, at_ms) for at_ms in (from_ms, until_ms))
    own, own_sleep, mpi, mpi_sleep = (new - old for new, old in zip(after, before, strict=True))
    return Time(own, own, mpi, 0, mpi_sleep, own_sleep)


def _at(rows: Sequence[Sequence[int]], at_ms: int) -> list[float]:
    """Between the ends of two rounds, as if what was spent in that one were spread evenly over it."""
    after = min(max(bisect_left(rows, at_ms, key=itemgetter(0)), 1), len(rows) - 1)
    (then, *old), (now, *new) = rows[after - 1], rows[after]
    part = (at_ms - then) / max(now - then, 1)
    return [one + (other - one) * part for one, other in zip(old, new, strict=True)]


def _share(one: Time) -> float:
    return _known(mpi_share(one))


def _known(value: float | None) -> float:
    if value is None:
        raise RuntimeError("ranks of which nothing is known")
    return value
