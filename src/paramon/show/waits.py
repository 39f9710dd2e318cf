"""What is told of waits for processors, and of context switches, which are read now and then only."""

from __future__ import annotations

from typing import Protocol

WHOLE, LITTLE = 0.9, 0.5
"""From so much of its CPU time on a process's waits are told as they are known, and below so much not at all."""


class Known(Protocol):
    @property
    def waits_known(self) -> float: ...


def as_known(used: Known, told: str) -> str:
    if used.waits_known < LITTLE:
        return "–"
    return told if used.waits_known >= WHOLE else f"≥ {told}"
