"""What the kernel counts of the whole job at this node, in the control group that its scheduler made
(Documentation/admin-guide/cgroup-v2.rst and cgroup-v1 of Linux)."""

from __future__ import annotations

import errno
import os
from functools import partial
from typing import Callable

from paramon.sensors.cgroup_place import UNIFIED, places
from paramon.sensors.file import content
from paramon.sensors.sensor import Unavailable

KIB = 1024
NO_LIMIT = 1 << 60
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")

Part = Callable[[str], "dict[str, int]"]
"""From a group's folder; OSError where it has no such file."""


class Cgroup:
    """CPU in microseconds, throttled periods and time, memory now, at most and allowed, processes that were killed for
    want of memory, bytes of devices. What cannot be read any more leaves the rest as it is, and is counted."""

    name = "cgroup"

    def __init__(self, proc: str = "/proc") -> None:
        self._parts = [(part, folder) for part, folder in _candidates(places(proc)) if _is_there(part, folder)]
        if not self._parts:
            raise Unavailable(
                "no scheduler made a control group for this job", "调度系统没有为该作业建立控制组（cgroup）"
            )
        self._failed = 0

    def read(self) -> dict[str, int]:
        """OSError where the group is gone."""
        found: dict[str, int] = {}
        for part, folder in self._parts:
            try:
                found.update(part(folder))
            except (OSError, ValueError, KeyError):
                self._failed += 1
        if not found:
            raise FileNotFoundError(errno.ENOENT, "the job's control group is gone")
        if self._failed:
            found["cgroup.failed_reads"] = self._failed
        return found

    def close(self) -> None:
        pass


def job_cpu_us(proc: str = "/proc") -> int | None:
    """CPU time of all that the job has run at this node; None where no group of its own counts it."""
    counter = cpu_counter(proc)
    return None if counter is None else counter()


def cpu_counter(proc: str = "/proc", process: str = "self") -> Callable[[], int] | None:
    """Of the job of a process: it gives CPU time in microseconds, OSError when the job is gone."""
    known = places(proc, process)
    for part, controller in ((_cpu, UNIFIED), (_cpu_1, "cpuacct")):
        if controller in known and _is_there(part, known[controller]):
            return partial(_cpu_us, part, known[controller])
    return None


def _cpu_us(part: Part, folder: str) -> int:
    return part(folder)["cgroup.cpu_us"]


def _candidates(known: dict[str, str]) -> list[tuple[Part, str]]:
    parts = {
        UNIFIED: (_cpu, _throttled, _memory, _peak, _limit, _kills, _devices),
        "cpuacct": (_cpu_1,),
        "cpu": (_throttled_1,),
        "memory": (_memory_1, _kills_1),
        "blkio": (_devices_1,),
    }
    return [(part, known[controller]) for controller, some in parts.items() if controller in known for part in some]


def _is_there(part: Part, folder: str) -> bool:
    """It may be there without being counted: a controller that is not enabled for the group."""
    try:
        return bool(part(folder))
    except (OSError, ValueError, KeyError):
        return False


def _pairs(path: str) -> dict[bytes, int]:
    parts = content(path).split()
    return dict(zip(parts[::2], map(int, parts[1::2])))


def _number(path: str) -> int:
    return int(content(path, 64))


def _cpu(folder: str) -> dict[str, int]:
    told = _pairs(f"{folder}/cpu.stat")
    return {
        "cgroup.cpu_us": told[b"usage_usec"],
        "cgroup.cpu_user_us": told[b"user_usec"],
        "cgroup.cpu_system_us": told[b"system_usec"],
    }


def _throttled(folder: str) -> dict[str, int]:
    told = _pairs(f"{folder}/cpu.stat")
    return {"cgroup.throttled_periods": told[b"nr_throttled"], "cgroup.throttled_us": told[b"throttled_usec"]}


def _memory(folder: str) -> dict[str, int]:
    return {"cgroup.memory_kib": _number(f"{folder}/memory.current") // KIB}


def _peak(folder: str) -> dict[str, int]:
    """Since Linux 5.19."""
    return {"cgroup.memory_peak_kib": _number(f"{folder}/memory.peak") // KIB}


def _limit(folder: str) -> dict[str, int]:
    """Nothing where there is none."""
    told = content(f"{folder}/memory.max", 64)
    return {} if told.strip() == b"max" else {"cgroup.memory_limit_kib": int(told) // KIB}


def _kills(folder: str) -> dict[str, int]:
    return {"cgroup.oom_kills": _pairs(f"{folder}/memory.events")[b"oom_kill"]}


def _devices(folder: str) -> dict[str, int]:
    """`8:0 rbytes=1 wbytes=2 rios=…`, a line for each device; empty until one is used."""
    sums = {b"rbytes": 0, b"wbytes": 0}
    for part in content(f"{folder}/io.stat").split():
        name, _, value = part.partition(b"=")
        if name in sums:
            sums[name] += int(value)
    return {"cgroup.read_bytes": sums[b"rbytes"], "cgroup.written_bytes": sums[b"wbytes"]}


def _cpu_1(folder: str) -> dict[str, int]:
    told = _pairs(f"{folder}/cpuacct.stat")
    return {
        "cgroup.cpu_us": _number(f"{folder}/cpuacct.usage") // 1000,
        "cgroup.cpu_user_us": told[b"user"] * TICK_US,
        "cgroup.cpu_system_us": told[b"system"] * TICK_US,
    }


def _throttled_1(folder: str) -> dict[str, int]:
    told = _pairs(f"{folder}/cpu.stat")
    return {"cgroup.throttled_periods": told[b"nr_throttled"], "cgroup.throttled_us": told[b"throttled_time"] // 1000}


def _memory_1(folder: str) -> dict[str, int]:
    found = {
        "cgroup.memory_kib": _number(f"{folder}/memory.usage_in_bytes") // KIB,
        "cgroup.memory_peak_kib": _number(f"{folder}/memory.max_usage_in_bytes") // KIB,
    }
    limit = _number(f"{folder}/memory.limit_in_bytes")
    if limit < NO_LIMIT:
        found["cgroup.memory_limit_kib"] = limit // KIB
    return found


def _kills_1(folder: str) -> dict[str, int]:
    return {"cgroup.oom_kills": _pairs(f"{folder}/memory.oom_control")[b"oom_kill"]}


def _devices_1(folder: str) -> dict[str, int]:
    """`8:0 Read 4096`, and so on; at last `Total 8192`."""
    sums = {b"Read": 0, b"Write": 0}
    parts = content(f"{folder}/blkio.throttle.io_service_bytes_recursive").split()
    for kind, value in zip(parts, parts[1:]):
        if kind in sums:
            sums[kind] += int(value)
    return {"cgroup.read_bytes": sums[b"Read"], "cgroup.written_bytes": sums[b"Write"]}
