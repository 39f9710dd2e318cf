"""Ends of processes that were left to this one: it waits for them, and nobody else is told what they used."""

from __future__ import annotations

import os
import resource

from paramon.sensors.file import text
from paramon.sensors.process import Watched
from paramon.sensors.taskstats import Exit
from paramon.spent import Spent

BLOCK = 512
"""Bytes that getrusage(2) counts as one."""


class Orphans:
    """Read as `paramon.sensors.exits.Exits`, where those are not to be had."""

    lost = None
    """None can be."""

    def __init__(self) -> None:
        self._ended: list[Exit] = []

    def wait(self, pid: int) -> None:
        """For one that has ended. What it waited for itself is in the sums of its own, as wait4(2) gives them. The most
        memory is not told: it would be that of whoever it was forked from, where that had more."""
        name = text(f"/proc/{pid}/comm")
        _, _, used = os.wait4(pid, 0)
        self._ended.append(_exit_of(pid, name, used))

    def drain(self) -> list[Exit]:
        """Those that ended since the last call, in that order."""
        found, self._ended = self._ended, []
        return found

    def close(self) -> None:
        """It holds nothing."""


def wait_for(pid: int, watched: Watched | None, orphans: Orphans | None, spent: Spent) -> None:
    """One that has ended. `watched`: of one that was looked at; it is once more. `orphans`: None where all ends are
    told of anyway."""
    if watched is None and orphans is not None:
        orphans.wait(pid)
        return
    try:
        if watched is not None and orphans is not None:
            watched.look()
            spent.ended(watched)
    except OSError:
        pass  # what was seen until now must do
    finally:
        os.waitpid(pid, 0)


def _exit_of(pid: int, name: str, used: resource.struct_rusage) -> Exit:
    user, system = int(used.ru_utime * 1e6), int(used.ru_stime * 1e6)
    read, written = used.ru_inblock * BLOCK, used.ru_oublock * BLOCK
    return Exit(pid, pid, os.getpid(), name, user, system, 0, read, written, user + system)
