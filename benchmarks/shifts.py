"""`./run bench shifts --trace FILE:PROCS --trace FILE:PROCS`: policies beside each other at four centres that are made
of two traces, each twice, its second time later by a part of its span: once for each of several parts.

A mean of one schedule moves by some percent with the slightest change of it, so one shift says little. The figures are
pairs of the same shift: how many times as large the mean bounded slowdown is under one policy as under its peer
(`production`, `ours`: one submission a job, beside `earliest-start`, which sees all queues; `reroute`: beside two
submissions a job). Below one is better; the median of the shifts, and of how many the ratio is at most one.

--shifts N     (5) at 1/(N+1), 2/(N+1) … of the span
--jobs N       the first of each trace (all)
--seed N       which order the centres come in, of each shift (1)
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.parts.figures import say
from paracloud.simulation.grid import Rules
from paracloud.simulation.read_traces import read_swf
from paracloud.simulation.simulate import Asked, simulate
from paracloud.simulation.workload import TraceJob, Workload, turned, within

PAIRS = (
    ("production", "earliest-start"),
    ("ours", "earliest-start"),
    ("production", "multi-2"),
    ("reroute", "multi-2"),
)
POLICIES = tuple(dict.fromkeys(name for pair in PAIRS for name in pair))


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    traces = [_read(word, asked.jobs) for word in asked.trace]
    dice, found = random.Random(asked.seed), []
    for number in range(1, asked.shifts + 1):
        workload = shifted(traces, number / (asked.shifts + 1), dice)
        means = {
            name: outcome.all.mean_bounded_slowdown for name, outcome in simulate(workload, Asked(POLICIES, Rules()))
        }
        found.append(means)
        say(f"{number} of {asked.shifts}: { ({name: round(mean, 2) for name, mean in means.items()}) }")
    ratios = {f"{one}/{peer}": [means[one] / means[peer] for means in found] for one, peer in PAIRS}
    figures = {
        name: {"median": round(median(each), 3), "at_most_one": sum(ratio <= 1 for ratio in each)}
        for name, each in ratios.items()
    }
    medians = {name: round(median(means[name] for means in found), 2) for name in POLICIES}
    told = {"shifts": asked.shifts, "jobs": len(workload.jobs), "mean_bounded_slowdown": medians, "pairs": figures}
    print(json.dumps({"bench": "shifts", **told}), flush=True)
    return 0


def shifted(traces: Sequence[tuple[int, Sequence[TraceJob]]], part: float, dice: random.Random) -> Workload:
    """Each trace twice, in an order that is drawn: the first of several equal centres comes first."""
    centres = [(procs, jobs, later) for procs, jobs in traces for later in (0.0, part)]
    dice.shuffle(centres)
    jobs = [
        job._replace(home=home) for home, (_, trace, later) in enumerate(centres) for job in turned(trace, later, trace)
    ]
    return Workload(tuple(procs for procs, _, _ in centres), tuple(sorted(jobs, key=lambda job: job.submitted)))


def _read(word: str, most: int | None) -> tuple[int, Sequence[TraceJob]]:
    """Jobs that are wider than their centre are left out, as everywhere."""
    name, _, procs = word.rpartition(":")
    jobs, _ = read_swf(Path(name))
    return int(procs), within(Workload((int(procs),), tuple(jobs[:most]))).jobs


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench shifts", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--trace", action="append", required=True)
    parser.add_argument("--shifts", type=int, default=5)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
