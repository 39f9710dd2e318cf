"""usage: old accounting logs that come in, and sums."""

from pathlib import Path
from typing import Annotated

import typer

from paracloud.cli.dry_run import dry_run as look_first
from paracloud.cli.imports import Asked, a_format, imports, show_import, take_in
from paracloud.cli.usage_report import report
from paracloud.cli.words import say

app = typer.Typer(
    no_args_is_help=True,
    help=say("Usage that centres accounted for: old logs, and sums.", "超算中心的用量：历史日志与统计。"),
)

Format = Annotated[str | None, typer.Option("--format", help="sacct, gridengine or pbs; else by its first lines.")]


@app.callback()
def usage() -> None:
    """Usage that centres accounted for."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An accounting log, plain or .xz.")],
    format_: Format = None,
    centre: Annotated[str | None, typer.Option(help="Whose log it is; a dry run needs it not.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing; needs no server.")] = False,
    owners: Annotated[Path | None, typer.Option("--map", help="A CSV file: user,project or account,project.")] = None,
    accept_faults: Annotated[bool, typer.Option("--accept-faults", help="Leave out what is not understood.")] = False,
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Leave out what is nobody's.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Only hand it in.")] = False,
    report_by: Annotated[str, typer.Option(help="What a row of the report is: day, queue, user … or several.")] = "day",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Meter, rate and post an old accounting log, each record once however often it is imported; or, with --dry-run,
    only judge and sum it: a day's jobs are those that ended on it (UTC). Exit status 1 where a line was not understood;
    each is listed."""
    asked = Asked(file, a_format(file, format_), centre, owners, accept_faults, leave_out)
    if dry_run:
        look_first(asked, report_by, as_json=as_json)
    else:
        take_in(asked, no_wait=no_wait, as_json=as_json)


app.command()(report)
app.command()(imports)
app.command("import-status")(show_import)
