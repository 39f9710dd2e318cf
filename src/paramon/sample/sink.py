"""What takes samples as they are read: a file's minute, or what is known of the node now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Rows(Protocol):
    """Of one tick after the other."""

    def row(self, process: int, values: Sequence[int]) -> None:
        """Of this tick: all fields, where something changed."""

    def point(self, series: str, value: int) -> None: ...


class Minute(Rows, Protocol):
    @property
    def ticks(self) -> int:
        """That it has; 1 in its first one, in which each process has a row."""

    def tick(self, at_ms: int) -> None: ...
