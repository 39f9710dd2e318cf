"""A kernel on all processors, one thread each, until it is killed. Arguments: stream or compute, the file to count in.

`stream` is the triad of STREAM (J. D. McCalpin), a = b + s * c, over arrays that no cache holds; NumPy needs two passes
for it. `compute` multiplies matrices that fit a core's own cache.
"""

import itertools
import os
import sys
import threading
from collections.abc import Callable

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # it reads the environment when it is imported

from benchmarks.parts.loads.count import counter

STREAM_NUMBERS, MATRIX = 4_000_000, 320


def main() -> None:
    kernel, path = {"stream": _stream, "compute": _compute}[sys.argv[1]], sys.argv[2]
    cores = len(os.sched_getaffinity(0))
    for thread in range(cores):
        threading.Thread(target=_run, args=(kernel(), counter(path, thread, cores))).start()


def _run(once: Callable[[], None], count: Callable[[int], None]) -> None:
    for done in itertools.count(1):
        once()
        count(done)


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
