"""CPU time of all that a job is at this node, by the kernel's own sum: what the processes' is held against."""

from __future__ import annotations

import os
import resource

from paramon.sensors.cgroup import job_cpu_us
from paramon.sensors.status import number, status_of

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Total:
    """From now on. By the control group that a scheduler made for the job, which has what a launcher started from
    somewhere else; where there is none, by what this process waited for, itself left out."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._began_us = job_cpu_us(proc)
        self._own_began_us = _used_us(resource.RUSAGE_SELF)

    @property
    def source(self) -> str:
        return "rusage" if self._began_us is None else "cgroup"

    def ticks(self) -> int:
        """Clock ticks. Who left the group is still a child of ours: so it is the larger of the two."""
        waited_us = _used_us(resource.RUSAGE_CHILDREN)
        now_us = None if self._began_us is None else job_cpu_us(self._proc)
        if self._began_us is None or now_us is None:
            return waited_us * TICKS_A_SECOND // 1_000_000
        own_us = _used_us(resource.RUSAGE_SELF) - self._own_began_us
        return max(waited_us, now_us - self._began_us - own_us) * TICKS_A_SECOND // 1_000_000


def largest_rss_kib() -> int:
    """The most that one process had which was waited for, by this one or by such a one (getrusage(2)); 0 where it may
    be what the first began with: as much as this one has. Its own `ru_maxrss` would be whoever's it was forked from."""
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return largest if largest > number(status_of("/proc/self/"), b"\nVmHWM:", 0) else 0


def _used_us(who: int) -> int:
    used = resource.getrusage(who)
    return int((used.ru_utime + used.ru_stime) * 1e6)
