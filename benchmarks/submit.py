"""`./run bench submit`: many trivial jobs through the whole product, beside a plain loop of sbatch and two libraries.

All contestants use one real Slurm centre and one Unix account, in turns whose order moves on from round to round. Ours
are timed from the first POST until every job is completed and charged; the others until all is completed. While it is
another's turn, our server is stopped: its worker would meter their jobs, and so slow them down.

--jobs N     jobs of each contestant in each round (500)
--rounds N   rounds, of which medians are reported (3)
--only A,B   only these contestants (ours, single, native, psij, submitit)

`ours` sends 100 jobs in a POST, as whoever has hundreds of jobs does; `single` sends one in a POST, one after another.
Both have one connection. `accept_p50_ms` is of `single`: how long one who submits one job waits for the answer.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from demo.stage import Stage, Tenant

from benchmarks.parts import ours
from benchmarks.parts.centre import NAME, inventory
from benchmarks.parts.figures import say
from benchmarks.parts.ours import OurTurn
from benchmarks.parts.peers import Peers, Turn
from benchmarks.parts.report import report

OURS = {"ours": 100, "single": 1}
"""Jobs in a POST."""
BUDGET = 6000
"""Commands a minute that the centre grants us, the most there is: the others have no limit at all."""


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    say("building a centre and a server")
    with Stage("bench", inventory(), commands_per_minute=BUDGET) as stage:
        peers = Peers(stage)
        names = [name for name in (*OURS, *peers.names) if not asked.only or name in asked.only.split(",")]
        tenant = stage.tenant("bench", money="1000000")
        ours.warm_up(stage, tenant)
        own: dict[str, list[OurTurn]] = {name: [] for name in names if name in OURS}
        turns: dict[str, list[Turn]] = {name: [] for name in names}
        for number in range(asked.rounds):
            at = number % len(names)
            for name in names[at:] + names[:at]:
                _take_turn(stage, tenant, peers, name, asked.jobs, own=own, turns=turns)
        longer = ours.detect(stage, tenant) if own else []
        figures = report(asked.jobs, own, longer, turns)
    fixed = {"bench": "submit", "jobs": asked.jobs, "rounds": asked.rounds, "versions": peers.versions}
    print(json.dumps(fixed | figures), flush=True)
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
    own: dict[str, list[OurTurn]],
    turns: dict[str, list[Turn]],
) -> None:
    if name in OURS:
        found = ours.run(stage, tenant, jobs, batch=OURS[name])
        own[name].append(found)
        turn = found.turn
    else:
        stage.stop_server()
        try:
            turn = peers.run(name, stage.lab.centres[NAME].pool[0], jobs)
        finally:
            stage.resume_server()
        ours.warm_up(stage, tenant)
    turns[name].append(turn)
    rate = jobs / turn.seconds
    say(f"{name}: {jobs} jobs in {turn.seconds:.2f} s ({rate:.1f} a second), {turn.requests.total} requests")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
