"""The end of this process."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from paramon.sensors import aside


def leave(code: int) -> NoReturn:
    """Without what a library does at the end, where a thread of ours is held by its driver: it would wait for that."""
    if aside.stuck:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
