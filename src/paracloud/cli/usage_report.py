"""`paracloud usage report`: what was used, as it is stored."""

import csv
import json
import sys
from datetime import date
from decimal import Decimal
from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.jobs import AsJson
from paracloud.cli.times import a_day
from paracloud.cli.words import both
from paracloud.wire.usage import UsageReportModel, UsageRowModel

Day = Annotated[date | None, typer.Option("--from", parser=a_day, metavar="DAY", help="The first day, UTC.")]
EndDay = Annotated[
    date | None, typer.Option("--to", parser=a_day, metavar="DAY", help="The first day that counts no more, UTC.")
]


def report(
    by: Annotated[
        str, typer.Option(help="Some of day or month, centre, queue, project, user, product-line, between commas.")
    ] = "day",
    start: Day = None,
    end: EndDay = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
) -> None:
    """Sum what was used: jobs that ended, and hours, split at midnight (UTC). Of your projects; the operator's is of
    all."""
    if as_json and as_csv:
        raise typer.BadParameter(both("--json or --csv, not both.", "--json 与 --csv 只能选一个。"))
    with session.client() as client:
        found = client.usage_report(by, start, end)
    rows = _rows(found)
    if as_json:
        print(json.dumps({"rows": [{name: _number(value) for name, value in row.items()} for row in rows]}))
    elif as_csv:
        _csv(rows, found.by)
    elif rows:
        show.table(list(rows[0]), [list(row.values()) for row in rows])


def _rows(found: UsageReportModel) -> list[dict[str, object]]:
    """What was asked, in that order, under the names that the dry run of an import gives it."""
    rows = []
    for one in found.rows:
        value = one.model_dump(exclude_none=True)
        names = {word: value.pop(word.replace("-", "_")) for word in found.by}
        rows.append(names | {name: str(left) if name == "project_id" else left for name, left in value.items()})
    return rows


def _csv(rows: list[dict[str, object]], by: list[str]) -> None:
    """The same header where nothing was used."""
    named = [*by, *(["project_id"] if "project" in by else [])]
    sums = [name for name, field in UsageRowModel.model_fields.items() if field.is_required()]
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([*named, *sums])
    out.writerows(row.values() for row in rows)


def _number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value
