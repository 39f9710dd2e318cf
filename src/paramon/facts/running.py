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
    patience = max(STILL_SECONDS, 2 * float(told.header.get("period", 1)))
    return any(time.time() - _written(path) < patience for path in (told.path + LIVE, told.path))


def _written(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
