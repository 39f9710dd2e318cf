"""Free blocks of ports, several labs at once on one machine."""

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paralab.errors import LabError

FIRST, LAST = 16_000, 32_000
"""Below ip_local_port_range: an outgoing connection never takes one of ours."""
LOCK = "cache/lock"
"""In the labs' folder."""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """One builder at a time, until its ports are listening."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_block(size: int, taken: set[int]) -> int:
    """The first port of `size` in a row that nobody listens on and that is not in `taken`."""
    for first in range(FIRST, LAST - size, size):
        block = range(first, first + size)
        if taken.isdisjoint(block) and all(map(_is_free, block)):
            return first
    raise LabError(f"No {size} free ports in a row below {LAST}.", f"{LAST} 以下没有连续 {size} 个空闲端口。")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


FIRST_JOB_ID, LAST_JOB_ID, JOB_IDS_A_BUILD = 100_000, 60_000_000, 50_000


def next_job_id(file: Path) -> int:
    """The first job id for a fresh centre: a block of its own, from a file that outlives every lab. Call it locked."""
    try:
        last = int(file.read_text())
    except (FileNotFoundError, ValueError):
        last = FIRST_JOB_ID
    following = last + JOB_IDS_A_BUILD
    file.write_text(str(following if following < LAST_JOB_ID else FIRST_JOB_ID))
    return last
