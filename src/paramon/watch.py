"""`paramon watch --pid PID`: a profile of what runs already, without having anything to do with it.

Beside a batch script it sees all that the script starts; the script's signals, children and ending stay what they are.
It ends when the process does. A scheduler that ends a job warns it first, and this too: then what was seen goes to
disk.
"""

from __future__ import annotations

import os
import select
import signal

from paramon.begin import Wish, begin
from paramon.errors import Refused
from paramon.owner import began, command_line
from paramon.record import safely
from paramon.table import Belongs
from paramon.total import Total

WARNINGS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
LONGEST_WAIT = 1.0
"""Seconds that it may go unnoticed that the process has ended, where the kernel does not tell (before Linux 5.3)."""


def watch(pid: int, mark: tuple[bytes, bytes], wish: Wish) -> int:
    """`mark`: a variable, and its value in the environment of all that belongs to the job. Refused where there is no
    such process."""
    start = began(pid)
    if not start:
        raise Refused(f"There is no process {pid}.", f"进程 {pid} 不存在。")
    warned, told = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for one in WARNINGS:
        signal.signal(one, lambda *_: None)
    total = Total()
    recorder = begin(wish, Belongs(frozenset({pid}), frozenset(), mark), [command_line(pid)])
    ended = _end_of(pid)
    is_well = True
    while is_well and began(pid) == start:  # another one may have its number by then
        is_well = safely(recorder.tick_if_due)
        wait = recorder.wait_seconds()
        ready, _, _ = select.select([warned, *ended], [], [], wait if ended else min(wait, LONGEST_WAIT))
        if warned in ready:
            os.read(warned, 64)
            safely(recorder.end_minute)
        if any(one in ready for one in ended):
            break
    safely(lambda: recorder.close({"cpu_ticks_total_by": total.source}, lambda: _known(total)))
    return 0 if is_well else 1


def _known(total: Total) -> int:
    """What a process of somebody else's used, only its control group knows."""
    return total.ticks() if total.source == "cgroup" else 0


def _end_of(pid: int) -> list[int]:
    """A file that is ready to be read when the process has ended; none where the kernel has no such thing."""
    try:
        return [os.pidfd_open(pid)]
    except (OSError, AttributeError):
        return []
