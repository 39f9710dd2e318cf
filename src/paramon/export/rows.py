"""A profile as two tables: processes by tick, one column a field; series of the nodes by tick, one row a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar, Union

from paramon.facts.sums import GONE, letter
from paramon.facts.sums import STATE as STATE_FIELD
from paramon.sample.fields import FIELDS
from paramon.sample.profile import NodeProfile, Process

T = TypeVar("T")
Cell = Union[int, str, None]
PROCESS_COLUMNS = ("node", "job", "rank", "pid", "time", "start_ticks", "parent", "name", "command",
                   *(field.name for field in FIELDS))  # fmt: skip
SERIES_COLUMNS = ("node", "job", "series", "time", "value")
STATE = PROCESS_COLUMNS.index("state")
"""`time`, in both: microseconds since 1970, UTC."""


def process_rows(profile: NodeProfile, *, is_dense: bool) -> Iterator[list[Cell]]:
    """Of each process in turn, within a minute. `is_dense`: at each tick; otherwise only where something changed."""
    node, job, start_us = _origin(profile)
    for chunk in profile.chunks():
        times = [start_us + at * 1000 for at in chunk.ticks]
        for number, rows in chunk.rows.items():
            one = profile.processes.get(number) or Process(number, 0, 0, 0, "?", "", -1)
            head: list[Cell] = [node, job, one.rank if one.rank >= 0 else None, one.pid]
            rest: list[Cell] = [one.start_ticks, one.parent, one.name, one.command]
            for tick, values in _filled(rows, len(times)) if is_dense else rows:
                row = [*head, times[tick], *rest, *values]
                row[STATE] = letter(values[STATE_FIELD])
                yield row
            if rows[-1][1][STATE_FIELD] == GONE:
                profile.processes.pop(number, None)


def series_rows(profile: NodeProfile, *, is_dense: bool) -> Iterator[list[Cell]]:
    node, job, start_us = _origin(profile)
    for chunk in profile.chunks():
        times = [start_us + at * 1000 for at in chunk.ticks]
        for series, points in chunk.points.items():
            for tick, value in _filled(points, len(times)) if is_dense else points:
                yield [node, job, series, times[tick], value]
        profile.processes.clear()


def _origin(profile: NodeProfile) -> tuple[str, str, int]:
    header = profile.header
    return str(header.get("node", "")), str(header.get("job", "")), int(header.get("started_at_ms", 0)) * 1000


def _filled(rows: Sequence[tuple[int, T]], ticks: int) -> Iterator[tuple[int, T]]:
    """What did not change is said again, until the process is gone."""
    for (tick, values), (end, _) in zip(rows, [*rows[1:], (ticks, None)]):
        is_gone = isinstance(values, tuple) and values[STATE_FIELD] == GONE
        for at in range(tick, tick + 1 if is_gone else end):
            yield at, values
