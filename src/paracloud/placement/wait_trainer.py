"""Trains models of waits in a process of its own: what jobs waited comes in on standard input, the model goes out.

    python -m paracloud.placement.wait_trainer < waited.json > trained.json

In: a list of [features, placed_at, waited], as `train_waits.Waited`. Out: `train_waits.Trained`, or null.
"""

import json
import os
import sys
from dataclasses import asdict

from paracloud.placement.train_waits import Waited, train
from paracloud.placement.waits import Features

NICEST = 19


def main() -> int:
    os.nice(NICEST)
    jobs = [Waited(Features._make(features), *times) for features, *times in json.load(sys.stdin)]
    trained = train(jobs)
    json.dump(None if trained is None else asdict(trained), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
