"""A program of MPI that knows the truth about itself: `mpirun -n 2 python planted.py 10:6 busy 40`.

Each rank computes its part, then waits for all others: in MPI_Barrier, which polls, or in PMIx_Fence, which sleeps. It
prints what its clocks say: seconds of CPU and of sleep in its own code and in MPI's. It needs no compiler and no
package beyond Open MPI's: the libraries are called as they are.
"""

import ctypes
import json
import os
import sys
import time

MPI = ctypes.CDLL("libmpi.so.40", ctypes.RTLD_GLOBAL)
PMIX = ctypes.CDLL("libpmix.so.2", ctypes.RTLD_GLOBAL)
WORLD, DOUBLE, SUM = (ctypes.addressof(ctypes.c_char.in_dll(MPI, f"ompi_mpi_{name}")) for name in
                      ("comm_world", "double", "op_sum"))  # fmt: skip
SCHEDSTAT = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
UNIT = 40_000
"""Turns of a loop: a few milliseconds."""


def compute(units: int) -> int:
    total = 0
    for turn in range(units * UNIT):
        total += turn
    return total


def clocks() -> tuple[float, float, float]:
    """Seconds of wall time, of CPU and of waiting for a CPU, of this thread: of one moment, so read again where it lost
    its CPU in between."""
    while True:
        waited = os.pread(SCHEDSTAT, 128, 0).split()[1]
        found = time.monotonic(), time.thread_time(), int(waited) / 1e9
        if os.pread(SCHEDSTAT, 128, 0).split()[1] == waited:
            return found


def main() -> None:
    work = [int(part) for part in sys.argv[1].split(":")]
    how, turns = sys.argv[2], int(sys.argv[3])
    MPI.MPI_Init(None, None)
    rank = int(os.environ["OMPI_COMM_WORLD_RANK"])
    size = 200_000
    given, taken = ((ctypes.c_double * size)() for _ in range(2))
    waits = {
        "busy": lambda: MPI.MPI_Barrier(ctypes.c_void_p(WORLD)),
        "blocking": lambda: PMIX.PMIx_Fence(None, ctypes.c_size_t(0), None, ctypes.c_size_t(0)),
        "reduce": lambda: MPI.MPI_Allreduce(given, taken, size, *map(ctypes.c_void_p, (DOUBLE, SUM, WORLD))),
    }
    wait = waits[how]
    MPI.MPI_Barrier(ctypes.c_void_p(WORLD))
    sums = {"useful": [0.0, 0.0, 0.0], "mpi": [0.0, 0.0, 0.0]}
    before = clocks()
    for _ in range(turns):
        for name, act in (("useful", lambda: compute(work[rank % len(work)])), ("mpi", wait)):
            act()
            after = clocks()
            sums[name] = [total + new - old for total, new, old in zip(sums[name], after, before, strict=True)]
            before = after
    MPI.MPI_Finalize()
    sums["mpi"] = [total + new - old for total, new, old in zip(sums["mpi"], clocks(), before, strict=True)]
    told = {name: dict(zip(("wall", "cpu", "run_wait"), each, strict=True)) for name, each in sums.items()}
    print(json.dumps({"rank": rank, **told}), flush=True)


main()
