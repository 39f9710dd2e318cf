"""usage import: old accounting logs, read here."""

import json
import lzma
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer
from rich.progress import Progress, TaskID

from paracloud.cli import show
from paracloud.cli.words import both, plain, say
from paracloud.dialects.histories import READERS
from paracloud.dialects.history import HistoryRecord, Reader, Unreadable
from paracloud.kit.errors import Invalid
from paracloud.metering.report import Report, execution, read_by

app = typer.Typer(no_args_is_help=True, help="Usage that centres accounted for: old logs, and sums.")
XZ_MAGIC = b"\xfd7zXZ\x00"
SHOWN = 20
"""So many lines that cannot be read are shown; all are counted."""
EVERY_LINES = 2000

Format = Annotated[str, typer.Option("--format", help="sacct, gridengine or pbs.")]


@app.callback()
def usage() -> None:
    """Usage that centres accounted for."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An accounting log, plain or .xz.")],
    format_: Format,
    centre: Annotated[str, typer.Option(help="Whose log it is.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing; needs no server.")] = False,
    report_by: Annotated[str, typer.Option(help="What a row of the report is: day, queue, user … or several.")] = "day",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read an old accounting log. Exit status 1 where a line was not understood."""
    if not dry_run:
        raise typer.BadParameter(both("Only --dry-run is there so far.", "目前仅支持 --dry-run。"))
    report = _report(report_by)
    told, failed = _sum(report, _reader(format_), file, centre)
    rows = list(report.rows())
    _tell(told, report.repeated, failed)
    if as_json:
        print(json.dumps({"rows": rows}, default=_number))
    elif rows:
        show.table(list(rows[0]), [list(row.values()) for row in rows])
    if failed:
        raise typer.Exit(1)


def _reader(name: str) -> Reader:
    if name not in READERS:
        names = ", ".join(READERS)
        raise typer.BadParameter(both(f"--format is one of {names}.", f"--format 可选 {names}。"))
    return READERS[name]


def _report(text: str) -> Report:
    try:
        return Report(read_by(text))
    except Invalid as wrong:
        raise typer.BadParameter(plain(both(wrong.en, wrong.zh))) from None


def _sum(report: Report, reader: Reader, file: Path, centre: str) -> tuple[Counter[str], list[Unreadable]]:
    """How many lines were what, and those that cannot be read."""
    told: Counter[str] = Counter()
    failed: list[Unreadable] = []
    with _lines(file) as lines:
        for one in reader(lines):
            if isinstance(one, HistoryRecord):
                told["execution"] += 1
                report.add(execution(one, centre))
            elif isinstance(one, Unreadable):
                failed.append(one)
            else:
                told[one.why] += 1
    return told, failed


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[str]]:
    """The log's lines, with the progress shown. Text that is no UTF-8 keeps its place by a mark."""
    with file.open("rb") as raw, Progress(console=show.errors, transient=True) as progress:
        is_packed = raw.read(len(XZ_MAGIC)) == XZ_MAGIC
        raw.seek(0)
        task = progress.add_task(plain(file.name), total=file.stat().st_size)
        source = cast(BinaryIO, lzma.LZMAFile(raw)) if is_packed else raw  # noqa: SIM115  # closed with `raw`
        text = TextIOWrapper(source, encoding="utf-8", errors="replace", newline="\n")
        yield _counted(text, raw, progress, task)


def _counted(text: Iterable[str], raw: BinaryIO, progress: Progress, task: TaskID) -> Iterator[str]:
    try:
        for number, line in enumerate(text):
            if number % EVERY_LINES == 0:
                progress.update(task, completed=raw.tell())
            yield line
    except (EOFError, lzma.LZMAError) as broken:
        raise OSError(
            both(
                f"The compressed file is broken or cut ({broken}). Nothing of it is reported; fetch it again.",
                f"压缩文件损坏或被截断（{broken}）；未作统计，请重新获取。",
            )
        ) from None


def _tell(told: Counter[str], repeated: int, failed: list[Unreadable]) -> None:
    counts = ", ".join(f"{why} {number}" for why, number in told.most_common())
    said = say(
        f"Lines by kind: {counts or '-'}; repeated {repeated}; not understood {len(failed)}.",
        f"各类行数：{counts or '-'}；重复 {repeated}；无法理解 {len(failed)}。",
    )
    show.errors.print(plain(said))
    for one in failed[:SHOWN]:
        print(plain(f"{one.line}: {say(one.en, one.zh)}: {one.text}"), file=sys.stderr)
    if len(failed) > SHOWN:
        more = len(failed) - SHOWN
        print(say(f"and {more} more", f"另有 {more} 行"), file=sys.stderr)


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(repr(value))
