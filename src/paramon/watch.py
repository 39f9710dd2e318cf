"""`paramon watch`: a profile of what runs already, without having anything to do with it.

Beside a batch script (`--pid`) it sees all that the script starts, until the script ends; the script's signals,
children and ending stay what they are. A scheduler that ends a job warns it first, and this too: then what was seen
goes to disk. Of a job of several nodes it has the scheduler start one on each other node (`paramon.others`), which sees
what carries the job's mark there, until the scheduler ends it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Collection
from functools import partial
from typing import Protocol

from paramon.begin import Wish, begin
from paramon.errors import Refused
from paramon.others import Others
from paramon.owner import began, command_line
from paramon.record import Recorder, safely
from paramon.schedulers import SCHEDULERS
from paramon.table import Belongs, allow_many_files
from paramon.total import Total

WARNINGS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
LONGEST_WAIT = 1.0
"""Seconds that it may go unnoticed that the process has ended, where the kernel does not tell (before Linux 5.3)."""
PATIENCE_SECONDS = 60.0
"""That who carries a mark may be gone before another one comes."""
AT_THE_END = 0.1
"""Seconds from one look for who is left to the next: the scheduler waits."""


class End(Protocol):
    """`files`: of which one is ready to be read when it has come; `wait_seconds`: after so long it is to be asked."""

    files: Collection[int]
    wait_seconds: float

    def told(self, signals: Collection[int]) -> None: ...

    def has_come(self) -> bool: ...


class EndOfProcess:
    """Of the job's script, whatever was told before."""

    def __init__(self, pid: int) -> None:
        """Refused where there is no such process."""
        self._pid, self._start, self._is_told = pid, began(pid), False
        if not self._start:
            raise Refused(f"There is no process {pid}.", f"进程 {pid} 不存在。")
        try:
            self.files: Collection[int] = [os.pidfd_open(pid)]
            self.wait_seconds = float("inf")
        except (OSError, AttributeError):
            self.files, self.wait_seconds = (), LONGEST_WAIT

    def told(self, signals: Collection[int]) -> None:
        """Ctrl-C is for the one that is called at a terminal; all else is for the job."""
        self._is_told |= signal.SIGINT in signals and os.isatty(0)

    def has_come(self) -> bool:
        if self._is_told:
            return True
        if self.files:
            return bool(ready_of(self.files, 0))
        return began(self._pid, self._start) != self._start  # another one may have its number by then


class EndOfJob:
    """On a node where its script is not. Slurm tells all of a job SIGTERM when it is over, and waits for who does not
    end then; so may who only warns a job: it goes on while there is anything to see, and no moment longer."""

    files: Collection[int] = ()

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._is_told, self.wait_seconds = False, float("inf")

    def told(self, signals: Collection[int]) -> None:
        if signal.SIGTERM in signals:
            self._is_told, self.wait_seconds = True, AT_THE_END

    def has_come(self) -> bool:
        return self._is_told and not self._recorder.has_living()


class EndOfMarked(EndOfJob):
    """Where nobody tells of an end: who carries the mark may come when it will, and when the last has been gone for a
    while nobody comes any more."""

    def __init__(self, recorder: Recorder, patience_seconds: float = PATIENCE_SECONDS) -> None:
        super().__init__(recorder)
        self._patience, self._seen = patience_seconds, float("inf")

    def has_come(self) -> bool:
        if self._recorder.has_living():
            self._seen = time.monotonic()
            return False
        return super().has_come() or time.monotonic() - self._seen > self._patience


def watch(pid: int, mark: str, wish: Wish, scheduler: str = "") -> int:
    """`pid`: of the job's script; 0 where that runs on another node. `mark`: NAME=VALUE, in the environment of all that
    belongs to the job. Refused where there is no such process."""
    warned = _warned()
    allow_many_files()
    end: End | None = EndOfProcess(pid) if pid else None
    known = SCHEDULERS[scheduler](os.environ) if scheduler else None
    total = Total()
    here = known.here if known and known.here in os.environ else ""
    belongs = Belongs(
        frozenset({pid} if pid else ()), frozenset(), _pair(mark), here=_pair(f"{here}={os.environ.get(here, '')}")
    )
    recorder = begin(wish, belongs, [command_line(pid)] if pid else [])
    others = Others(known, _own(mark, wish, scheduler)) if pid and known else None
    end = end or (EndOfJob if scheduler else EndOfMarked)(recorder)
    is_well = _watched(recorder, warned, end, others)
    safely(lambda: recorder.close({"cpu_ticks_total_by": total.source}, lambda: _known(total)))
    return 0 if is_well or not pid else 1


def _watched(recorder: Recorder, warned: int, end: End, others: Others | None) -> bool:
    is_well = True
    while is_well and not end.has_come():
        is_well = safely(recorder.tick_if_due)
        files = [warned, *end.files, *(others.files if others else ())]
        ready = ready_of(files, min(recorder.wait_seconds(), end.wait_seconds))
        if warned in ready:
            end.told(os.read(warned, 64))
            safely(recorder.end_minute, goes_on=True)
        if others:
            safely(partial(_look_after, others, ready, recorder), goes_on=True)
    return is_well


def ready_of(files: Collection[int], seconds: float) -> list[int]:
    """Those that can be read within that time; select(2) knows none above 1023, and processes may have these."""
    waiting = select.poll()
    for file in files:
        waiting.register(file, select.POLLIN)
    return [file for file, _ in waiting.poll(seconds * 1000)]


def _look_after(others: Others, ready: Collection[int], recorder: Recorder) -> None:
    others.hear(ready)
    for pid in others.look(recorder.commands):
        recorder.leave_out(pid)
    news = others.news()
    if news is not None:
        recorder.cannot_have("other_nodes", news)


def _warned() -> int:
    """A file in which signals are told, a byte each."""
    warned, told = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for one in WARNINGS:
        signal.signal(one, lambda *_: None)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, nobody can be waited for
    return warned


def _pair(text: str) -> tuple[bytes, bytes]:
    name, _, value = text.partition("=")
    return os.fsencode(name), os.fsencode(value)


def _own(mark: str, wish: Wish, scheduler: str) -> list[str]:
    """The command line of one at another node, which is called as the scheduler calls it."""
    return [
        sys.executable, "-I", os.path.abspath(sys.argv[0]), "watch", "--scheduler", scheduler, "--mark", mark,
        "--folder", os.path.abspath(wish.folder), "--job", wish.job, "--period", str(wish.period),
        "--budget", str(wish.budget * 100), "--mpi", wish.mpi,
    ]  # fmt: skip


def _known(total: Total) -> int:
    """What a process of somebody else's used, only its control group knows."""
    return total.ticks() if total.source == "cgroup" else 0
