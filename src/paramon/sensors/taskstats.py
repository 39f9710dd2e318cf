"""What the kernel tells of a thread when it ends (Documentation/accounting/taskstats-struct.rst of Linux)."""

from __future__ import annotations

import struct
import time
from typing import NamedTuple

FORKED = 1
"""Of the flags: it never executed a program of its own, as no thread has."""
WITH_GROUP = 12
"""The version since which it is told which process a thread belongs to; Linux 5.19."""
SHIFTED, SHIFT = 15, 48
"""This version alone has six more numbers in the middle, and as many once more before the thread's process."""

HEAD = struct.Struct("=H6xB7xQQ")
"""Version and flags; how often it was given a processor, and nanoseconds that it waited for one: both nought where the
kernel does not note that (before Linux 5.14, without delayacct)."""
BODY = struct.Struct("=8xQ32s16xII8xQQQ32xQ40xQQ8xQ")
"""CPU time in nanoseconds by the scheduler; name; its number, its parent's; microseconds from its start to its end, in
user mode, in the kernel; KiB at most; bytes of devices read and written; how often it left a processor to wait."""
BODY_AT, GROUP_AT = 64, 368
GROUP = struct.Struct("=I")
COARSE = 6
"""The clock that stands still from one of the kernel's ticks to the next: CLOCK_MONOTONIC_COARSE (clock_getres(2))."""
KERNEL_TICK_US = round(time.clock_getres(COARSE) * 1e6)


class Exit(NamedTuple):
    """`process`: whose thread it was. Times in microseconds; bytes of storage devices.

    `user_us` and `system_us` are at least what it used: as of the last time that the scheduler reckoned, at its last
    wait or at a tick after that, so that up to a tick is missing. `cpu_us` is the nearest to what it used: where it
    never waited for anything but a processor, all until its record was written; else with a guess of what is missing.
    Neither has what the kernel takes to give its memory back after that: some 50 microseconds for a small program.
    """

    thread: int
    process: int
    parent: int
    name: str
    user_us: int
    system_us: int
    peak_rss_kib: int
    read_bytes: int
    written_bytes: int
    cpu_us: int


def exit_of(stats: bytes, thread: int) -> Exit | None:
    """None for what tells nothing of a process of its own, and for a form that is not known. Before version 12 a thread
    cannot be told from a child that executed nothing: both are left to what is known of their process and parent."""
    version, flags, runs, queued_ns = HEAD.unpack_from(stats)
    shift = SHIFT if version == SHIFTED else 0
    if len(stats) < BODY_AT + shift + BODY.size:
        return None
    told = BODY.unpack_from(stats, BODY_AT + shift)
    scheduled_ns, name, pid, parent, lived_us, user, system, peak, read, written, waits = told
    if pid != thread or (version < WITH_GROUP and flags & FORKED):
        return None
    process = pid
    if version >= WITH_GROUP and len(stats) >= GROUP_AT + 2 * shift + GROUP.size:
        (process,) = GROUP.unpack_from(stats, GROUP_AT + 2 * shift)
    text = name.partition(b"\0")[0].decode("utf-8", "replace")
    scheduled_us = scheduled_ns // 1000
    ready_us = lived_us - queued_ns // 1000
    nearest = _nearest(scheduled_us, user + system, ready_us, waits) if runs else scheduled_us or user + system
    return Exit(thread, process, parent, text, *_shared_out(scheduled_us, user, system), peak, read, written, nearest)


def _shared_out(scheduled_us: int, user: int, system: int) -> tuple[int, int]:
    """Times of user and kernel are counted by ticks, so that 4 ms may be none; the scheduler's sum is shared out as the
    kernel does it for the times of a process (cputime_adjust)."""
    counted = user + system
    if not scheduled_us:
        return user, system
    if not counted:
        return scheduled_us, 0
    in_kernel = scheduled_us * system // counted
    return scheduled_us - in_kernel, in_kernel


def _nearest(scheduled_us: int, counted_us: int, ready_us: int, waits: int) -> int:
    """`ready_us`: of its life, what it did not spend in the queue for a processor. What runs without a tick (nohz_full)
    is not reckoned for longer than one, but counted exactly. What it ran since its last wait is taken to be as much as
    before each of the others; a tick meets that by chance, and then half of it is reckoned on the average."""
    most = max(min(ready_us, max(scheduled_us + KERNEL_TICK_US, counted_us)), scheduled_us)
    if not waits:
        return most
    since = min(scheduled_us // waits, KERNEL_TICK_US)
    return min(scheduled_us + since - since * since // (2 * KERNEL_TICK_US), most)
