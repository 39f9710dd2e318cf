"""What a sensor is, and what is said where one cannot be had."""

from __future__ import annotations

from typing import Protocol


class Unavailable(Exception):
    """What cannot be had on this machine, and why. In English and in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


class Sensor(Protocol):
    """Something of the node. `name` begins those of its series. Made by a function that raises Unavailable where it
    cannot be had."""

    name: str

    def read(self) -> dict[str, int]:
        """Whole numbers by series, such as `memory.free_kib`; OSError where it cannot be read now, Unavailable
        where it turned out that it cannot be had, until it can."""

    def close(self) -> None: ...
