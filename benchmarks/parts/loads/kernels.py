"""A kernel on all processors, one thread each. Arguments: stream or compute, and rounds. Prints the seconds it took.

`stream` is the triad of STREAM (J. D. McCalpin), a = b + s * c, over arrays that no cache holds; NumPy needs two passes
for it. `compute` multiplies matrices that fit a core's own cache.
"""

import os
import sys
import threading
import time
from collections.abc import Callable

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # it reads the environment when it is imported

STREAM_NUMBERS, MATRIX = 4_000_000, 320


def main() -> None:
    kernel, rounds = {"stream": _stream, "compute": _compute}[sys.argv[1]], int(sys.argv[2])
    cores = len(os.sched_getaffinity(0))
    together = threading.Barrier(cores + 1)
    threads = [threading.Thread(target=_run, args=(kernel(), rounds, together)) for _ in range(cores)]
    for one in threads:
        one.start()
    together.wait()
    began = time.monotonic()
    for one in threads:
        one.join()
    print(time.monotonic() - began)


def _run(once: Callable[[], None], rounds: int, together: threading.Barrier) -> None:
    once()
    together.wait()
    for _ in range(rounds):
        once()


def _stream() -> Callable[[], None]:
    a, b, c = np.zeros(STREAM_NUMBERS), np.ones(STREAM_NUMBERS), np.ones(STREAM_NUMBERS)

    def once() -> None:
        np.multiply(c, 3.0, out=a)
        np.add(a, b, out=a)

    return once


def _compute() -> Callable[[], None]:
    a, b, c = (np.full((MATRIX, MATRIX), 1.0 / MATRIX) for _ in range(3))

    def once() -> None:
        np.matmul(a, b, out=c)

    return once


if __name__ == "__main__":
    main()
