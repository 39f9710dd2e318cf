"""`./run bench waits --data FILE`: how well waits are foretold, on snapshots of a real queue (parts/snapshots.py).

The first 80 % of the file's days are learnt from, the rest is foretold: the whole of it, by code of production
(placement/learn_waits). Nothing of the days held out is in what is learnt: a wait of the last days before them that was
not over when they began counts as long as it had lasted by then.

`mse_log10`, `within_2x` and `within_3x` are of one prediction for each job. `p95_coverage` is the part of the jobs that
waited no longer than their P95 bound, which the days held out never move.

Peers in the same run: the median of what is learnt from, and ridge regression on the logarithms of the row's numbers.

--data FILE     CSV, may be packed (.xz, .gz)
--threads N     (as many as there are cores)
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.parts.figures import say
from benchmarks.parts.snapshots import Snapshots, read_snapshots
from paracloud.placement.learn_waits import (
    MIDDLE,
    UPPER,
    Growth,
    Numbers,
    conformal,
    grow,
    missed_unseen,
    said,
)

LEARN, PART, TREES = 0.8, 0.95, 150
RIDGE = 1.0

Mask = NDArray[np.bool_]


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    say(f"reading {asked.data}")
    seen = read_snapshots(asked.data)
    split = Split.of(seen)
    learnt, held_out = split.learnt, ~split.learnt
    say(f"learning from {learnt.sum()} jobs of {split.first} days; {held_out.sum()} are held out")
    began = time.monotonic()
    middle, upper = _foretold(seen, split, Growth(PART, TREES, asked.threads))
    seconds = time.monotonic() - began
    came = np.log10(seen.waits[held_out])
    figures = _scores(came, middle) | {
        "p95_coverage": _part(came <= upper),
        "seconds": round(seconds, 2),
    }
    peers = {
        "global_median": _scores(came, np.full(len(came), np.median(np.log10(seen.waits[learnt])))),
        "ridge": _scores(came, _ridge(seen.plain, np.log10(seen.waits), learnt)[held_out]),
    }
    more = {"jobs": len(learnt), "held_out": len(came), "peers": peers}
    print(json.dumps({"bench": "waits"} | figures | more), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench waits", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args(arguments)


@dataclass(frozen=True, slots=True)
class Split:
    """`first`: of the days held out; `known`: for each job, log10 of what it had waited when that day was looked at."""

    first: int
    learnt: Mask
    known: Numbers

    @classmethod
    def of(cls, seen: Snapshots) -> Self:
        first = int((seen.days.max() + 1) * LEARN)
        return cls(first, seen.days < first, _waited_by(seen, seen.at[seen.days >= first].min()))


def _waited_by(seen: Snapshots, moment: float) -> Numbers:
    return np.log10(np.maximum(np.minimum(seen.waits, moment - seen.at), 1.0))


def _foretold(seen: Snapshots, split: Split, growth: Growth) -> tuple[Numbers, Numbers]:
    """Of each job held out: its wait, and the bound of it."""
    own = seen.features[split.learnt], split.known[split.learnt]
    middle = said(grow(MIDDLE, growth, *own), seen.features[~split.learnt])
    upper = said(grow(UPPER, growth, *own), seen.features[~split.learnt])
    missed = missed_unseen(UPPER, growth, *own, seen.days[split.learnt])
    return middle, upper + conformal(missed, PART)


def _ridge(features: Numbers, waits: Numbers, learnt: Mask) -> Numbers:
    logs = np.log10(1 + np.maximum(features, 0))
    scaled = (logs - logs[learnt].mean(axis=0)) / np.maximum(logs[learnt].std(axis=0), 1e-9)
    middle, own = waits[learnt].mean(), scaled[learnt]
    weights = np.linalg.solve(own.T @ own + RIDGE * np.eye(own.shape[1]), own.T @ (waits[learnt] - middle))
    return np.asarray(scaled @ weights + middle)


def _scores(came: Numbers, foretold: Numbers) -> dict[str, float]:
    off = np.abs(came - foretold)
    within = {f"within_{times}x": _part(off <= np.log10(times)) for times in (2, 3)}
    return {"mse_log10": round(float((off**2).mean()), 4)} | within


def _part(those: Mask) -> float:
    return round(float(np.mean(those)), 4)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
