"""python -m tests.simulation.soak [--seeds N] [--start S]: the simulation for as long as wanted.

Prints progress, and one JSON object as its last line. A seed that fails is kept, so that every test run plays it."""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from tests.simulation.history import History, play
from tests.simulation.kept import keep

SHOWN_EVERY_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000)
    parser.add_argument("--start", type=int, default=1_000)
    wanted = parser.parse_args(arguments)
    failed: list[int] = []
    started = shown = time.monotonic()
    steps, virtual_seconds, executions = 0, 0.0, 0
    for number, seed in enumerate(range(wanted.start, wanted.start + wanted.seeds), 1):
        history = play(seed)
        steps, executions = steps + history.steps, executions + history.executions
        virtual_seconds += history.virtual_seconds
        if history.violations:
            failed.append(seed)
            _report(history)
        if time.monotonic() - shown > SHOWN_EVERY_SECONDS:
            shown = time.monotonic()
            print(f"{number} of {wanted.seeds} histories, {len(failed)} failed", flush=True)
    figures = {
        "seeds": wanted.seeds,
        "failed": failed,
        "steps": steps,
        "executions": executions,
        "virtual_hours": round(virtual_seconds / 3600, 1),
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(figures))
    return 1 if failed else 0


def _report(history: History) -> None:
    keep(history.seed)
    print(f"seed {history.seed} fails: {'; '.join(history.violations)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
