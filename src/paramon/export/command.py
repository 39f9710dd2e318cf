"""`paramon export`: a profile as tables for other programs."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Callable, NamedTuple

from paramon.errors import Refused
from paramon.export.parquet import write_parquet
from paramon.export.rows import PROCESS_COLUMNS, SERIES_COLUMNS, Cell, process_rows, series_rows
from paramon.export.text import Write, write_csv, write_jsonl
from paramon.opened import opened
from paramon.sample.profile import NodeProfile

TEXT: dict[str, Write] = {"csv": write_csv, "jsonl": write_jsonl}
TABLES = ("processes", "series")


class Wanted(NamedTuple):
    """`kind`: csv, jsonl or parquet. `out`: a file; empty or `-` for standard output. `table`: for that, which one."""

    profile: str
    kind: str
    out: str
    table: str
    is_dense: bool
    is_forced: bool


class Table(NamedTuple):
    columns: Sequence[str]
    rows: Callable[[], Iterator[Sequence[Cell]]]


def export(wanted: Wanted) -> list[str]:
    """The files that were written. Refused where they are there already or there is nothing to write them with; Damaged
    where there is no profile; OSError where nothing can be written: then no half of a file is left."""
    profiles = opened(wanted.profile)
    tables = _tables(profiles, is_dense=wanted.is_dense)
    if wanted.kind == "parquet" and wanted.out in ("", "-"):
        wanted = wanted._replace(out=_name(wanted.profile) + ".parquet")  # it cannot be written into a pipe
    if wanted.out in ("", "-"):
        table = tables[wanted.table]
        if isinstance(sys.stdout, io.TextIOWrapper):  # as in a file
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
        TEXT[wanted.kind](sys.stdout, table.columns, table.rows())
        sys.stdout.flush()
        return []
    paths = {"processes": wanted.out, "series": _beside(wanted.out)}
    _refuse_existing(list(paths.values()), is_forced=wanted.is_forced)
    for name, path in paths.items():
        _write(wanted.kind, path, tables[name])
    return list(paths.values())


def _tables(profiles: Sequence[NodeProfile], *, is_dense: bool) -> dict[str, Table]:
    def processes() -> Iterator[Sequence[Cell]]:
        for profile in profiles:
            yield from process_rows(profile, is_dense=is_dense)

    def series() -> Iterator[Sequence[Cell]]:
        for profile in profiles:
            yield from series_rows(profile, is_dense=is_dense)

    return {"processes": Table(PROCESS_COLUMNS, processes), "series": Table(SERIES_COLUMNS, series)}


def _name(profile: str) -> str:
    return os.path.splitext(os.path.basename(os.path.abspath(profile)))[0]


def _beside(out: str) -> str:
    """a.csv: a.series.csv."""
    start, ending = os.path.splitext(out)
    return f"{start}.series{ending}"


def _refuse_existing(paths: Sequence[str], *, is_forced: bool) -> None:
    there = [path for path in paths if os.path.exists(path)]
    if there and not is_forced:
        raise Refused(
            f"{there[0]} is there already: name another file with -o, or say --force.",
            f"{there[0]} 已存在：请用 -o 指定其他文件，或加 --force。",
        )


def _write(kind: str, path: str, table: Table) -> None:
    """Whole, or not at all."""
    part = f"{path}.{os.getpid()}.part"
    try:
        if kind == "parquet":
            write_parquet(path, table.columns, table.rows())
            return
        with open(part, "x", encoding="utf-8", errors="surrogateescape", newline="") as out:
            TEXT[kind](out, table.columns, table.rows())
        os.replace(part, path)
    except BaseException as wrong:
        if os.path.exists(part):
            os.unlink(part)
        if isinstance(wrong, OSError):
            raise OSError(wrong.errno, wrong.strerror, path) from None
        raise
