"""`./run bench paramon`: what the collector costs, beside others that look at the same processes in the same run.

Per cent are of one core, at one look a second, with writing, without start-up; from the kernel's nanoseconds of the
collector's own process. A load of mostly sleeping processes has three in a hundred at work; in a busy one, all are.
A minute's end, when most is written, lies in each measure of paramon: that is why it takes longer than a minute.

--seconds N   of each measure of paramon (65); the peers' take half of it
--pairs N     of stretches with and without it, for each program that it might slow down (30)
--only PART   and not the others; more than once for more of them
--quick       to see that it works: a few seconds each
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.parts import ranks
from benchmarks.parts.collectors import PYTHON, Cost, Load, Peer, cost_of, cost_of_paramon, mean, peers
from benchmarks.parts.figures import median, say
from benchmarks.parts.short_lived import completeness
from benchmarks.parts.slowdown import PROGRAMS, slowdown
from paramon.pack import packed
from paramon.sample.chunk import read_chunk
from paramon.sample.frames import CHUNK, Frame, frames

SIZES = (10, 100, 500)
MIDDLE = 100
BUSY = Load(MIDDLE, MIDDLE)
TWICE = "pidstat"
"""The cheapest peer, and so the one to beat: it is measured before and after the others, as paramon is."""
STARTS = 9
PARTS = ("costs", "completeness", "ranks", *PROGRAMS)


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    seconds, pairs = (6, 6) if asked.quick else (asked.seconds, asked.pairs)
    report: dict[str, Any] = {"bench": "paramon", "seconds": seconds, "load_average_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="paracloud-bench-") as name:
        folder = Path(name)
        pyz = folder / "paramon.pyz"
        pyz.write_bytes(packed())
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "costs": lambda: _costs(pyz, folder, seconds) | _start(pyz, folder),
            "completeness": lambda: completeness(pyz, folder / "short", min(seconds, 15)),
            "ranks": lambda: ranks.errors(pyz, folder / "ranks", max(seconds, 20)),
            **{name: partial(slowdown, name, pyz, folder / name, pairs) for name in PROGRAMS},
        }
        for part in asked.only or parts:
            report |= parts[part]()
    report["machine"] = {"cores": os.cpu_count(), "python": _answer([PYTHON, "-V"]), "kernel": os.uname().release}
    print(json.dumps(report), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench paramon", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=65)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args(arguments)


def _costs(pyz: Path, folder: Path, seconds: int) -> dict[str, Any]:
    others = peers()
    ours: dict[int, list[Cost]] = {size: [] for size in SIZES}
    theirs: dict[str, list[Cost]] = {name: [] for name in others}

    def paramon(load: Load, place: str) -> Cost:
        cost = cost_of_paramon(pyz, folder / place, load, seconds)
        say(f"paramon beside {load.count} processes, {load.working} at work: {cost}")
        return cost

    def peer(name: str, one: Peer) -> None:
        cost = cost_of(one, folder / f"{name}-{len(theirs[name])}", _mostly_idle(MIDDLE), seconds / 2)
        say(f"{name} beside {MIDDLE}: {cost}")
        theirs[name].append(cost)

    for size in SIZES:
        ours[size].append(paramon(_mostly_idle(size), f"idle-{size}"))
    for name, one in others.items():
        peer(name, one)
    ours[MIDDLE].append(paramon(_mostly_idle(MIDDLE), "again"))
    if TWICE in others:
        peer(TWICE, others[TWICE])
    busy = paramon(BUSY, "busy")
    return {
        **{f"cpu_percent_{size}": mean(costs) for size, costs in ours.items()},
        f"cpu_percent_{MIDDLE}_busy": busy.percent,
        f"peers_cpu_percent_{MIDDLE}": {name: mean(costs) for name, costs in theirs.items()},
        "us_per_process_sample": round(mean(ours[SIZES[-1]]) * 1e4 / SIZES[-1], 2),
        "bytes_per_process_sample_idle": _bytes_each(folder / f"idle-{MIDDLE}"),
        "bytes_per_process_sample_busy": _bytes_each(folder / "busy"),
        "rss_mib": max(one.rss_mib for one in (busy, *chain(*ours.values()))),
        "peers_rss_mib": {name: costs[0].rss_mib for name, costs in theirs.items()},
        "runs": {
            "paramon": [one.percent for one in ours[MIDDLE]],
            TWICE: [one.percent for one in theirs.get(TWICE, [])],
        },
    }


def _mostly_idle(count: int) -> Load:
    return Load(count, max(count * 3 // 100, 1))


def _bytes_each(folder: Path) -> float:
    """Of the minute with the most looks, as it lies on the disk, all that is in it shared out among its processes."""
    (file,) = folder.glob("*.paramon")
    written = [one for one in frames(file.read_bytes()) if isinstance(one, Frame) and one.kind == CHUNK]
    told = [
        (len(chunk.ticks), len(chunk.rows), len(one.payload)) for one in written for chunk in [read_chunk(one.payload)]
    ]
    ticks, processes, size = max(told)
    return round(size / ticks / processes, 2)


def _start(pyz: Path, folder: Path) -> dict[str, float]:
    """Until the command runs, as who waits for it sees it."""
    taken = []
    for _ in range(STARTS):
        began = time.time_ns()
        told = _answer([PYTHON, str(pyz), "run", "--folder", str(folder / "start"), "--", "date", "+%s%N"])
        taken.append((int(told) - began) / 1e6)
    return {"startup_ms": round(median(taken), 1)}


def _answer(argv: Sequence[str]) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
