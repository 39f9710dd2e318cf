"""`./run bench submit`: many trivial jobs through the whole product, beside a plain loop of sbatch and two libraries.

All contestants use one real Slurm centre and one Unix account, in turns whose order moves on from round to round. Ours
are timed from the first POST until every job is completed and charged; the others until all is completed. While it is
another's turn, our server is stopped: its worker would meter their jobs, and so slow them down.

--jobs N     jobs of each contestant in each round (500)
--rounds N   rounds, of which medians are reported (3)
--only A,B   only these contestants (ours, native, psij, submitit)
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence

from demo.stage import Stage, Tenant

from benchmarks.parts import ours
from benchmarks.parts.centre import NAME, inventory
from benchmarks.parts.figures import median, percentile, say
from benchmarks.parts.ours import OurTurn
from benchmarks.parts.peers import Peers, Turn

BUDGET = 6000
"""Commands a minute that the centre grants us, the most there is: the others have no limit at all."""


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    say("building a centre and a server")
    with Stage("bench", inventory(), commands_per_minute=BUDGET) as stage:
        peers = Peers(stage)
        names = [name for name in ("ours", *peers.names) if not asked.only or name in asked.only.split(",")]
        tenant = stage.tenant("bench", money="1000000")
        ours.warm_up(stage, tenant)
        own: list[OurTurn] = []
        turns: dict[str, list[Turn]] = {name: [] for name in names}
        for number in range(asked.rounds):
            at = number % len(names)
            for name in names[at:] + names[:at]:
                _take_turn(stage, tenant, peers, name, asked.jobs, own=own, turns=turns)
        longer = ours.detect(stage, tenant) if own else []
        report = _report(asked.jobs, asked.rounds, own, longer, turns) | {"versions": peers.versions}
    print(json.dumps(report), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench submit", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    return parser.parse_args(arguments)


def _take_turn(
    stage: Stage,
    tenant: Tenant,
    peers: Peers,
    name: str,
    jobs: int,
    *,
    own: list[OurTurn],
    turns: dict[str, list[Turn]],
) -> None:
    if name == "ours":
        found = ours.run(stage, tenant, jobs)
        own.append(found)
        turn = found.turn
    else:
        stage.stop_server()
        try:
            turn = peers.run(name, stage.lab.centres[NAME].pool[0], jobs)
        finally:
            stage.resume_server()
        ours.warm_up(stage, tenant)
    turns[name].append(turn)
    say(f"{name}: {jobs} jobs in {turn.seconds:.2f} s ({jobs / turn.seconds:.1f} a second), {turn.requests}")


def _report(
    jobs: int, rounds: int, own: list[OurTurn], longer: list[float], turns: Mapping[str, list[Turn]]
) -> dict[str, object]:
    rates = {name: median([jobs / one.seconds for one in of]) for name, of in turns.items() if of}
    report: dict[str, object] = {"bench": "submit", "jobs": jobs, "rounds": rounds, "concurrent_connections": 1}
    if own:
        report |= {f"ratio_{name}": round(rates["ours"] / rate, 3) for name, rate in rates.items() if name != "ours"}
        report |= _own_figures(own) | {"detect_p50_s": round(percentile(longer, 0.5), 2)}
    return report | {
        "jobs_per_second": {name: round(rate, 2) for name, rate in rates.items()},
        "submitted_per_second": {
            name: round(median([jobs / one.submit_seconds for one in of]), 2) for name, of in turns.items() if of
        },
        "requests_per_minute": {
            name: round(median([one.requests.total / one.seconds * 60 for one in of])) for name, of in turns.items()
        },
        "requests_per_job": {
            name: round(median([one.requests.total / jobs for one in of]), 3) for name, of in turns.items()
        },
        "requests_counted_by": "slurmctld (sdiag, by user) and slurmdbd (sacctmgr show stats)",
    }


def _own_figures(own: list[OurTurn]) -> dict[str, object]:
    accepts = [sample for one in own for sample in one.accept_ms]
    detects = [sample for one in own for sample in one.detect_s]
    looks = [(one.turn.requests.total - one.turn.requests.submissions) / one.turn.seconds * 60 for one in own]
    return {
        "accept_p50_ms": round(percentile(accepts, 0.5), 2),
        "accept_p99_ms": round(percentile(accepts, 0.99), 2),
        "detect_trivial_p50_s": round(percentile(detects, 0.5), 2),
        "detect_trivial_p99_s": round(percentile(detects, 0.99), 2),
        "commands_per_minute": round(median([one.turn.requests.total / one.turn.seconds * 60 for one in own])),
        "commands_per_minute_without_sbatch": round(median(looks)),
        "rss_mib": {word: max(one.rss_mib[word] for one in own) for word in ("api", "worker")},
        "cpu_s": {word: round(median([one.cpu_s[word] for one in own]), 2) for word in own[0].cpu_s},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
