"""The frames of a file, however long it is."""

from __future__ import annotations

from collections.abc import Iterator

from paramon.sample.frames import Frame, frames

BLOCK = 1 << 20
"""So much is read at a time. It is not mapped: a file that shrinks meanwhile would end who looks at it."""


def frames_in(path: str, start: int = 0) -> Iterator[Frame | int]:
    """As `frames` finds them, from there on. OSError where it cannot be read."""
    with open(path, "rb") as file:
        file.seek(start)
        waiting, at = b"", start
        while True:
            block = file.read(BLOCK)
            if not block:
                return
            waiting += block
            used = passed = 0
            for one in frames(waiting):
                if isinstance(one, int):
                    yield one
                    passed = used + one
                else:
                    yield one._replace(end=at + one.end)
                    used = passed = one.end
            used = passed  # what was given up is not looked at again
            waiting, at = waiting[used:], at + used
