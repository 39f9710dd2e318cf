"""The node's series as metrics: their names say what they are, in units without prefixes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Callable, NamedTuple

from paramon.agent.openmetrics import COUNTER, GAUGE, Family, Number, family, labels
from paramon.facts.series import is_counter

HZ = os.sysconf("SC_CLK_TCK")
OWN = "paramon."
PARTS = {
    "disk": "device",
    "network": "device",
    "infiniband": "port",
    "nfs": "mount",
    "lustre": "filesystem",
    "gpu": "gpu",
    "exits": "program",
}
"""What stands in the middle of a series' name, by sensor: `disk.sda.reads`."""
OTHER_PART = "part"
UNITS: tuple[tuple[str, str, Callable[[int], Number]], ...] = (
    ("_kib", "bytes", lambda value: value * 1024),
    ("_bytes", "bytes", int),
    ("_permille", "ratio", lambda value: value / 1000),
    ("_percent", "ratio", lambda value: value / 100),
    ("_mw", "watts", lambda value: value / 1000),
    ("_uj", "joules", lambda value: value / 1e6),
    ("_mj", "joules", lambda value: value / 1e3),
    ("_us", "seconds", lambda value: value / 1e6),
    ("_ms", "seconds", lambda value: value / 1e3),
    ("_mhz", "hertz", lambda value: value * 1_000_000),
    ("_celsius", "celsius", int),
)
"""By the end of a series' name."""
CLOCK_TICKS = ("_ticks", "seconds", lambda value: value / HZ)
"""Of processors alone: InfiniBand has ticks of its own."""
PROCESS = re.compile(r"(.+)\.process\.([0-9]+)")
"""Of a card, or an instance of MIG."""
NEVER = re.compile(r"[^a-zA-Z0-9_]")


class Named(NamedTuple):
    """A series as a metric: `labels` are ready to be written."""

    name: str
    unit: str
    kind: str
    help: str
    labels: str
    worth: Callable[[int], Number]


def node_families(points: Mapping[str, int]) -> list[Family]:
    """`points`: by series. The collector's own are left out."""
    found: dict[str, Family] = {}
    for series, value in points.items():
        if series.startswith(OWN):
            continue
        named = metric_of(series)
        key = f"{named.name} {named.unit}"
        one = found.get(key)
        if one is None:
            one = found[key] = family(named.name, named.kind, named.help, named.unit)
        one.add(named.worth(value), named.labels)
    return list(found.values())


@lru_cache(maxsize=4096)
def metric_of(series: str) -> Named:
    sensor, _, rest = series.partition(".")
    middle, _, what = rest.rpartition(".")
    of_process = PROCESS.fullmatch(middle) if sensor == "gpu" else None
    part = of_process[1] if of_process else middle
    units = (CLOCK_TICKS, *UNITS) if sensor == "cpu" else UNITS
    end, unit, worth = next((one for one in units if ("_" + what).endswith(one[0])), ("", "", int))
    stem = ("_" + what)[: -len(end)].strip("_") if end else what
    name = NEVER.sub("_", "_".join(part for part in ("paramon_node", sensor, stem) if part))
    if of_process:
        name = f"paramon_node_gpu_process_{stem}"
    known = f"{sensor}.{'*.' if middle else ''}{what}"
    return Named(
        name,
        unit,
        COUNTER if is_counter(series) else GAUGE,
        f"The whole node's {known}, as its sensor reads it.",
        labels({PARTS.get(sensor, OTHER_PART): part, **({"pid": of_process[2]} if of_process else {})}),
        worth,
    )
