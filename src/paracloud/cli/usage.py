"""usage import: old accounting logs, read here."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from paracloud.cli import show
from paracloud.cli.imports import Asked, imports, show_import, take_in
from paracloud.cli.usage_report import report
from paracloud.cli.words import both, plain, say
from paracloud.dialects.histories import READERS
from paracloud.dialects.history import HistoryRecord, Unreadable
from paracloud.kit.errors import Invalid
from paracloud.kit.text_file import Lines, open_lines
from paracloud.metering.log import judged
from paracloud.metering.report import Report, execution, read_by

app = typer.Typer(no_args_is_help=True, help="Usage that centres accounted for: old logs, and sums.")
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
    told = _sum(report, _format(format_), file, centre)
    rows = list(report.rows())
    if as_json:
        print(json.dumps({"rows": rows}, default=_number))
    elif rows:
        show.table(list(rows[0]), [list(row.values()) for row in rows])
    _tell(told, report.repeated)
    if told[UNREADABLE]:
        raise typer.Exit(1)


def _format(name: str) -> str:
    if name not in READERS:
        names = ", ".join(READERS)
        raise typer.BadParameter(both(f"--format is one of {names}.", f"--format 可选 {names}。"))
    return name


def _report(text: str) -> Report:
    try:
        return Report(read_by(text))
    except Invalid as wrong:
        raise typer.BadParameter(plain(both(wrong.en, wrong.zh))) from None


def _sum(report: Report, format_: str, file: Path, centre: str) -> Counter[str]:
    """How many lines were what. Those that cannot be read are listed as they come: there may be millions."""
    told: Counter[str] = Counter()
    with _lines(file) as lines:
        for one in judged(lines, format_):
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


def _tell(told: Counter[str], repeated: int) -> None:
    counts = ", ".join(f"{why} {number}" for why, number in told.most_common() if why != UNREADABLE)
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
