"""Tables as CSV (RFC 4180) and as JSON, a line a row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import TextIO

from paramon.export.rows import Cell

Write = Callable[[TextIO, Sequence[str], Iterable[Sequence[Cell]]], None]
BEGIN = datetime(1970, 1, 1, tzinfo=timezone.utc)


def write_csv(out: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """A cell that is empty is None."""
    time = columns.index("time")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([*row[:time], moment(row[time]), *row[time + 1 :]])


def write_jsonl(out: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    for row in rows:
        told = dict(zip(columns, row))
        told["time"] = moment(told["time"])
        out.write(json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n")


def moment(us: Cell) -> str:
    """2026-11-27T10:00:05.120000Z."""
    return f"{BEGIN + timedelta(microseconds=int(us or 0)):%Y-%m-%dT%H:%M:%S.%fZ}"
