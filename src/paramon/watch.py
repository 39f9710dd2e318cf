"""`paramon watch --pid PID`: a profile of what runs already, without having anything to do with it.

Beside a batch script it sees all that the script starts; the script's signals, children and ending stay what they are.
It ends when the process does. A scheduler that ends a job warns it first, and this too: then what was seen goes to
disk.
"""

from __future__ import annotations

import signal

from paramon.begin import Wish, begin
from paramon.errors import Refused
from paramon.owner import command_line
from paramon.record import safely
from paramon.table import Belongs

WARNINGS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
LONGEST_WAIT = 1.0
"""Seconds that it may go unnoticed that the process has ended."""


def watch(pid: int, mark: tuple[bytes, bytes], wish: Wish) -> int:
    """`mark`: a variable, and its value in the environment of all that belongs to the job. Refused where there is no
    such process."""
    if not _is_alive(pid):
        raise Refused(f"There is no process {pid}.", f"进程 {pid} 不存在。")
    signal.pthread_sigmask(signal.SIG_BLOCK, WARNINGS)
    recorder = begin(wish, Belongs(frozenset({pid}), frozenset(), mark), [command_line(pid)])
    is_well = True
    while is_well and _is_alive(pid):
        is_well = safely(recorder.tick_if_due)
        if signal.sigtimedwait(WARNINGS, min(recorder.wait_seconds(), LONGEST_WAIT)) is not None:
            safely(recorder.end_minute)
    safely(lambda: recorder.close({}, 0))
    return 0 if is_well else 1


def _is_alive(pid: int) -> bool:
    """One that has ended, and for which its parent has not asked yet, is not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] not in (b"Z", b"X", b"")
    except OSError:
        return False
