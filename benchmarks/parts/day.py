"""A profile of a long job, written by the collector's own writer as fast as it goes: a look a second, processes that
come and go."""

import random
from collections.abc import Iterator
from pathlib import Path

from paramon.sample.fields import AT, COUNT, NAMES
from paramon.sample.profile import Process
from paramon.spool import Spool

HZ = 100
STARTED_MS = 1_790_000_000_000
MINUTE = 60
WORKING = 3
"""One in so many processes does something each second."""
LIFE_SECONDS = 100
"""Of each process: with a hundred of them, one goes and one comes each second."""
CPU, READ, FAULTS, RSS, STATE = (AT[name] for name in ("user_ticks", "read_chars", "minor_faults", "rss_kib", "state"))


class Day:
    """`second` writes one more; `close` ends it. The processes are numbered as they come."""

    def __init__(self, folder: Path, processes: int, *, begins: int = 0) -> None:
        """`begins`: with that second."""
        header = {
            "paramon": "1", "node": "day", "job": "1", "command": ["synthetic"], "started_at_ms": STARTED_MS,
            "ticks_a_second": HZ, "cores": processes, "usable_cores": processes, "period": 1.0, "budget": 0.005,
            "fields": NAMES, "unavailable": {},
        }  # fmt: skip
        self.spool = Spool(str(folder), "day-1", header)
        self.seconds = begins
        self._random, self._last = random.Random(1), 0
        self._there = dict(self._newcomers(processes))
        self._each = max(processes // LIFE_SECONDS, 1)

    def second(self) -> None:
        spool, at = self.spool, self.seconds
        spool.chunk.tick(at * 1000)
        known = self._last
        if at:
            for number in list(self._there)[: self._each]:
                values = self._there.pop(number)
                values[STATE] = ord("X")
                spool.chunk.row(number, tuple(values))
            self._there.update(self._newcomers(self._each))
        is_first = spool.chunk.ticks == 1
        for number, values in self._there.items():
            if number % WORKING == 0:
                values[CPU] += self._random.randrange(80, 100)
                values[READ] += self._random.randrange(1 << 16)
                values[FAULTS] += self._random.randrange(100)
                values[RSS] += self._random.randrange(8)
            elif not is_first and number <= known:
                continue  # it did nothing
            spool.chunk.row(number, tuple(values))
        for series in ("cpu.user_ticks", "cpu.idle_ticks", "network.eth0.received_bytes", "mpi.0.mpi_us"):
            spool.chunk.point(series, at * 90 + self._random.randrange(90))
        spool.chunk.point("memory.available_kib", (1 << 24) + self._random.randrange(1 << 16))
        spool.end_tick()
        self.seconds += 1
        if self.seconds % MINUTE == 0:
            spool.end_chunk()

    def close(self) -> None:
        self.spool.close({"exit_code": 0, "wall_ms": self.seconds * 1000})

    def _newcomers(self, count: int) -> Iterator[tuple[int, list[int]]]:
        first = self._last + 1
        self._last = first + count - 1
        fresh = range(first, self._last + 1)
        self.spool.processes([Process(one, 1000 + one, one, 1, "a.out", f"./a.out case-{one}", -1) for one in fresh])
        for number in fresh:
            values = [0] * COUNT
            values[RSS], values[STATE], values[AT["threads"]] = 100_000, ord("R"), 1
            yield number, values
