"""Job traces from files: the Standard Workload Format (version 2.2) and plain CSV, also packed as .xz.

Nothing is left out in silence: a line that cannot be read refuses the file, with its number; jobs that never ran, or
ask for no processor, are counted.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias

from paracloud.kit.errors import Invalid
from paracloud.kit.text_file import open_lines
from paracloud.simulation.workload import TraceJob, Workload, cut, within

SWF_FIELDS = 18
SUBMIT, RUN, ALLOCATED, ASKED_PROCS, ASKED_SECONDS, USER = 1, 3, 4, 7, 8, 11
COLUMNS = ("submit_s", "run_s", "procs", "requested_s", "home_centre", "user")
Row: TypeAlias = tuple[float, float, int, float, int, str]
"""As COLUMNS."""
MOST_SECONDS, MOST_PROCS = 10.0**11, 10**8
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
"""As the archives write them: Python's own reading takes `1_000` and the digits of every script, too."""


def read_swf(file: Path) -> tuple[list[TraceJob], int]:
    """The jobs that ran, all with home 0, and how many did not. Invalid, with the first line that is broken and how
    many more are."""
    jobs, broken, left_out = list[TraceJob](), list[Invalid](), 0
    with _opened(file) as lines:
        for number, line in lines:
            text = line.strip()
            if not text or text.startswith(";"):
                continue
            try:
                job = _swf_job(file, number, text.split())
            except Invalid as one:
                broken.append(one)
                continue
            if job is None:
                left_out += 1
            else:
                jobs.append(job)
    _require_whole(broken)
    return jobs, left_out


def _swf_job(file: Path, number: int, fields: Sequence[str]) -> TraceJob | None:
    """None for one that never ran."""
    if len(fields) != SWF_FIELDS:
        raise _broken(
            file, number, f"{len(fields)} fields, not {SWF_FIELDS}", f"有 {len(fields)} 个字段，应为 {SWF_FIELDS} 个"
        )
    values = [_number(file, number, fields[at]) for at in (SUBMIT, RUN, ALLOCATED, ASKED_PROCS, ASKED_SECONDS)]
    submitted, ran, allocated, asked, requested = values
    procs = int(allocated if allocated > 0 else asked)
    if ran < 0 or procs <= 0:
        return None
    _require_possible(file, number, (submitted, ran, requested), procs)
    return cut(submitted, ran, procs, requested, 0, fields[USER])


def read_csv(file: Path, capacities: Sequence[int]) -> Workload:
    """Columns as COLUMNS, by their header. `home_centre` counts the capacities from 0; or from 1, where the file says
    the last of them so. Invalid, as of `read_swf`."""
    rows, broken = list[tuple[int, Row]](), list[Invalid]()
    for number, row in _records(file):
        try:
            rows.append((number, _row(file, number, row)))
        except Invalid as one:
            broken.append(one)
    first = _first_home([row for _, row in rows], len(capacities))
    jobs, left_out = [], 0
    for number, (submitted, ran, procs, requested, home, user) in rows:
        if not 0 <= home - first < len(capacities):
            broken.append(_unknown_home(file, number, home, range(first, first + len(capacities))))
        elif ran < 0 or procs <= 0:
            left_out += 1
        else:
            jobs.append(cut(submitted, ran, procs, requested, home - first, user))
    _require_whole(broken)
    is_unclear = first == 0 and bool(rows) and all(home >= 1 for _, (*_, home, _) in rows)
    return within(Workload(tuple(capacities), tuple(jobs), left_out, is_unclear))


def _records(file: Path) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    """Each with the number of its line. Invalid where the file as a whole is no such table."""
    with _opened(file) as lines:
        numbers: list[int] = [1]
        reader = csv.DictReader(_texts(lines, numbers), strict=True, skipinitialspace=True)
        try:
            names = [name.strip() for name in reader.fieldnames or ()]
            _require_columns(file, names)
            reader.fieldnames = names
            for row in reader:
                yield numbers[0], row
        except csv.Error as error:
            raise _broken(file, numbers[0], f"no CSV ({error})", f"不是有效的 CSV（{error}）") from error


def _require_columns(file: Path, names: Sequence[str]) -> None:
    if missing := [name for name in COLUMNS if name not in names]:
        words = ", ".join(missing)
        raise _broken(file, 1, f"the header lacks {words}", f"表头缺少 {words}")
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        words = ", ".join(twice)
        raise _broken(file, 1, f"the header has {words} twice", f"表头中 {words} 重复")


def _row(file: Path, number: int, row: Mapping[Any, Any]) -> Row:
    if None in row or None in row.values():
        raise _broken(file, number, "it has not as many fields as the header", "字段数与表头不符")
    submitted, ran, procs, requested, home = (_number(file, number, str(row[name]).strip()) for name in COLUMNS[:5])
    for name, value in (("procs", procs), ("home_centre", home)):
        if value != int(value):
            raise _broken(file, number, f"{name} is a whole number, not {value}", f"{name} 须为整数，而非 {value}")
    user = str(row["user"]).strip()
    if "\n" in user:
        raise _broken(file, number, "a quoted user over several lines", "引号内的 user 跨越多行")
    if ran >= 0 and procs > 0:
        _require_possible(file, number, (submitted, ran, requested), procs)
    return submitted, ran, int(procs), requested, int(home), user


def _unknown_home(file: Path, number: int, home: int, homes: range) -> Invalid:
    return _broken(
        file,
        number,
        f"home_centre {home} is not in {homes[0]} to {homes[-1]}, as --capacity has them",
        f"home_centre {home} 不在 --capacity 给出的 {homes[0]} 至 {homes[-1]} 之间",
    )


def _first_home(rows: Sequence[Row], count: int) -> int:
    homes = {home for *_, home, _ in rows}
    return 1 if homes and min(homes) >= 1 and max(homes) == count else 0


def _number(file: Path, number: int, text: str) -> float:
    if not NUMBER.fullmatch(text) or not isfinite(value := float(text)):
        raise _broken(file, number, f"{text!r} is no number", f"{text!r} 不是数字")
    return value


def _require_possible(file: Path, number: int, seconds: tuple[float, float, float], procs: float) -> None:
    """`seconds`: when it was submitted, for how long it ran, for how long it asked (negative: it did not say)."""
    if seconds[0] < 0 or max(seconds) > MOST_SECONDS or procs > MOST_PROCS:
        raise _broken(file, number, "a time or a number that no job can have", "时间或数量不可能成立")


def _broken(file: Path, number: int, en: str, zh: str) -> Invalid:
    return Invalid(
        f"{file.name}, line {number}: {en}. Correct the line, or take it out.",
        f"{file.name} 第 {number} 行：{zh}。请更正或删去该行。",
        field="trace",
    )


def _require_whole(broken: Sequence[Invalid]) -> None:
    """The first by its line, the others by their number: who corrects a file wants to know how much there is to do."""
    if not broken:
        return
    first, more = broken[0], len(broken) - 1
    if not more:
        raise first
    raise Invalid(
        f"{first.en} Broken lines besides this one: {more}.", f"{first.zh} 另有 {more} 行有误。", field="trace"
    )


@contextmanager
def _opened(file: Path) -> Iterator[Iterator[tuple[int, str]]]:
    """Its lines with their numbers; Invalid where there is no such file."""
    if not file.is_file():
        raise Invalid(f"There is no file {file}.", f"文件 {file} 不存在。", field="trace")
    with open_lines(file, name=file.name) as lines:
        yield ((lines.number, line) for line in lines)


def _texts(lines: Iterator[tuple[int, str]], numbers: list[int]) -> Iterator[str]:
    for number, line in lines:
        numbers[:] = [number]
        yield line
