"""The sensors that this machine has; of the others, why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from paramon.sensor import Sensor, Unavailable
from paramon.sensors.cpu import Cpu
from paramon.sensors.memory import Memory

MAKERS: Sequence[tuple[str, Callable[[], Sensor]]] = (("cpu", Cpu), ("memory", Memory))


def sensors_here() -> tuple[list[Sensor], dict[str, tuple[str, str]]]:
    found, unavailable = [], {}
    for name, make in MAKERS:
        try:
            found.append(make())
        except Unavailable as why:
            unavailable[name] = (why.en, why.zh)
    return found, unavailable
