"""Which files a test has open."""

import os
from pathlib import Path


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
