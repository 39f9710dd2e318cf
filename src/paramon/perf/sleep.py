"""Where a thread sleeps: in MPI, or elsewhere. How long is known to the nanosecond, for what it neither ran nor waited
for a CPU; in whose code, by looking at the stack of one that sleeps (proc_pid_syscall(5))."""

from __future__ import annotations

import os
import time

from paramon.perf.text import Text

STACK_BYTES = 2048
LOOKS = 8
"""Of threads that wait for a CPU most of the time, one of so many in a row does not."""


class Sleep:
    """Of a process's first thread, which is the one that MPI was begun by."""

    __slots__ = ("_began", "_given", "_memory", "_most", "_ran", "_schedstat", "_syscall", "_text")

    def __init__(self, pid: int, text: Text, root: str = "/proc") -> None:
        """OSError where it is gone, or where the kernel does not count (CONFIG_SCHED_INFO)."""
        self._text = text
        base = f"{root}/{pid}/task/{pid}"
        self._schedstat = os.open(f"{base}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        self._syscall, self._memory = _opened(f"{base}/syscall"), _opened(f"{root}/{pid}/mem")
        self._began = self._counted()
        self._ran = self._given = 0
        self._most: list[int] = []

    @property
    def is_seen(self) -> bool:
        """It may be asked where it sleeps."""
        return self._syscall >= 0 and self._memory >= 0

    def look(self, on_cpu_ns: int, *, is_certain: bool) -> tuple[int, int]:
        """For how many nanoseconds it ran and slept since the last look; the rest it waited for a CPU. `on_cpu_ns`: for
        how long it had one until now, by a counter of perf's. `is_certain`: it was seen asleep or on a CPU just now.
        OSError where it is gone."""
        passed, ran, waited = (new - old for new, old in zip(self._counted(), self._began))
        # The scheduler leaves out what a hypervisor took from the thread meanwhile, and the counter the switch to
        # another thread and back, which is much of what one that yields does: neither is sleep.
        ran = max(ran, on_cpu_ns)
        # A wait for a CPU is counted when it is over, and seems to be sleep until then. Of who may be in one, the
        # least of some looks is nearest to the truth.
        self._most = [*self._most[1 - LOOKS :], passed - ran - waited]
        certain = self._most[-1] if is_certain else min(self._most) if len(self._most) == LOOKS else 0
        before, self._ran = self._ran, ran
        slept = max(certain - self._given, 0)
        self._given += slept
        return ran - before, slept

    def rest(self) -> int:
        """Nanoseconds that it slept, too, as far as is known in the end."""
        return max(self._most[-1] - self._given, 0) if self._most else 0

    def where(self) -> int | None:
        """APPLICATION, MPI or ELSEWHERE; None where it does not sleep, or must not be asked."""
        if not self.is_seen:
            return None
        try:
            parts = os.pread(self._syscall, 256, 0).split()
            if len(parts) < 3:
                return None  # "running"
            pointer, address = int(parts[-2], 16), int(parts[-1], 16)
            return self._text.caller(address, os.pread(self._memory, STACK_BYTES, pointer))
        except (OSError, ValueError, OverflowError):
            return None

    def close(self) -> None:
        for file in (self._schedstat, self._syscall, self._memory):
            if file >= 0:
                os.close(file)

    def _counted(self) -> tuple[int, int, int]:
        """That passed, ran, and waited for a CPU."""
        ran, waited, _ = os.pread(self._schedstat, 128, 0).split()
        return time.monotonic_ns(), int(ran), int(waited)


def ran_ns(pid: int, thread: int, root: str = "/proc") -> int:
    """CPU time of a thread. OSError where it is gone."""
    with open(f"{root}/{pid}/task/{thread}/schedstat", "rb") as file:
        return int(file.read().split()[0])


def _opened(path: str) -> int:
    """-1 where it must not be looked at."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
