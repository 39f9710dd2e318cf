"""Profiles as the project's own writer writes them, of processes and series that a test says."""

import time
from pathlib import Path
from typing import Any

from tests.files import KILLED

from paramon.sample.fields import AT, COUNT, NAMES
from paramon.sample.profile import Process
from paramon.spool import Spool

HZ = 100


def now_ms() -> int:
    """Of a second. What has begun now and has no end is being written."""
    return int(time.time()) * 1000


STARTED_MS = 1_790_000_000_000
"""Long ago: what began then and has no end was cut off."""


def begun(folder: Path, name: str, header: dict[str, Any]) -> Spool:
    """A profile's file. Where the test gives it no end, its writer was killed."""
    one = Spool(str(folder), name, header)
    KILLED.add(one.path)
    return one


class Made:
    """`tick` says what changed: of processes by number, of series by name. What is not said stays as it was."""

    def __init__(self, folder: Path, *, node: str = "n1", started_ms: int | None = None, **header) -> None:
        """`started_ms`: now, where none is given."""
        started_ms = now_ms() if started_ms is None else started_ms
        told = {
            "paramon": "1", "node": node, "job": "42", "command": ["mpirun", "./a.out"], "started_at_ms": started_ms,
            "ticks_a_second": HZ, "cores": 4, "usable_cores": 4, "period": 1.0, "budget": 0.005, "fields": NAMES,
            "unavailable": {}, **header,
        }  # fmt: skip
        self.spool = begun(folder, f"{node}-{started_ms}", told)
        self.values: dict[int, list[int]] = {}
        self.series: dict[str, int] = {}
        self.at_ms = 0

    @property
    def path(self) -> str:
        return self.spool.path

    def comes(self, number: int, *, name: str = "a.out", rank: int = -1, parent: int = 1, command: str = "./a.out",
              pid: int = 0, start_ticks: int = 5) -> None:  # fmt: skip
        self.spool.processes([Process(number, pid or 1000 + number, start_ticks, parent, name, command, rank)])
        self.values[number] = [0] * COUNT
        self.values[number][AT["state"]], self.values[number][AT["threads"]] = ord("R"), 1

    def tick(self, at_ms: int, changed: dict[int, dict[str, int]] | None = None, **series: int) -> None:
        """`series`: `memory__free_kib` for memory.free_kib."""
        self.at_ms = at_ms
        self.spool.chunk.tick(at_ms)
        for number, fields in (changed or {}).items():
            for field, value in fields.items():
                self.values[number][AT[field]] = value
        for number, values in self.values.items():
            self.spool.chunk.row(number, tuple(values))
        self.series.update({name.replace("__", "."): value for name, value in series.items()})
        for name, value in self.series.items():
            self.spool.chunk.point(name, value)
        self.spool.end_tick()

    def ends(self, number: int) -> dict[str, int]:
        """The changes of a process that is gone, for `tick`; then it has no rows any more."""
        return {"state": ord("X"), "threads": 0, "rss_kib": 0}

    def forget(self, number: int) -> None:
        del self.values[number]

    def minute(self) -> None:
        self.spool.end_chunk()

    def close(self, **end) -> str:
        told = {
            "exit_code": 0, "signal": 0, "wall_ms": self.at_ms, "cpu_ticks_total": 0, "completeness": None,
            "cpu_us": 2000, "missed_ticks": 0, "slowed_ticks": 0, "denied_processes": 0, "failed_reads": {}, **end,
        }  # fmt: skip
        told = {name: value for name, value in told.items() if value != "unknown"}
        self.spool.close(told)
        return self.path
