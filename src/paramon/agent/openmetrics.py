"""Text of metrics as Prometheus and others read it (OpenMetrics 1.0, github.com/OpenObservability/OpenMetrics)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Union

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
COUNTER, GAUGE, INFO = "counter", "gauge", "info"
SUFFIXES = {COUNTER: "_total", GAUGE: "", INFO: "_info"}
Number = Union[int, float]


class Family(NamedTuple):
    """`name` ends with `unit`, where there is one; a counter's samples end with `_total` besides. `samples`: labels,
    ready to be written, and value."""

    name: str
    kind: str
    unit: str
    help: str
    samples: list[tuple[str, Number]]

    def add(self, value: Number, labels: str = "") -> None:
        self.samples.append((labels, value))


def family(name: str, kind: str, help_text: str, unit: str = "") -> Family:
    """`name` without its unit."""
    return Family(f"{name}_{unit}" if unit else name, kind, unit, help_text, [])


def labels(named: Mapping[str, str]) -> str:
    """`job="7",user="lin"`; one that is empty is left out, which means the same."""
    return ",".join(f'{name}="{escaped(value)}"' for name, value in named.items() if value)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def page(families: Iterable[Family]) -> bytes:
    """Those without samples are left out."""
    lines = []
    for one in families:
        if not one.samples:
            continue
        lines.append(f"# HELP {one.name} {escaped(one.help)}")
        lines.append(f"# TYPE {one.name} {one.kind}")
        if one.unit:
            lines.append(f"# UNIT {one.name} {one.unit}")
        name = one.name + SUFFIXES[one.kind]
        for given, value in one.samples:
            lines.append(f"{name}{{{given}}} {value}" if given else f"{name} {value}")
    lines.append("# EOF\n")
    return "\n".join(lines).encode("utf-8", "replace")
