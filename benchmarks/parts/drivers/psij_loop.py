"""psij-python: submit one by one, wait for each. Arguments: jobs, a folder of this run's own. Prints microseconds."""

import sys
import time
from datetime import timedelta
from pathlib import Path

from psij import Job, JobAttributes, JobExecutor, JobSpec, JobState  # type: ignore[import-not-found]  # installed apart
from psij.executors.batch.slurm import SlurmExecutorConfig  # type: ignore[import-not-found]

POLL_SECONDS = 1
"""Its own default is 30; nobody who measures would leave it."""


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    config = SlurmExecutorConfig(
        work_directory=folder, queue_polling_interval=POLL_SECONDS, initial_queue_polling_delay=1
    )
    executor = JobExecutor.get_instance("slurm", config=config)
    attributes = JobAttributes(queue_name="cpu", duration=timedelta(minutes=5))
    jobs = [Job(JobSpec(executable="/bin/true", attributes=attributes)) for _ in range(count)]
    first = time.perf_counter()
    for job in jobs:
        executor.submit(job)
    called = time.perf_counter()
    states = [job.wait() for job in jobs]
    ended = time.perf_counter()
    wrong = [state for state in states if state is None or state.state is not JobState.COMPLETED]
    if wrong:
        sys.exit(f"{len(wrong)} of {count} did not complete: {wrong[0]}")
    print(int((ended - first) * 1e6), int((called - first) * 1e6), flush=True)


main()
