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
from typing import Annotated, BinaryIO, NoReturn, cast

import typer
from rich.progress import Progress, TaskID

from paracloud.cli import show
from paracloud.cli.imports import Asked, imports, show_import, take_in
from paracloud.cli.kinds import LINES, kind
from paracloud.cli.usage_report import report
from paracloud.cli.words import both, plain, say
from paracloud.dialects.histories import READERS
from paracloud.dialects.history import HistoryRecord, Reader, Unreadable
from paracloud.kit.errors import Invalid
from paracloud.metering.report import Report, execution, read_by

app = typer.Typer(
    no_args_is_help=True,
    help=say("Usage that centres accounted for: old logs, and sums.", "超算中心的用量：历史日志与统计。"),
)
XZ_MAGIC = b"\xfd7zXZ\x00"
EVERY_LINES = 2000
EXECUTION, UNREADABLE = "execution", "not understood"

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
    owners: Annotated[Path | None, typer.Option("--map", help="A CSV file: user,project or account,project.")] = None,
    accept_faults: Annotated[bool, typer.Option("--accept-faults", help="Leave out what is not understood.")] = False,
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Leave out what is nobody's.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Only hand it in.")] = False,
    report_by: Annotated[str, typer.Option(help="What a row of the report is: day, queue, user … or several.")] = "day",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Meter, rate and post an old accounting log, each record once however often it is imported; or, with --dry-run,
    only sum it: a day's jobs are those that ended on it (UTC). Exit status 1 where a line was not understood; each is
    listed."""
    if not dry_run:
        asked = Asked(file, format_, centre, owners, accept_faults, leave_out)
        take_in(asked, no_wait=no_wait, as_json=as_json)
        return
    report = _report(report_by)
    told = _sum(report, _reader(format_), file, centre)
    rows = list(report.rows())
    if as_json:
        print(json.dumps({"rows": rows}, default=_number))
    elif rows:
        show.table(list(rows[0]), [list(row.values()) for row in rows])
    _tell(told, report.repeated)
    if told[UNREADABLE]:
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


def _sum(report: Report, reader: Reader, file: Path, centre: str) -> Counter[str]:
    """How many lines were what. Those that cannot be read are listed as they come: there may be millions."""
    told: Counter[str] = Counter()
    with _lines(file) as lines:
        for one in reader(lines):
            if isinstance(one, HistoryRecord):
                told[EXECUTION] += 1
                report.add(execution(one, centre))
            elif isinstance(one, Unreadable):
                told[UNREADABLE] += 1
                print(plain(f"{one.line}: {say(one.en, one.zh)}: {one.text}"), file=sys.stderr)
            else:
                told[one.why] += 1
    return told


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[str]]:
    """The log's lines, with the progress shown. Text that is no UTF-8 keeps its place by a mark."""
    bar = Progress(console=show.errors, transient=True, disable=not show.errors.is_terminal)
    with file.open("rb") as raw, bar as progress:
        is_packed = raw.read(len(XZ_MAGIC)) == XZ_MAGIC
        if file.suffix == ".xz" and not is_packed:
            _refuse(file, 1, "it is no xz file, or was cut at its very beginning", "不是 xz 文件，或开头即被截断")
        raw.seek(0)
        task = progress.add_task(plain(file.name), total=file.stat().st_size)
        source = cast(BinaryIO, lzma.LZMAFile(raw)) if is_packed else raw  # noqa: SIM115  # closed with `raw`
        text = TextIOWrapper(source, encoding="utf-8-sig", errors="replace", newline="\n")
        yield _counted(file, text, raw, progress, task)


def _counted(file: Path, text: Iterable[str], raw: BinaryIO, progress: Progress, task: TaskID) -> Iterator[str]:
    number = 0
    try:
        for number, line in enumerate(text, 1):
            if number % EVERY_LINES == 0:
                progress.update(task, completed=raw.tell())
            yield line
    except (EOFError, lzma.LZMAError) as broken:
        _refuse(
            file, number + 1, f"the compressed file is broken or cut ({broken})", f"压缩文件损坏或被截断（{broken}）"
        )


def _refuse(file: Path, line: int, en: str, zh: str) -> NoReturn:
    said = say(
        f"{file}, line {line}: {en}. Nothing of it is reported; fetch it again.",
        f"{file} 第 {line} 行：{zh}；未作统计，请重新获取。",
    )
    print(plain(said), file=sys.stderr)
    raise typer.Exit(1)


def _tell(told: Counter[str], repeated: int) -> None:
    counts = ", ".join(f"{kind(why, LINES)} {number}" for why, number in told.most_common() if why != UNREADABLE)
    said = say(
        f"Lines by kind: {counts or '-'}; repeated {repeated}; not understood {told[UNREADABLE]}.",
        f"各类行数：{counts or '-'}；重复 {repeated}；无法理解 {told[UNREADABLE]}。",
    )
    print(plain(said), file=sys.stderr)


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(repr(value))


app.command()(report)
app.command()(imports)
app.command("import-status")(show_import)
