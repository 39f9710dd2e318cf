"""Whether a profile is still being written."""

from __future__ import annotations

import os
import time

from paramon.sample.profile import LIVE, Told
from paramon.sensors.file import text

STILL_SECONDS = 150
"""One that has no end, was written to within that time (or twice its period), and tells of so late a moment, is. A copy
has the date at which it was made. The clock may have been set since the start: where its collector is there, the moment
says nothing."""
BOOT = "/proc/sys/kernel/random/boot_id"


def is_being_written(told: Told, last_ms: int) -> bool:
    """`last_ms`: its last tick."""
    late_ms = time.time() * 1000 - int(told.header.get("started_at_ms", 0)) - last_ms
    return _is_fresh(told) and (late_ms < _patience(told) * 1000 or _has_collector(told))


def cut_off(told: Told) -> None:
    """Nobody writes there any more, whenever the last time was: the files are dated back as far as it takes to say so.
    OSError where they cannot be."""
    if not _is_fresh(told):
        return
    latest = time.time() - _patience(told)
    for path in _files(told):
        if _written(path) > latest:
            os.utime(path, (latest, latest))


def _is_fresh(told: Told) -> bool:
    return told.end is None and time.time() - max(map(_written, _files(told))) < _patience(told)


def _has_collector(told: Told) -> bool:
    """Whether this machine has not been started again since, and has a process of its number."""
    boot, pid = told.header.get("boot"), told.header.get("pid")
    return isinstance(pid, int) and bool(boot) and boot == text(BOOT) and os.path.exists(f"/proc/{pid}")


def _files(told: Told) -> tuple[str, str]:
    return told.path + LIVE, told.path


def _patience(told: Told) -> float:
    return max(STILL_SECONDS, 2 * float(told.header.get("period", 1)))


def _written(path: str) -> float:
    """Seconds since 1970; 0 where nothing is there."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
