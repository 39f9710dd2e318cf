"""`./run bench watch`: what a round over a centre costs the worker and the centre, with few and with many live jobs.

The jobs go through the API and the product's own dispatch to a real Slurm centre, where they wait, held. When all of
them are there, rounds are measured for a while: wall clock, the workers' processor seconds and memory, and requests
that the centre's own daemons counted.

--jobs N      the most (10000); 100 and 1000 are measured on the way
--seconds N   for how long rounds are measured at each size (30)
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from demo.stage import Stage, Tenant

from benchmarks.parts import ours
from benchmarks.parts.centre import NAME, QUEUE, inventory, requests
from benchmarks.parts.figures import cpu_seconds, processes, rss_mib, say
from paracloud.wire.jobs import JobRequest
from paracloud.worker.tend import BUSY

BUDGET = 6000
CONNECTIONS = 4
SAY_SECONDS = 5.0
FILL_SECONDS = 3600.0
SCRIPT = "#!/bin/bash\n#SBATCH --hold\ntrue\n"
LISTINGS = ("REQUEST_JOB_INFO", "REQUEST_JOB_USER_INFO")
"""What a squeue asks for; its other requests (partitions, at some releases more) come along with it."""
QUEUED = "SELECT count(*) FROM jobs WHERE state = 'queued' AND project_id = $1"


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    sizes = sorted({size for size in (100, 1000) if size < asked.jobs} | {asked.jobs})
    say("building a centre and a server")
    with Stage("bench", inventory(), commands_per_minute=BUDGET) as stage:
        tenant = stage.tenant("bench", money="10000000")
        measured = []
        for size, before in zip(sizes, [0, *sizes], strict=False):
            filled = _fill(stage, tenant, size - before, size)
            measured.append({"jobs": size, "fill_s": round(filled, 1), **_measure(stage, asked.seconds)})
            say(str(measured[-1]))
    few, many = measured[0], measured[-1]
    report = {
        "bench": "watch",
        "jobs": asked.jobs,
        "requests_ratio_most_to_fewest": round(many["requests_per_round"] / few["requests_per_round"], 2),
        "sizes": measured,
        "requests_counted_by": "slurmctld (sdiag, by user) and slurmdbd (sacctmgr show stats)",
    }
    print(json.dumps(report), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench watch", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=30)
    return parser.parse_args(arguments)


def _fill(stage: Stage, tenant: Tenant, more: int, size: int) -> float:
    """Seconds until so many more are queued at the centre."""
    request = JobRequest(project=tenant.project, script=SCRIPT, options={"partition": QUEUE, "time": "5"}, centre=NAME)
    first = shown = time.monotonic()
    clients = [stage.client(tenant.token) for _ in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        accepting = [pool.submit(clients[at % CONNECTIONS].submit, request) for at in range(more)]
        while (queued := asyncio.run(ours.ask(stage.database_url, QUEUED, tenant.project))[0]) < size:
            if time.monotonic() - shown > SAY_SECONDS:
                shown = time.monotonic()
                accepted = sum(one.done() for one in accepting)
                say(f"  {size - more + accepted} of {size} accepted, {queued} queued at the centre")
            if time.monotonic() - first > FILL_SECONDS:
                raise TimeoutError(f"only {queued} of {size} jobs were queued in time")
            time.sleep(0.5)
        for one in accepting:
            one.result()
    return time.monotonic() - first


def _measure(stage: Stage, seconds: int) -> dict[str, float]:
    """A round is one squeue and one sacct: the latter are counted to know how many rounds there were."""
    centre, workers = stage.lab.centres[NAME], processes(stage)["worker"]
    time.sleep(3)  # what the last submissions left to do is done
    before, cpu_before, began = requests(centre), cpu_seconds(workers), time.monotonic()
    time.sleep(seconds)
    seen, cpu, took = requests(centre).since(before), cpu_seconds(workers) - cpu_before, time.monotonic() - began
    rounds = max(1, seen.to_slurmdbd)
    return {
        "rounds": rounds,
        "round_wall_s": round(took / rounds - BUSY.total_seconds(), 3),
        "round_cpu_s": round(cpu / rounds, 3),
        "requests_per_round": round(seen.total / rounds, 2),
        "requests_per_minute": round(seen.total / took * 60, 1),
        "listings_per_round": round(sum(seen.types[one] for one in LISTINGS) / rounds, 2),
        "rss_worker_mib": rss_mib(workers),
        "rss_api_mib": rss_mib(processes(stage)["api"]),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
