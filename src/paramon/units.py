"""Values of the node's series as people read them: the unit is how a name ends."""

from __future__ import annotations

from typing import Callable

from paramon.text import amount, count, duration


def value(series: str, number: float) -> str:
    for ending, told in VALUES.items():
        if series.endswith(ending):
            return told(number)
    return _plain(number)


def rate(series: str, a_second: float) -> str:
    """Of what is counted, in a second. Microseconds a second are a part of the time."""
    for ending, told in RATES.items():
        if series.endswith(ending):
            return told(a_second)
    return f"{value(series, a_second)}/s"


def _plain(number: float) -> str:
    return count(number) if abs(number) >= 100 else f"{number:.3g}"


VALUES: dict[str, Callable[[float], str]] = {
    "_kib": lambda number: amount(number * 1024),
    "_bytes": amount,
    "_permille": lambda number: f"{number / 10:.1f} %",
    "_percent": lambda number: f"{number:.0f} %",
    "_mw": lambda number: f"{number / 1000:.1f} W",
    "_uj": lambda number: f"{number / 1e6:,.1f} J",
    "_mj": lambda number: f"{number / 1e3:,.1f} J",
    "_us": lambda number: duration(number / 1000),
    "_ms": duration,
    "_mhz": lambda number: f"{number:,.0f} MHz",
    "_celsius": lambda number: f"{number:.0f} °C",
}
RATES: dict[str, Callable[[float], str]] = {
    "_us": lambda a_second: f"{a_second / 1e4:.1f} %",
    "_ms": lambda a_second: f"{a_second / 10:.1f} %",
    "_uj": lambda a_second: f"{a_second / 1e6:.1f} W",
    "_mj": lambda a_second: f"{a_second / 1e3:.1f} W",
}
