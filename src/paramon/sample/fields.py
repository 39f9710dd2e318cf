"""What is known of a process at a moment. All of them are whole numbers; those that only grow are counters."""

from __future__ import annotations

from typing import NamedTuple


class Field(NamedTuple):
    """`is_counter`: it grows from the start of the process, so that what was missed between two samples is not lost."""

    name: str
    unit: str
    is_counter: bool
    en: str
    zh: str


def _counter(name: str, unit: str, en: str, zh: str) -> Field:
    return Field(name, unit, is_counter=True, en=en, zh=zh)


def _gauge(name: str, unit: str, en: str, zh: str) -> Field:
    return Field(name, unit, is_counter=False, en=en, zh=zh)


FIELDS = (
    _counter("user_ticks", "clock ticks", "CPU time in user mode, of all threads", "用户态 CPU 时间（全部线程）"),
    _counter("system_ticks", "clock ticks", "CPU time in the kernel, of all threads", "内核态 CPU 时间（全部线程）"),
    _counter("minor_faults", "faults", "page faults without a read", "次缺页"),
    _gauge("rss_kib", "KiB", "resident memory", "常驻内存"),
    _counter("read_calls", "calls", "read system calls", "读系统调用次数"),
    _counter("write_calls", "calls", "write system calls", "写系统调用次数"),
    _counter("read_chars", "bytes", "bytes asked for by reads, from any source", "读调用字节数（含缓存）"),
    _counter("write_chars", "bytes", "bytes given to writes, to any target", "写调用字节数（含缓存）"),
    _counter("read_bytes", "bytes", "bytes that storage devices read for it", "存储设备读字节数"),
    _counter("write_bytes", "bytes", "bytes that storage devices write for it", "存储设备写字节数"),
    _gauge("threads", "threads", "threads", "线程数"),
    _gauge(
        "state",
        "character code",
        "R running, S sleeping, D waiting for a device, Z ended …",
        "状态（R 运行、S 睡眠、D 等待设备、Z 已结束 …）",
    ),
    _counter("major_faults", "faults", "page faults with a read", "主缺页"),
    _counter(
        "child_user_ticks",
        "clock ticks",
        "user CPU time of ended children that it waited for",
        "已回收子进程的用户态 CPU 时间",
    ),
    _counter(
        "child_system_ticks",
        "clock ticks",
        "system CPU time of ended children that it waited for",
        "已回收子进程的内核态 CPU 时间",
    ),
    _counter(
        "run_wait_us",
        "microseconds",
        "time runnable but without a CPU, of all threads",
        "可运行但等待 CPU 的时间（全部线程）",
    ),
    _counter(
        "voluntary_switches",
        "switches",
        "context switches because it waited, of all threads",
        "自愿上下文切换（全部线程）",
    ),
    _counter(
        "forced_switches",
        "switches",
        "context switches because others were due, of all threads",
        "被动上下文切换（全部线程）",
    ),
    _gauge("peak_rss_kib", "KiB", "most resident memory until now", "常驻内存峰值"),
    _gauge("shared_kib", "KiB", "resident memory shared with others (shmem)", "共享内存（shmem）"),
    _gauge("file_kib", "KiB", "resident memory mapped from files", "文件映射内存"),
    _gauge("swap_kib", "KiB", "memory on swap", "已换出内存"),
    _counter("block_wait_ticks", "clock ticks", "time waiting for block devices", "等待块设备的时间"),
    _counter(
        "waits_known_us",
        "microseconds",
        "CPU time until threads were last asked for run_wait_us and switches, of all threads",
        "已读取等待时间与切换次数时对应的 CPU 时间（全部线程）",
    ),
)
COUNT = len(FIELDS)
NAMES = tuple(field.name for field in FIELDS)
AT = {field.name: at for at, field in enumerate(FIELDS)}
"""Where a field stands in a row."""

SLEPT_SERIES = "paramon.suspended_ms"
"""How long the machine has slept since the start of the profile: a series that there is none of until it did."""
