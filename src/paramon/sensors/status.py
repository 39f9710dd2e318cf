"""`status` of a process or a thread, as proc(5) tells of it."""

from __future__ import annotations

import os

STATUS_SIZE, STATUS_MOST = 4096, 1 << 20
"""Of what is read at once, and of all: who is in thousands of groups has their numbers before what is asked for."""
LAST = b"\nnonvoluntary_ctxt_switches:"
"""What `status` ends with."""


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


def number(status: bytes, name: bytes, otherwise: int) -> int:
    at = status.find(name)
    return int(status[at + len(name) :].split(None, 1)[0]) if at >= 0 else otherwise
