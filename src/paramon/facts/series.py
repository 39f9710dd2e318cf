"""Series of the node: what their names say, and how they went."""

from __future__ import annotations

from collections.abc import Sequence

STANDING_UNITS = ("_kib", "_permille", "_percent", "_mhz", "_mw", "_celsius")
STANDING = {"runnable", "full", "lost", "minor", "reasons", "used", "free", "total", "available", "limit", "size",
            "state"}  # fmt: skip
"""Last words in names of what goes up and down, or says what is so; all else is counted."""

FROM_NOTHING = ("exits.", "counter.uncounted")
"""What is told of for the first time when it is counted for the first time: until then it was 0."""


def is_counter(name: str) -> bool:
    return not name.endswith(STANDING_UNITS) and name.rpartition(".")[2].rpartition("_")[2] not in STANDING


class Course:
    """Of one series, taken chunk by chunk. `mean`: weighed by time."""

    __slots__ = ("_area", "_at_ms", "_is_from_nothing", "fell", "first", "first_ms", "last", "last_ms", "least", "most")

    def __init__(self, name: str = "") -> None:
        self._is_from_nothing = name.startswith(FROM_NOTHING) and is_counter(name)
        self.first = self.last = self.least = self.most = 0
        self.first_ms = self.last_ms = self._at_ms = -1
        self._area = 0
        self.fell = False

    def take(self, points: Sequence[tuple[int, int]], ticks: Sequence[int]) -> None:
        for tick, value in points:
            at = ticks[tick]
            if self.first_ms < 0:
                self.first = 0 if self._is_from_nothing else value
                self.first_ms, self.least, self.most = at, value, value
            else:
                self._area += self.last * (at - self._at_ms)
                self.fell = self.fell or value < self.last
                self.least, self.most = min(self.least, value), max(self.most, value)
            self.last, self._at_ms = value, at
        self.last_ms = ticks[-1]

    @property
    def grown(self) -> int:
        return max(self.last - self.first, 0)

    @property
    def mean(self) -> float:
        passed = self.last_ms - self.first_ms
        return (self._area + self.last * (self.last_ms - self._at_ms)) / passed if passed > 0 else float(self.last)

    @property
    def seconds(self) -> float:
        return max(self.last_ms - self.first_ms, 0) / 1000

    def told(self, name: str) -> dict[str, float]:
        """As JSON: what grew and how fast, or how it stood."""
        if is_counter(name) and not self.fell:
            rate = self.grown / self.seconds if self.seconds else 0.0
            return {"grown": self.grown, "a_second": round(rate, 3)}
        return {"least": self.least, "mean": round(self.mean, 3), "most": self.most, "last": self.last}
