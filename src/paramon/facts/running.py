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
    return any(time.time() - _written(path) < _patience(told) for path in (told.path + LIVE, told.path))


def cut_off(told: Told) -> None:
    """Nobody writes there any more, whenever the last time was: the files are dated back as far as it takes to say so.
    OSError where they cannot be."""
    if not is_being_written(told):
        return
    latest = time.time() - _patience(told)
    for path in (told.path + LIVE, told.path):
        if _written(path) > latest:
            os.utime(path, (latest, latest))


def _patience(told: Told) -> float:
    return max(STILL_SECONDS, 2 * float(told.header.get("period", 1)))


def _written(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
