"""Whether a profile is still being written."""

from __future__ import annotations

import os
import time

from paramon.sample.profile import LIVE, Told

STILL_SECONDS = 150
"""One that has no end and was written to within that time (or twice its period) is."""


def is_being_written(told: Told) -> bool:
    if told.end is not None:
        return False
    return time.time() - last_written(told) < _patience(told)


def last_written(told: Told) -> float:
    """Seconds since 1970; 0 where nothing is there."""
    return max(map(_written, _files(told)))


def cut_off(told: Told) -> None:
    """Nobody writes there any more, whenever the last time was: the files are dated back as far as it takes to say so.
    OSError where they cannot be."""
    if not is_being_written(told):
        return
    latest = time.time() - _patience(told)
    for path in _files(told):
        if _written(path) > latest:
            os.utime(path, (latest, latest))


def _files(told: Told) -> tuple[str, str]:
    return told.path + LIVE, told.path


def _patience(told: Told) -> float:
    return max(STILL_SECONDS, 2 * float(told.header.get("period", 1)))


def _written(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
