"""A program of MPI that knows where its time went: `mpirun -n 4 python ranks.py uneven busy 100 20000 FOLDER`.

`uneven`    ranks with unlike work meet in a reduction of all
`halo`      ranks on a ring exchange their edges with both neighbours
`tasks`     rank 0 hands out tasks of unlike length, the others work

The number of rounds is followed by that of turns of a loop which take about a millisecond here. They wait in MPI as it
polls (`busy`), or (`blocking`) in PMIx_Fence of just those who meet, which sleeps, as MPIs do
that wait in the kernel. Each rank leaves RANK.json in FOLDER: a row for each round's end, of the wall clock's
milliseconds, and of nanoseconds until then as its clocks and the kernel's counters tell them around each call: on a CPU
in its own code, asleep there, on a CPU in MPI, asleep there. The libraries are called as they are, without their
headers: Open MPI's handles are addresses of its own variables (ompi/mpi.h).
"""

import ctypes
import itertools
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paramon.perf.call import SOFTWARE, TASK_CLOCK, Event, Scope, attributes, open_event

MPI = ctypes.CDLL("libmpi.so.40", ctypes.RTLD_GLOBAL)
PMIX = ctypes.CDLL("libpmix.so.2", ctypes.RTLD_GLOBAL)
WORLD, DOUBLE, SUM = (
    ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(MPI, f"ompi_mpi_{name}")))
    for name in ("comm_world", "double", "op_sum")
)
ANY, TAG, NUMBERS = -1, 1, 20_000


class Proc(ctypes.Structure):
    """pmix_proc_t."""

    _fields_ = (("namespace", ctypes.c_char * 256), ("rank", ctypes.c_uint32))


class Clock:
    """`rows`: of all that was spent until a moment."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, ...]] = []
        self._waits = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        self._on_cpu = open_event(attributes(Event(SOFTWARE, TASK_CLOCK), 0), Scope(0))
        self._sums = {False: [0, 0, 0, 0], True: [0, 0, 0, 0]}
        self._is_in_mpi, self._last = False, self._now()

    @contextmanager
    def in_mpi(self) -> Iterator[None]:
        self._turn(is_in_mpi=True)
        yield
        self._turn(is_in_mpi=False)

    def note(self) -> None:
        self._turn(is_in_mpi=False)
        told = (self._spent(*self._sums[is_in_mpi]) for is_in_mpi in (False, True))
        self.rows.append((time.time_ns() // 1_000_000, *itertools.chain(*told)))

    def _turn(self, *, is_in_mpi: bool) -> None:
        now, sums = self._now(), self._sums[self._is_in_mpi]
        self._sums[self._is_in_mpi] = [one + new - old for one, new, old in zip(sums, now, self._last, strict=True)]
        self._is_in_mpi, self._last = is_in_mpi, now

    @staticmethod
    def _spent(passed: int, cpu: int, on_cpu: int, waited: int) -> tuple[int, int]:
        """On a CPU, and asleep. The thread's CPU clock has not what a hypervisor took meanwhile, the kernel's counter
        not the switch to another thread and back: neither is sleep."""
        ran = max(cpu, on_cpu)
        return ran, passed - ran - waited

    def _now(self) -> tuple[int, int, int, int]:
        """Of one moment, so read again where it lost its CPU in between."""
        while True:
            waited = os.pread(self._waits, 128, 0).split()[1]
            on_cpu = int.from_bytes(os.read(self._on_cpu, 8), sys.byteorder)
            found = time.monotonic_ns(), time.thread_time_ns(), on_cpu, int(waited)
            if os.pread(self._waits, 128, 0).split()[1] == waited:
                return found


class Ranks:
    def __init__(self, wait: str, turns: int) -> None:
        self.is_blocking, self.clock, self._turns = wait == "blocking", Clock(), turns
        number, size = ctypes.c_int(), ctypes.c_int()
        MPI.MPI_Init(None, None)
        MPI.MPI_Comm_rank(WORLD, ctypes.byref(number))
        MPI.MPI_Comm_size(WORLD, ctypes.byref(size))
        self.number, self.size = number.value, size.value
        self._given, self._taken = ((ctypes.c_double * NUMBERS)() for _ in range(2))

    def reduce(self) -> None:
        with self.clock.in_mpi():
            self._meet(range(self.size))
            MPI.MPI_Allreduce(self._given, self._taken, NUMBERS, DOUBLE, SUM, WORLD)

    def exchange(self, other: int) -> None:
        with self.clock.in_mpi():
            self._meet({self.number, other})
            told = NUMBERS, DOUBLE, other, TAG
            MPI.MPI_Sendrecv(self._given, *told, self._taken, *told, WORLD, None)

    def send(self, value: float, other: int) -> None:
        with self.clock.in_mpi():
            self._meet({self.number, other})
            MPI.MPI_Send(ctypes.byref(ctypes.c_double(value)), 1, DOUBLE, other, TAG, WORLD)

    def receive(self, other: int) -> tuple[float, int]:
        """The value, and who sent it."""
        value, status = ctypes.c_double(), (ctypes.c_int * 16)()
        with self.clock.in_mpi():
            if other != ANY:
                self._meet({self.number, other})
            MPI.MPI_Recv(ctypes.byref(value), 1, DOUBLE, other, TAG, WORLD, status)
        return value.value, int(status[0])

    def compute(self, milliseconds: int) -> None:
        total = 0
        for turn in range(milliseconds * self._turns):
            total += turn

    def _meet(self, those: range | set[int]) -> None:
        if self.is_blocking:
            space = os.environb[b"PMIX_NAMESPACE"]
            members = (Proc * len(those))(*(Proc(space, one) for one in sorted(those)))
            PMIX.PMIx_Fence(members, ctypes.c_size_t(len(those)), None, ctypes.c_size_t(0))


def main() -> None:
    program, wait, rounds, turns, folder = sys.argv[1:]
    ranks = Ranks(wait, int(turns))
    {"uneven": _uneven, "halo": _halo, "tasks": _tasks}[program](ranks, int(rounds))
    Path(folder, f"{ranks.number}.json").write_text(json.dumps(ranks.clock.rows))
    MPI.MPI_Finalize()


def _uneven(ranks: Ranks, rounds: int) -> None:
    for _ in range(rounds):
        ranks.compute((20, 7, 12, 15)[ranks.number % 4])
        ranks.reduce()
        ranks.clock.note()


def _halo(ranks: Ranks, rounds: int) -> None:
    """All agree whose turn it is: every other edge of the ring first, then those between."""
    beside = 1 if ranks.number % 2 else -1
    for turn in range(rounds):
        ranks.compute(14 if turn % ranks.size == ranks.number else 10)
        for other in (ranks.number - beside, ranks.number + beside):
            ranks.exchange(other % ranks.size)
        ranks.clock.note()


def _tasks(ranks: Ranks, rounds: int) -> None:
    if ranks.number == 0:
        _hand_out(ranks, rounds)
        return
    while length := int(ranks.receive(0)[0]):
        ranks.compute(length)
        ranks.send(length, 0)
        ranks.clock.note()


def _hand_out(ranks: Ranks, rounds: int) -> None:
    chance, workers = random.Random(1), range(1, ranks.size)
    left = [chance.randrange(4, 30) for _ in range(rounds * len(workers))]
    turns = itertools.cycle(workers)
    for one in workers:
        ranks.send(left.pop(), one)
    for _ in range(rounds * len(workers)):
        # Whoever comes first; in turn where they meet in fences, which have no first comer.
        _, one = ranks.receive(next(turns) if ranks.is_blocking else ANY)
        ranks.compute(1)
        ranks.send(left.pop() if left else 0, one)
        ranks.clock.note()


main()
