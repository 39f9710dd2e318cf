"""How long the machine slept, as a laptop does that is closed: a gap in the profile, in which nothing could be used.
Rates and means are of the time that it was awake."""

from __future__ import annotations

from paramon.sample.chunk import Chunk
from paramon.sample.fields import SLEPT_SERIES


class Slept:
    """`take` each chunk in turn. `ms`: until now."""

    def __init__(self) -> None:
        self.ms = 0

    def take(self, chunk: Chunk) -> list[int]:
        """By tick: of the milliseconds since the tick before, so many."""
        found = [0] * len(chunk.ticks)
        for tick, value in chunk.points.get(SLEPT_SERIES, ()):
            found[tick], self.ms = max(value - self.ms, 0), max(value, self.ms)
        return found
