"""Which files a test has open."""

import fcntl
import os
from pathlib import Path

from paramon.sample.profile import LIVE

KILLED: set[str] = set()
"""Files that a test's writers leave as those that are killed do: without an end."""


def open_below(folder: Path) -> dict[int, str]:
    """By descriptor: their names below the folder."""
    found: dict[int, str] = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            name = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:  # such as the list itself
            continue
        if name.startswith(f"{folder}/"):
            found[int(number)] = name.removeprefix(f"{folder}/")
    return found


def end_killed(folder: Path) -> None:
    """Nobody writes those below the folder any more. Who reads them has to close them as anybody."""
    for number, name in open_below(folder).items():
        is_written = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
        if is_written and f"{folder}/{name}".removesuffix(" (deleted)").removesuffix(LIVE) in KILLED:
            os.close(number)
    KILLED.clear()
