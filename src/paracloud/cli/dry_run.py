"""`paracloud usage import --dry-run`: a log is judged and summed as it would be when it is stored, without a server."""

import json
import sys
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import typer
from rich.progress import Progress

from paracloud.cli import show
from paracloud.cli.imports import Asked, read_map, remark_on_nothing, tell_unmapped
from paracloud.cli.kinds import LINES, kind
from paracloud.cli.words import both, plain, say
from paracloud.dialects.history import HistoryRecord, Unreadable
from paracloud.kit.errors import Invalid
from paracloud.kit.text_file import Lines, open_lines
from paracloud.metering.log import judged
from paracloud.metering.report import SECONDS_AN_HOUR, By, Report, execution, read_by

EXECUTION, UNREADABLE = "execution", "not understood"


@dataclass(slots=True)
class Found:
    """Lines by kind; records of names that the map lacks, and their core-seconds."""

    told: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    unmapped_core_seconds: Counter[str] = field(default_factory=Counter)


class Owners:
    """Which records somebody owns: all, where no map says whose they are."""

    def __init__(self, file: Path | None) -> None:
        self._by = "user"
        self._names: Container[str] | None = None
        if file is not None:
            self._by, self._names = read_map(file)

    def name(self, record: HistoryRecord) -> str:
        return record.user if self._by == "user" else record.account

    def own(self, record: HistoryRecord) -> bool:
        return self._names is None or self.name(record) in self._names


def dry_run(asked: Asked, report_by: str, *, as_json: bool) -> None:
    """Exit status 1 where the import would be refused, or has lines that are not understood."""
    by, owners = _by(report_by), Owners(asked.owners)
    if asked.centre is None and By.CENTRE in by:
        raise typer.BadParameter(both("A report by centre needs --centre NAME.", "按超算中心统计须用 --centre 指明。"))
    found, first = Found(), Report(by)
    _sum(asked, owners, first, found)
    rows = list(_last(asked, owners, by, first).rows())
    if as_json:
        print(json.dumps({"rows": rows}, default=_number))
    elif rows:
        show.table(list(rows[0]), [list(row.values()) for row in rows])
    _tell(found, first)
    if found.told[UNREADABLE] or (found.unmapped and not asked.leave_out):
        raise typer.Exit(1)


def _sum(asked: Asked, owners: Owners, report: Report, found: Found) -> None:
    """Lines that cannot be read are listed as they come: there may be millions."""
    with _lines(asked.file) as lines:
        for one in judged(lines, asked.format, datetime.now(UTC)):
            if isinstance(one, HistoryRecord):
                _take(one, asked, owners, report, found)
            elif isinstance(one, Unreadable):
                found.told[UNREADABLE] += 1
                print(plain(f"{one.line}: {say(one.en, one.zh)}: {one.text}"), file=sys.stderr)
            else:
                found.told[one.why] += 1


def _take(one: HistoryRecord, asked: Asked, owners: Owners, report: Report, found: Found) -> None:
    found.told[EXECUTION] += 1
    if owners.own(one):
        report.add(execution(one, asked.centre or ""))
    else:
        found.unmapped[owners.name(one)] += 1
        found.unmapped_core_seconds[owners.name(one)] += one.cores * one.elapsed_seconds


def _last(asked: Asked, owners: Owners, by: Sequence[By], first: Report) -> Report:
    """Where something is told twice with other figures, the last counts: then the file is read once more."""
    if not first.changed:
        return first
    report = Report(by, first.changed)
    with _lines(asked.file) as lines:
        for one in judged(lines, asked.format, datetime.now(UTC)):
            if isinstance(one, HistoryRecord) and owners.own(one):
                report.add(execution(one, asked.centre or ""))
    return report


@contextmanager
def _lines(file: Path) -> Iterator[Lines]:
    """The log's lines, with the progress shown."""
    bar = Progress(console=show.errors, transient=True, disable=not show.errors.is_terminal)
    try:
        with open_lines(file, name=file.name) as lines, bar as progress:
            task = progress.add_task(plain(file.name), total=file.stat().st_size)
            lines.passed = lambda: progress.update(task, completed=lines.at_byte)
            yield lines
    except Invalid as wrong:
        said = say(f"{file}: {wrong.en} Nothing of it is reported.", f"{file}：{wrong.zh}未作统计。")
        print(plain(said), file=sys.stderr)
        raise typer.Exit(1) from None


def _tell(found: Found, report: Report) -> None:
    left = {name: (found.unmapped[name], _hours(seconds)) for name, seconds in found.unmapped_core_seconds.items()}
    tell_unmapped(left)
    told = found.told
    counts = ", ".join(f"{kind(why, LINES)} {number}" for why, number in told.most_common() if why != UNREADABLE)
    changed, unread = len(report.changed), told[UNREADABLE]
    said = say(
        f"Lines by kind: {counts or '-'}; repeated {report.repeated}; not understood {unread}.",
        f"各类行数：{counts or '-'}；重复 {report.repeated}；无法理解 {unread}。",
    )
    print(plain(said), file=sys.stderr)
    if changed:
        again = say(
            f"{changed} executions are told again with other figures: what is told last counts.",
            f"{changed} 条执行记录重复出现且数值不同：以最后一次为准。",
        )
        print(again, file=sys.stderr)
    remark_on_nothing(told.total(), told[EXECUTION] - found.unmapped.total())


def _by(text: str) -> tuple[By, ...]:
    try:
        return read_by(text)
    except Invalid as wrong:
        raise typer.BadParameter(plain(both(wrong.en, wrong.zh))) from None


def _hours(seconds: int) -> Decimal:
    return Decimal(seconds) / SECONDS_AN_HOUR


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(repr(value))
