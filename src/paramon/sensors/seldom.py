"""What is dear to read is read less often, by what it costs on this machine."""

from __future__ import annotations

import time
from typing import Callable

from paramon.sensors.sensor import Sensor

PAUSES = ((60e-6, 0.0), (300e-6, 5.0))
"""CPU seconds of a read up to which so many seconds pass until the next; dearer ones wait LONGEST."""
LONGEST = 10.0
EARLY = 0.2
"""Seconds: ticks do not come to the instant, and one that comes early must not be missed."""
COUNTED = 3
"""The least of so many last reads counts: the first one fills caches, and any may be disturbed."""


class Seldom:
    """Between two reads of the sensor it says what was read last; after a read that failed it says nothing."""

    def __init__(
        self,
        sensor: Sensor,
        clock: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] = time.process_time,
    ) -> None:
        self.name, self._sensor, self._clock, self._spent = sensor.name, sensor, clock, spent
        self._due = float("-inf")
        self._costs: list[float] = []
        self._last: dict[str, int] = {}

    def read(self) -> dict[str, int]:
        now = self._clock()
        if now < self._due:
            return self._last
        self._last = {}
        before = self._spent()
        try:
            self._last = self._sensor.read()
        finally:
            self._costs = [*self._costs[1 - COUNTED :], self._spent() - before]
            self._due = now + self.pause - EARLY
        return self._last

    @property
    def pause(self) -> float:
        """Seconds from one read to the next; 0 for every tick."""
        if len(self._costs) < COUNTED:
            return 0.0
        least = min(self._costs)
        return next((pause for cost, pause in PAUSES if least <= cost), LONGEST)

    def hurry(self) -> None:
        """The next read is a fresh one: it is the last of the profile."""
        self._due = float("-inf")

    def close(self) -> None:
        self._sensor.close()
