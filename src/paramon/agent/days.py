"""The agent's own profile: a file a day, of which the last ones are kept."""

from __future__ import annotations

import json
import os
import stat
import time

from paramon.sample.errors import Damaged
from paramon.sample.file import frames_in
from paramon.sample.frames import HEADER
from paramon.sample.profile import LIVE, SUFFIX

DAY_SECONDS = 86_400
COMMAND = ["paramon", "agent"]
"""Of its profiles: others that lie in the folder are somebody's."""


def today() -> int:
    """A number that is another one each day (UTC)."""
    return int(time.time()) // DAY_SECONDS


def forget_before(folder: str, node: str, days: int) -> list[str]:
    """Take away what an agent at that node wrote last so many days ago; the names."""
    gone = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        try:
            there = os.lstat(path)
            is_old = stat.S_ISREG(there.st_mode) and time.time() - there.st_mtime > days * DAY_SECONDS
            if is_old and name.endswith(SUFFIX) and _is_ours(path, node):
                os.unlink(path)
                gone.append(name)
                os.unlink(path + LIVE)  # one that was killed left it
        except (Damaged, OSError, ValueError, AttributeError, RecursionError):
            continue  # it is gone, or somebody's
    return gone


def _is_ours(path: str, node: str) -> bool:
    first = next(frames_in(path), 0)
    if isinstance(first, int) or first.kind != HEADER:
        return False
    header = json.loads(first.payload)
    return (header.get("command"), header.get("node")) == (COMMAND, node)
