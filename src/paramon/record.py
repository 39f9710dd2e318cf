"""One tick after the other: the processes, the node, and what it costs to know."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from paramon.beat import Beat
from paramon.errors import Refused, said
from paramon.perf.job import Follower
from paramon.sample.fields import SLEPT_SERIES
from paramon.sample.profile import Process
from paramon.sample.sink import Minute
from paramon.sensors.aside import Aside
from paramon.sensors.seldom import Seldom
from paramon.sensors.sensor import Sensor, Unavailable
from paramon.spent import completeness
from paramon.table import Table

CHUNK_SECONDS = 60
NEWCOMERS = "newcomers"
PROCESS_IO, CLOSED = "process_io", (
    "I/O and environment of processes whose program this user must not read, and of other users', need the capability "
    "CAP_SYS_PTRACE: their I/O (0 in profiles) and their ranks are not known",
    "程序文件对当前用户不可读的进程及其他用户的进程，读取其 I/O 与环境变量需要 CAP_SYS_PTRACE 权限："
    "其 I/O（采集文件中为 0）与 rank 未知",
)  # fmt: skip
SLEPT_LEAST_SECONDS = 1.0
"""Shorter than that no machine sleeps: it is the time between two questions of its clocks."""


def boot_seconds() -> float:
    """Of a clock that goes on while the machine sleeps (clock_gettime(2)), as that of the day does."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Target(Protocol):
    """Where samples go, such as a spool."""

    @property
    def chunk(self) -> Minute: ...

    def cannot_have(self, name: str, why: Sequence[str]) -> None:
        """What, and why: in English and in Chinese."""

    def processes(self, came: Sequence[Process]) -> None:
        """Before their first sample; and again when they became another program."""

    def end_tick(self) -> None: ...

    def has_begun_again(self) -> bool:
        """All that is there is to be told of anew."""
        ...

    def end_chunk(self) -> None: ...

    def close(self, how: dict[str, Any]) -> str:
        """Why the end could not be written; empty where it was."""
        ...


class Recorder:
    """`spool` and `table` are closed by it. `followers` are told of each process that came, before sensors are read."""

    def __init__(
        self,
        spool: Target,
        table: Table,
        beat: Beat,
        sensors: Sequence[Sensor],
        followers: Sequence[Follower] = (),
        clock: Callable[[], float] = boot_seconds,
        awake: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` and `awake`, in seconds: the one goes on while the machine sleeps, the other does not."""
        self._spool, self._table, self._beat, self._sensors = spool, table, beat, sensors
        self._followers = followers
        self._clock, self._awake = clock, awake
        self._began, self._began_awake, self._slept = clock(), awake(), 0.0
        self._chunk_end = self._began + CHUNK_SECONDS
        self._lacking: dict[str, Sequence[str]] = {}
        """What turned out not to be there, by sensor, and why."""
        self.failed: dict[str, int] = {}
        """Reads that failed, by sensor; and how often one could not be told who came."""

    def wait_seconds(self) -> float:
        return self._beat.wait_seconds()

    def tick_if_due(self) -> None:
        if self._beat.wait_seconds() <= 0:
            self._tick()
            self._beat.ticked()

    def _tick(self) -> None:
        chunk, now = self._spool.chunk, self._clock()
        chunk.tick(int((now - self._began) * 1000))
        is_first = chunk.ticks == 1
        self._table.look(chunk, self._came, is_first=is_first)
        if self._table.has_closed:
            self._lacks(PROCESS_IO, CLOSED)
        for sensor in self._sensors:
            self._read(sensor)
        chunk.point("paramon.cpu_us", int(time.process_time() * 1e6))
        chunk.point("paramon.missed_ticks", self._beat.missed)
        chunk.point("paramon.slowed_ticks", self._beat.slowed)
        slept = (now - self._began) - (self._awake() - self._began_awake)
        if slept >= self._slept + SLEPT_LEAST_SECONDS:
            self._slept = slept
        if self._slept:
            chunk.point(SLEPT_SERIES, int(self._slept * 1000))
        self._spool.end_tick()
        if now >= self._chunk_end:
            self.end_minute()

    def _read(self, sensor: Sensor) -> None:
        try:
            told = sensor.read()
            for series, value in told.items():
                self._spool.chunk.point(series, value)
            if told:
                self._lacks(sensor.name, ())
        except Unavailable as why:
            self._lacks(sensor.name, (why.en, why.zh))
        except Exception:  # noqa: BLE001  # a kernel unlike those we know: all else goes on
            self._count_failed(sensor.name)

    def _lacks(self, name: str, why: Sequence[str]) -> None:
        if self._lacking.get(name, ()) != why:
            self._lacking[name] = why
            self._spool.cannot_have(name, why)

    def cannot_have(self, name: str, why: Sequence[str]) -> None:
        """What, and why: in English and in Chinese; nothing for what can be had by now."""
        self._spool.cannot_have(name, why)

    def leave_out(self, pid: int) -> None:
        """One that the collector has just started, and that is none of the job's."""
        self._table.leave_out(pid)

    def wait(self, pid: int) -> None:
        """For a child of the collector's that has ended, and was the job's."""
        self._table.wait(pid)

    def has_living(self) -> bool:
        """Whether any process that was looked at has not ended."""
        return self._table.has_living()

    def commands(self) -> list[str]:
        return self._table.commands()

    def end_minute(self) -> None:
        """What was seen until now is on disk."""
        self._tell_again()
        self._spool.end_chunk()
        self._chunk_end = self._clock() + CHUNK_SECONDS

    def _tell_again(self) -> None:
        if self._spool.has_begun_again():
            self._spool.processes(self._table.everybody())

    def _came(self, processes: list[Process]) -> None:
        self._spool.processes(processes)
        for tell in self._followers:
            try:
                tell(processes)
            except Exception:  # noqa: BLE001  # as above
                self._count_failed(NEWCOMERS)

    def _count_failed(self, what: str) -> None:
        self.failed[what] = self.failed.get(what, 0) + 1

    def close(self, how: dict[str, Any], total: Callable[[], int]) -> None:
        """`total`: CPU time of all that the job was, by the kernel's own sum, in clock ticks, or 0 where nobody
        knows; asked for when everything has been looked at for the last time. Refused, when all else is done, where the
        end could not be written."""
        for sensor in self._sensors:
            if isinstance(sensor, (Seldom, Aside)):
                sensor.hurry()
        self._tell_again()  # as long as it is known who was there until now
        self._tick()
        self._table.close()
        total_ticks = total()
        known = self._table.spent.ticks
        for sensor in self._sensors:
            try:
                sensor.close()
            except Exception:  # noqa: BLE001  # as above
                self._count_failed(sensor.name)
        why = self._spool.close({
            **how,
            "ended_at_ms": int(time.time() * 1000),
            "wall_ms": int((self._clock() - self._began) * 1000),
            "cpu_ticks": known,
            "cpu_ticks_total": total_ticks,
            "completeness": completeness(known, total_ticks),
            "cost": round(self._beat.cost(), 6),
            "cpu_us": int(time.process_time() * 1e6),
            "ticks": self._beat.ticks,
            "missed_ticks": self._beat.missed,
            "slowed_ticks": self._beat.slowed,
            "denied_processes": self._table.denied,
            "failed_reads": self.failed,
        })  # fmt: skip
        if why:
            raise Refused(
                f"The end of the profile could not be written ({why}): it reads as if it were still running.",
                f"采集文件的结尾未能写入（{why}）：它看起来仍在采集。",
            )


def safely(what: Callable[[], None], *, goes_on: bool = False) -> bool:
    """The job must not suffer from a defect of ours: it is said in a line, and false. `goes_on`: the profile does,
    without what failed."""
    try:
        what()
    except Exception as wrong:  # noqa: BLE001  # whatever it is
        en, zh = (
            ("a part of the profile failed", "采集的一部分失败")
            if goes_on
            else ("the profile ends here", "采集到此中止")
        )
        told = f"{type(wrong).__name__}: {wrong}"
        words = (wrong.en, wrong.zh) if isinstance(wrong, Refused) else (f"{en}: {told}", f"{zh}：{told}")
        try:
            os.write(2, said(*words).encode("utf-8", "surrogateescape"))
        except OSError:
            pass  # nobody listens any more
        return False
    return True
