"""Job traces from files: the Standard Workload Format (version 2.2) and plain CSV, also packed as .xz.

Nothing is left out in silence: a line that cannot be read refuses the file, with its number; jobs that never ran, or
ask for no processor, are counted.
"""

import csv
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


def read_swf(file: Path) -> tuple[list[TraceJob], int]:
    """The jobs that ran, all with home 0, and how many did not. Invalid, with the line."""
    jobs, left_out = [], 0
    with _opened(file) as lines:
        for number, line in lines:
            text = line.strip()
            if not text or text.startswith(";"):
                continue
            fields = text.split()
            if len(fields) != SWF_FIELDS:
                raise _broken(
                    file,
                    number,
                    f"{len(fields)} fields, not {SWF_FIELDS}",
                    f"有 {len(fields)} 个字段，应为 {SWF_FIELDS} 个",
                )
            values = [_number(file, number, fields[at]) for at in (SUBMIT, RUN, ALLOCATED, ASKED_PROCS, ASKED_SECONDS)]
            submitted, ran, allocated, asked, requested = values
            procs = int(allocated if allocated > 0 else asked)
            if ran < 0 or procs <= 0:
                left_out += 1
                continue
            _require_possible(file, number, submitted, ran, procs)
            jobs.append(cut(submitted, ran, procs, requested, 0, fields[USER]))
    return jobs, left_out


def read_csv(file: Path, capacities: Sequence[int]) -> Workload:
    """Columns as COLUMNS, by their header. `home_centre` counts the capacities from 0; or from 1, where the file says
    the last of them so. Invalid, with the line."""
    with _opened(file) as lines:
        numbers: list[int] = []
        reader = csv.DictReader(_texts(lines, numbers))
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            words = ", ".join(missing)
            raise _broken(file, 1, f"the header lacks {words}", f"表头缺少 {words}")
        rows = [(numbers[-1], _row(file, numbers[-1], row)) for row in reader]
    first = _first_home([row for _, row in rows], len(capacities))
    jobs, left_out = [], 0
    for number, (submitted, ran, procs, requested, home, user) in rows:
        if not 0 <= home - first < len(capacities):
            last = first + len(capacities) - 1
            raise _broken(
                file,
                number,
                f"home_centre {home} is not in {first} to {last}",
                f"home_centre {home} 不在 {first} 至 {last} 之间",
            )
        if ran < 0 or procs <= 0:
            left_out += 1
            continue
        _require_possible(file, number, submitted, ran, procs)
        jobs.append(cut(submitted, ran, procs, requested, home - first, user))
    return within(Workload(tuple(capacities), tuple(jobs), left_out))


def _row(file: Path, number: int, row: Mapping[Any, Any]) -> Row:
    if None in row or None in row.values():
        raise _broken(file, number, "as many fields as the header has", "字段数与表头不符")
    submitted, ran, procs, requested, home = (_number(file, number, str(row[name]).strip()) for name in COLUMNS[:5])
    for name, value in (("procs", procs), ("home_centre", home)):
        if value != int(value):
            raise _broken(file, number, f"{name} is a whole number, not {value}", f"{name} 须为整数，而非 {value}")
    return submitted, ran, int(procs), requested, int(home), str(row["user"]).strip()


def _first_home(rows: Sequence[Row], count: int) -> int:
    homes = {home for *_, home, _ in rows}
    return 1 if homes and min(homes) >= 1 and max(homes) == count else 0


def _number(file: Path, number: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise _broken(file, number, f"{text!r} is no number", f"{text!r} 不是数字")
    return value


def _require_possible(file: Path, number: int, submitted: float, ran: float, procs: int) -> None:
    if not 0 <= submitted <= MOST_SECONDS or ran > MOST_SECONDS or procs > MOST_PROCS:
        raise _broken(file, number, "a time or a number that no job can have", "时间或数量不可能成立")


def _broken(file: Path, number: int, en: str, zh: str) -> Invalid:
    return Invalid(f"{file.name}, line {number}: {en}.", f"{file.name} 第 {number} 行：{zh}。", field="trace")


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
