"""submitit: submit one by one, wait for each. Arguments: jobs, a folder of this run's own. Prints microseconds."""

import sys
import time
from pathlib import Path

from submitit import SlurmExecutor  # type: ignore[import-not-found]  # installed apart


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    executor = SlurmExecutor(folder=folder)
    executor.update_parameters(partition="cpu", time=5)
    first = time.perf_counter()
    jobs = [executor.submit(abs, 0) for _ in range(count)]
    called = time.perf_counter()
    for job in jobs:
        job.result()
    ended = time.perf_counter()
    print(int((ended - first) * 1e6), int((called - first) * 1e6), flush=True)


main()
