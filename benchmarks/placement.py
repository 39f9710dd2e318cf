"""`./run bench placement`: jobs placed a second among 100 centres with 10 queues each, by one process on one core.

A placement is all that an accepted job asks of it: the most that it costs at every queue, which queues fit it, the
choice by its objective under its constraints, what is expected of it there, and the explanation in both languages. In
the clock too: every fiftieth of the jobs has a shape that no job had before (`new_shapes` of them; their prices at all
queues are worked out then), and a new reading of the market after each --fresh placements. Not in it: the database, and
how predictions come about: they are looked up in a table by queue and size of the job. `learned_per_s` has it in: a
model as the platform trains it is asked, in a cloud whose users and queues have a past (--learned jobs). Grid, jobs and
past are made up (parts/grid.py, parts/past.py).

`placements_per_cpu_s` is by the processor's own clock: what the process would do on a core that nobody else uses.
The peer is the plain loop over all offers, on the same jobs; `same` counts those of which both make the same choice and
say the same of it.

--jobs N    (20000)
--learned N (5000)
--plain N   of each of them by the plain loop, too (40)
--fresh N   (20000, as many as in the two seconds that a reading is good for)
--seed N    (1)
"""

import argparse
import gc
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from benchmarks.parts.figures import say
from benchmarks.parts.grid import NOW, alone, grid, jobs, moved, shape
from benchmarks.parts.past import Table, learned
from paracloud.jobs.foresees import Foresees
from paracloud.jobs.hopes import Asked
from paracloud.jobs.market import Stall, open_market
from paracloud.jobs.place import place
from paracloud.jobs.placer import Placers
from paracloud.jobs.quote import weigh
from paracloud.placement.explain import explain, explain_best

Said = tuple[str, str] | None
"""The explanation in both languages; None where nothing fits."""


@dataclass(slots=True)
class Clocked:
    """What was said of each job, how long each took, and all of them together. Seconds."""

    said: list[Said]
    took: list[float]
    seconds: float
    cpu_seconds: float


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    rng = random.Random(asked.seed)
    stalls = grid(rng)
    table, wanted = Table(stalls, rng), jobs(rng, asked.jobs)
    say("training a model of waits")
    model = learned(open_market(stalls, [], NOW), wanted, rng)
    probes = [stalls, *(moved(stalls, rng) for _ in range(asked.fresh, asked.jobs, asked.fresh))]
    say(f"placing {asked.jobs} jobs at {len(stalls)} queues")
    gc.collect()
    gc.freeze()  # a server has no list of jobs to come
    fast = _clocked(probes, table, wanted, asked.fresh)
    say(f"placing {asked.learned} jobs by the model")
    knew = _clocked([stalls], model, wanted[: asked.learned], asked.learned)
    say("placing some by the plain loop")
    plain, plain_knew = (_plainly(stalls, one, wanted[: asked.plain]) for one in (table, model))
    figures = {
        "placements_per_s": round(asked.jobs / fast.seconds),
        "placements_per_cpu_s": round(asked.jobs / fast.cpu_seconds),
        "p50_ms": round(quantiles(fast.took, n=100)[49] * 1000, 3),
        "p99_ms": round(quantiles(fast.took, n=100)[98] * 1000, 3),
        "learned_per_s": round(asked.learned / knew.seconds),
        "learned_per_cpu_s": round(asked.learned / knew.cpu_seconds),
        "plain_per_s": round(asked.plain / plain.seconds, 1),
        "times_plain": round(asked.jobs / fast.seconds / (asked.plain / plain.seconds), 1),
        "learned_times_plain": round(asked.learned / knew.seconds / (asked.plain / plain_knew.seconds), 1),
        "same": sum(one == other for one, other in zip(plain.said, fast.said, strict=False)),
        "learned_same": sum(one == other for one, other in zip(plain_knew.said, knew.said, strict=False)),
        "plain": asked.plain,
        "placed": sum(one is not None for one in fast.said),
        "new_shapes": len({shape(one.spec) for one in wanted}),
    }
    print(json.dumps({"bench": "placement", "jobs": asked.jobs, "queues": len(stalls)} | figures), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench placement", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name, default in (
        ("--jobs", 20_000),
        ("--learned", 5_000),
        ("--plain", 40),
        ("--fresh", 20_000),
        ("--seed", 1),
    ):
        parser.add_argument(name, type=int, default=default)
    return parser.parse_args(arguments)


def _clocked(probes: Sequence[Sequence[Stall]], foresight: Foresees, wanted: Sequence[Asked], fresh: int) -> Clocked:
    """A reading of one probe after the other, each for `fresh` of the jobs."""
    placers, took, said = Placers(), [], []
    began, began_cpu = time.perf_counter(), time.process_time()
    for number, job in enumerate(wanted):
        start = time.perf_counter()
        if number % fresh == 0:
            stalls = probes[number // fresh]
            market = open_market(stalls, alone(stalls), NOW, foresight=foresight)
        placed = place(placers.of(market), job)
        best = next(placed.offers(), None)
        counts = placed.fits, placed.out
        said.append(None if best is None else explain_best(placed.need, best, placed.objective, counts))
        took.append(time.perf_counter() - start)
    return Clocked(said, took, time.perf_counter() - began, time.process_time() - began_cpu)


def _plainly(stalls: Sequence[Stall], foresight: Foresees, wanted: Sequence[Asked]) -> Clocked:
    market = open_market(stalls, alone(stalls), NOW, foresight=foresight)
    began, began_cpu = time.perf_counter(), time.process_time()
    found = [weigh(one.spec, market, one.customer, one.only_centre, user=one.user) for one in wanted]
    said = [explain(one.need, one.choice) if one.choice.fitting else None for one in found]
    return Clocked(said, [], time.perf_counter() - began, time.process_time() - began_cpu)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
