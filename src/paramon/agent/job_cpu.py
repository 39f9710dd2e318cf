"""CPU time of a job by the control group that its scheduler made: what that of its processes is held against."""

from __future__ import annotations

from typing import Callable

LEAST_US = 1_000_000
"""Of less than that nothing is said: clock ticks are too coarse for it."""


class JobCpu:
    """`read`: microseconds; OSError where the group is gone."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self.us = read()
        self._first: tuple[int, int] | None = None
        self._known_us = 0

    def look(self, known_us: int) -> None:
        """`known_us`: of the job's processes, at this moment."""
        try:
            self.us = max(self._read(), self.us)
        except (OSError, ValueError, KeyError):
            return
        self._known_us = known_us
        if self._first is None:
            self._first = self.us, known_us

    @property
    def completeness(self) -> float | None:
        """The processes' part of the time that was used since the first look; None for too little of it. Above 1 where
        some of them are in another group."""
        first_us, first_known_us = self._first or (self.us, 0)
        passed_us = self.us - first_us
        return (self._known_us - first_known_us) / passed_us if passed_us >= LEAST_US else None
