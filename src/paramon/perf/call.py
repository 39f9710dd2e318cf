"""perf_event_open(2) and its ioctls, by ctypes: Python has nothing for them. What went wrong is said with its cause."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from typing import NamedTuple

from paramon.sensors.sensor import Unavailable

NUMBERS = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "ppc64le": 319, "s390x": 331}
"""Of the system call, by machine (arch/*/entry/syscalls in Linux)."""
HARDWARE, SOFTWARE, RAW = 0, 1, 4
CPU_CLOCK, TASK_CLOCK, PAGE_FAULTS, CONTEXT_SWITCHES, MIGRATIONS = range(5)
"""Of SOFTWARE."""
REGISTERS_USER, STACK_USER = 1 << 12, 1 << 13
"""What a sample may hold (PERF_SAMPLE_*)."""
ENABLED_TIME, RUNNING_TIME, GROUP = 1, 2, 8
"""What a read gives (PERF_FORMAT_*)."""
DISABLED, INHERIT, EXCLUDE_KERNEL, EXCLUDE_HYPERVISOR = 1, 1 << 1, 1 << 5, 1 << 6
ATTRIBUTES = struct.Struct("=IIQQQQQIIQQQQIiQIHH")
"""struct perf_event_attr until sample_max_stack: 112 bytes, PERF_ATTR_SIZE_VER5 of Linux 4.8."""
CLOSE_ON_EXEC = 8
ENABLE, DISABLE, PERIOD = 0x2400, 0x2401, 0x40082404
PARANOID = "/proc/sys/kernel/perf_event_paranoid"


class Event(NamedTuple):
    """`kind` and `config` as in struct perf_event_attr's `type` and `config`."""

    kind: int
    config: int
    config1: int = 0
    config2: int = 0


class Sampling(NamedTuple):
    """`period`: of the event's own unit, from one sample to the next. `registers`: a mask, in the order of the
    machine's perf_regs.h; `stack_bytes` of the user's stack, a multiple of eight."""

    period: int
    registers: int
    stack_bytes: int


class Scope(NamedTuple):
    """Of whom: a thread on whichever CPU, or a CPU with all that run on it (`pid` -1)."""

    pid: int
    cpu: int = -1


def attributes(event: Event, flags: int, read_format: int = 0, sampling: Sampling | None = None) -> bytes:
    period, registers, stack = sampling or (0, 0, 0)
    sample = (REGISTERS_USER if registers else 0) | (STACK_USER if stack else 0)
    return ATTRIBUTES.pack(
        event.kind, ATTRIBUTES.size, event.config, period, sample, read_format, flags, 0, 0, event.config1,
        event.config2, 0, registers, stack, 0, 0, 0, 0, 0,
    )  # fmt: skip


def open_event(described: bytes, scope: Scope, group: int = -1) -> int:
    """A file descriptor. ProcessLookupError where the thread is gone, OSError with EMFILE where no more files may be
    open, Unavailable for all else, with its cause."""
    machine = os.uname().machine
    number = NUMBERS.get(machine)
    if number is None:
        raise Unavailable(f"perf_event_open is not known for {machine}", f"未知架构 {machine} 的 perf_event_open")
    buffer = ctypes.create_string_buffer(described, len(described))
    numbers = (ctypes.c_long(one) for one in (scope.pid, scope.cpu, group, CLOSE_ON_EXEC))
    file = int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), buffer, *numbers))
    if file >= 0:
        return file
    raise why_not(ctypes.get_errno(), paranoid())


def control(file: int, request: int, value: int = 0) -> None:
    """ENABLE, DISABLE; PERIOD takes a value."""
    if request == PERIOD:
        fcntl.ioctl(file, request, struct.pack("=Q", value))
    else:
        fcntl.ioctl(file, request, value)


def paranoid(path: str = PARANOID) -> int | None:
    """None where the kernel has no such events at all."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def why_not(number: int, level: int | None) -> OSError | Unavailable:
    """What an errno of perf_event_open means; `level`: kernel.perf_event_paranoid."""
    if number in {errno.ESRCH, errno.EMFILE, errno.ENFILE, errno.EINTR}:
        return OSError(number, os.strerror(number))
    if number == errno.ENOSYS or level is None:
        return Unavailable("the kernel has no perf events, or they are hidden", "内核没有 perf 事件，或已被屏蔽")
    if number in {errno.EACCES, errno.EPERM}:
        return Unavailable(
            f"not allowed: kernel.perf_event_paranoid is {level} (lower it, or give CAP_PERFMON), or it is a container",
            f"权限不足：kernel.perf_event_paranoid 为 {level}（请调低，或授予 CAP_PERFMON），或被容器禁止",
        )
    if number in {errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP, errno.ENXIO}:
        return Unavailable(
            "this machine does not count that: a virtual machine without a PMU, or a processor without the event",
            "本机无法计数该事件：虚拟机未提供 PMU，或处理器不支持",
        )
    return Unavailable(f"perf_event_open: {os.strerror(number)}", f"perf_event_open：{os.strerror(number)}")
