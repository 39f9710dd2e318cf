"""How far a load has come, for who measures it from outside while it runs: a file of two numbers for each thread."""

import mmap
import struct
import time
from collections.abc import Callable
from pathlib import Path

NUMBERS = struct.Struct("qq")
"""Rounds done, and the monotonic clock's nanoseconds when the last of them was."""


def counter(path: str, thread: int, threads: int) -> Callable[[int], None]:
    """What is called after every round, with how many are done."""
    with Path(path).open("r+b") as file:
        file.truncate(NUMBERS.size * threads)
        shared = mmap.mmap(file.fileno(), NUMBERS.size * threads)

    def count(rounds: int) -> None:
        NUMBERS.pack_into(shared, NUMBERS.size * thread, rounds, time.monotonic_ns())

    return count


def counted(path: Path) -> list[tuple[int, int]]:
    return list(NUMBERS.iter_unpack(path.read_bytes()))
