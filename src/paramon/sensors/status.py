"""`status` and `stat` of a process or a thread, as proc(5) tells of them."""

from __future__ import annotations

import os
from typing import Callable

from paramon.sensors.file import content

STATUS_SIZE, STATUS_MOST = 4096, 1 << 20
"""Of what is read at once, and of all: who is in thousands of groups has their numbers before what is asked for."""
LAST = b"\nnonvoluntary_ctxt_switches:"
"""What `status` ends with."""
FORKED = 0x40
"""Of its flags (PF_FORKNOEXEC, Linux's include/linux/sched.h)."""
ENDED = b"\nState:\tZ"


def status_of(base: str) -> bytes:
    """`base`: the folder of a process or a thread, with its slash. The whole of its `status`."""
    file = os.open(base + "status", os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = os.read(file, STATUS_SIZE)
        while LAST not in found and len(found) < STATUS_MOST:
            more = os.read(file, STATUS_SIZE)
            if not more:
                break
            found += more
        return found
    finally:
        os.close(file)


def of_another(read: Callable[[str], bytes], base: str, thread: int) -> bytes:
    """What `read` finds in the folder of any thread but that one; empty where there is none. OSError where the process
    is gone."""
    for name in os.listdir(base + "task"):
        if name != str(thread):
            try:
                return read(f"{base}task/{name}/")
            except (FileNotFoundError, ProcessLookupError):
                continue
    return b""


def stat_of(base: str) -> bytes:
    return content(base + "stat")


def status_of_process(base: str, pid: int) -> bytes:
    """Where its first thread has ended, another's: that still knows of its memory."""
    found = status_of(base)
    return of_another(status_of, base, pid) or found if ENDED in found else found


def number(status: bytes, name: bytes, otherwise: int) -> int:
    at = status.find(name)
    return int(status[at + len(name) :].split(None, 1)[0]) if at >= 0 else otherwise


def fields_in(stat: bytes) -> list[bytes]:
    """From the third on, the state; the second is a name, and may hold anything."""
    return stat[stat.rindex(b")") + 2 :].split()


def program_in(stat: bytes, parts: list[bytes]) -> tuple[bytes, bytes]:
    """Its name after its pid, and where its stack starts, which is another place after each execve(2)."""
    return stat[: stat.rindex(b")")], parts[25]


def is_copy(parts: list[bytes]) -> bool:
    """Whether it has executed nothing since fork(2); `parts`: as of `fields_in`."""
    return bool(int(parts[6]) & FORKED)
