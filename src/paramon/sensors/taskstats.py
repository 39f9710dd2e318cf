"""What the kernel tells of a thread when it ends (Documentation/accounting/taskstats-struct.rst of Linux)."""

from __future__ import annotations

import struct
from typing import NamedTuple

FORKED = 1
"""Of the flags: it never executed a program of its own, as no thread has."""
WITH_GROUP = 12
"""The version since which it is told which process a thread belongs to; Linux 5.19."""
SHIFTED, SHIFT = 15, 48
"""This version alone has six more numbers in the middle, and as many once more before the thread's process."""

HEAD = struct.Struct("=H6xB")
BODY = struct.Struct("=8xQ32s16xII16xQQ32xQ40xQQ")
"""CPU time in nanoseconds by the scheduler; name; its number, its parent's; microseconds in user mode, in the kernel;
KiB at most; bytes of devices read and written."""
BODY_AT, GROUP_AT = 64, 368
GROUP = struct.Struct("=I")


class Exit(NamedTuple):
    """`process`: whose thread it was. Times in microseconds; bytes of storage devices."""

    thread: int
    process: int
    parent: int
    name: str
    user_us: int
    system_us: int
    peak_rss_kib: int
    read_bytes: int
    written_bytes: int


def exit_of(stats: bytes, thread: int) -> Exit | None:
    """None for what tells nothing of a process of its own, and for a form that is not known. Before version 12 a thread
    cannot be told from a child that executed nothing: both are left to what is known of their process and parent."""
    version, flags = HEAD.unpack_from(stats)
    shift = SHIFT if version == SHIFTED else 0
    if len(stats) < BODY_AT + shift + BODY.size:
        return None
    scheduled_ns, name, pid, parent, user, system, peak, read, written = BODY.unpack_from(stats, BODY_AT + shift)
    if pid != thread or (version < WITH_GROUP and flags & FORKED):
        return None
    process = pid
    if version >= WITH_GROUP and len(stats) >= GROUP_AT + 2 * shift + GROUP.size:
        (process,) = GROUP.unpack_from(stats, GROUP_AT + 2 * shift)
    user, system = _exact(scheduled_ns // 1000, user, system)
    text = name.partition(b"\0")[0].decode("utf-8", "replace")
    return Exit(thread, process, parent, text, user, system, peak, read, written)


def _exact(scheduled_us: int, user: int, system: int) -> tuple[int, int]:
    """Times of user and kernel are counted by ticks, so that 4 ms may be none; the scheduler's sum is exact, and is
    shared out as the kernel does it for the times of a process (cputime_adjust)."""
    counted = user + system
    if not scheduled_us:
        return user, system
    if not counted:
        return scheduled_us, 0
    exact_system = scheduled_us * system // counted
    return scheduled_us - exact_system, exact_system
