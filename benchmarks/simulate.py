"""`./run bench simulate`: how long a large workload takes under each policy; the peer, in the same run, is every job at
home (plain EASY backfilling, no broker at all).

The workload is drawn: users of unlike habits, who ask for round times and for far more than they need, days busier than
nights, and centres of unlike sizes and loads around `--load`.

--jobs N       (200000)
--centres N    (4)
--load PART    of all processors (0.85)
--policies P,P (local,earliest-start,ours,reroute,production,multi-2); local always comes first
--discipline D (easy)
--seed N       of the generator (1)
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import pi, sin

from benchmarks.parts.figures import say
from paracloud.placement.forecast import Discipline
from paracloud.simulation.grid import Rules
from paracloud.simulation.outcome import Outcome
from paracloud.simulation.simulate import Asked, simulate
from paracloud.simulation.workload import TraceJob, Workload

PEER = "local"
SIZES = (128, 256, 64, 512)
UNLIKE = (1.05, 0.85, 1.1, 1.03)
"""Each centre's load, of `--load` (the four sizes together: nearly all of it)."""
USERS, DAY = 60, 86400.0
ASKED_SECONDS = (600, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
SECONDS_PER_JOB, MOST_SECONDS = 300.0, 172800.0
"""At each centre one job in so long; none runs longer than this."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How one user's jobs run: `middle` and `spread` of the logarithm of seconds; the time asked for is at least
    `padding` times as long."""

    procs: tuple[int, ...]
    middle: float
    spread: float
    padding: float


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    workload = drawn(asked.jobs, asked.centres, asked.load, asked.seed)
    say(f"{len(workload.jobs)} jobs at {asked.centres} centres")
    told, began = {}, (time.monotonic(), time.process_time())
    for name, outcome in simulate(workload, Asked(_policies(asked.policies), Rules(asked.discipline))):
        told[name] = _told(outcome, time.monotonic() - began[0], time.process_time() - began[1])
        say(f"{name}: {told[name]}")
        began = time.monotonic(), time.process_time()
    for one in told.values():
        one["times_peer"] = round(one["cpu_seconds"] / told[PEER]["cpu_seconds"], 2)
    figures = {"jobs": len(workload.jobs), "centres": asked.centres, "discipline": asked.discipline.value}
    print(json.dumps({"bench": "simulate", **figures, "peer": PEER, "policies": told}), flush=True)
    return 0


def drawn(jobs: int, centres: int, load: float, seed: int) -> Workload:
    """The same number of jobs at each centre, over the same time; how long they run makes the load."""
    dice = random.Random(seed)
    sizes = [SIZES[at % len(SIZES)] for at in range(centres)]
    found: list[TraceJob] = []
    for home, size in enumerate(sizes):
        count = jobs // centres + (home < jobs % centres)
        found += _trace(dice, home, size, (count, load * UNLIKE[home % len(UNLIKE)]))
    return Workload(tuple(sizes), tuple(sorted(found, key=lambda job: job.submitted)))


def _trace(dice: random.Random, home: int, size: int, aim: tuple[int, float]) -> Iterator[TraceJob]:
    count, load = aim
    users = [_user(dice, size) for _ in range(USERS)]
    crowd = dice.choices(range(USERS), [1 / (1 + at) for at in range(USERS)], k=count)
    drawn = [(user, dice.choice(users[user].procs), dice.lognormvariate(users[user].middle, users[user].spread))
             for user in crowd]  # fmt: skip
    span = count * SECONDS_PER_JOB
    stretch = load * size * span / sum(procs * ran for _, procs, ran in drawn)
    for user, procs, ran in drawn:
        runs = min(max(round(ran * stretch), 1), MOST_SECONDS)
        asked = next((one for one in ASKED_SECONDS if one >= runs * users[user].padding), MOST_SECONDS)
        yield TraceJob(_moment(dice, span), runs, procs, asked, home, f"u{user}")


def _user(dice: random.Random, size: int) -> Habit:
    widths = [1 << at for at in range(size.bit_length() - 1)]
    narrow = dice.choices(widths, [1 / (1 + at) for at in range(len(widths))], k=3)
    return Habit(tuple(narrow), dice.gauss(6.5, 1.5), dice.uniform(0.3, 1.5), dice.choice((1.1, 2.0, 5.0, 20.0)))


def _moment(dice: random.Random, span: float) -> float:
    """Afternoons are three times as busy as nights."""
    while True:
        moment = dice.random() * span
        if dice.random() < 0.65 + 0.35 * sin(2 * pi * (moment % DAY) / DAY):
            return round(moment)


def _policies(words: str) -> list[str]:
    return [PEER, *(name for name in words.split(",") if name and name != PEER)]


def _told(outcome: Outcome, seconds: float, cpu_seconds: float) -> dict[str, float]:
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "jobs_per_s": round(outcome.all.jobs / seconds),
        "mean_bounded_slowdown": round(outcome.all.mean_bounded_slowdown, 3),
        "p95_bounded_slowdown": round(outcome.all.p95_bounded_slowdown, 2),
        "utilisation": round(outcome.utilisation, 4),
        "submissions_per_job": round(outcome.submissions_per_job, 3),
    }


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench simulate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=200_000)
    parser.add_argument("--centres", type=int, default=4)
    parser.add_argument("--load", type=float, default=0.85)
    parser.add_argument("--policies", default="local,earliest-start,ours,reroute,production,multi-2")
    parser.add_argument("--discipline", type=Discipline, default=Discipline.EASY)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
