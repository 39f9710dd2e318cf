"""`paracloud statement …`: what a month came to, on the screen and as a file; `paracloud bill`: a job."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.jobs import AsJson, Project
from paracloud.cli.keep import keep
from paracloud.cli.kinds import CHARGES, ENTRIES, PRODUCT_LINES, kind
from paracloud.cli.reading import refusing
from paracloud.cli.submission import only_project
from paracloud.cli.times import Month
from paracloud.cli.words import both, plain, say
from paracloud.client.client import Client
from paracloud.client.statements import Whose
from paracloud.statements.check_focus import Finding, check_focus
from paracloud.wire.statements import MonthModel, SumsModel

app = typer.Typer(no_args_is_help=True, help=say("Monthly statements.", "月度账单。"))
FORMATS = {".pdf": "pdf", ".csv": "csv", ".xlsx": "xlsx", ".focus.csv": "focus"}
SHOWN = 100
Organisation = Annotated[UUID | None, typer.Option(help="Of all its projects together, instead of one project.")]
AsOperator = Annotated[bool, typer.Option("--operator", help="Of anybody: for the operator.")]


@app.command("show")
def show_month(
    month: Month,
    project: Project = None,
    organisation: Organisation = None,
    as_operator: AsOperator = False,
    as_json: AsJson = False,
) -> None:
    """Sum a month: usage by place and by user, and the account."""
    with session.client() as client:
        found = client.month(*_payer(client, project, organisation, as_operator), month)
    if as_json:
        show.as_json(found)
    else:
        _tell(found)


@app.command()
def fetch(
    month: Month,
    file: Path,
    project: Project = None,
    organisation: Organisation = None,
    as_operator: AsOperator = False,
    form: Annotated[str | None, typer.Option("--format", help="pdf, csv, xlsx or focus; else by FILE's name.")] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "",
) -> None:
    """Write a month's statement to FILE: PDF has the sums; CSV, XLSX and FOCUS 1.2 (*.focus.csv) each charge too."""
    wanted = form or next((FORMATS[end] for end in sorted(FORMATS, key=len)[::-1] if file.name.endswith(end)), None)
    if wanted is None:
        raise typer.BadParameter(
            both(
                "FILE ends in .pdf, .csv, .xlsx or .focus.csv; or give --format.",
                "文件名应以 .pdf、.csv、.xlsx 或 .focus.csv 结尾，或用 --format 指定格式。",
            )
        )
    with session.client() as client:
        whose, of = _payer(client, project, organisation, as_operator)
        keep(file, client.month_file(whose, of, month, wanted, language or say("en", "zh")))
    print(plain(str(file)))


def bill(job: UUID, as_operator: AsOperator = False, as_json: AsJson = False) -> None:
    """Show what one job was charged: what was used, at which price, and how it was paid."""
    with session.client() as client:
        found = client.bill(job, as_operator=as_operator)
    if as_json:
        show.as_json(found)
        return
    figures = [name for name in SumsModel.model_fields if name != "jobs"]
    rows = [
        (
            kind(one.kind, CHARGES),
            one.record_id,
            f"{one.centre}/{one.queue}",
            one.price if one.core_hour is None else one.core_hour,
            *(getattr(one.sums, name) for name in figures),
            ", ".join(f"{used.name} {used.quantity}" for used in one.taken) or one.reason,
            *((one.usage, one.entry) if as_operator else ()),
        )
        for one in found.lines
    ]
    ids = ["usage", "entry"] if as_operator else []
    sums = [getattr(found.total, name) for name in figures]
    total = (say("total", "合计"), found.currency, "", "", *sums, "", *("" for _ in ids))
    show.table(["kind", "record", "queue", "unit price", *figures, "about", *ids], [*rows, total])


@app.command("check")
def check_file(file: Path) -> None:
    """Check a FOCUS file, of whatever provider, against the column rules of version 1.2. Exit status 1 where it breaks
    one."""
    broken = 0
    shown: list[Finding] = []
    with refusing(file), file.open(encoding="utf-8", newline="") as lines:
        for broken, one in enumerate(check_focus(lines), 1):
            if broken <= SHOWN:
                shown.append(one)
    for one in shown:
        print(plain(f"{file}, {one.line}: {one.column}: {say(one.en, one.zh)}"))
    if broken:
        text = both(f"Rules broken: {broken}.", f"共有 {broken} 处不符合规则。")
        show.errors.print(plain(text), markup=False, highlight=False)
        raise typer.Exit(1)
    print(plain(say("It keeps the column rules of FOCUS 1.2.", "符合 FOCUS 1.2 列规则。")))


def _payer(
    client: Client,
    project: UUID | None,
    organisation: UUID | None,
    as_operator: bool,  # noqa: FBT001  # of this module alone
) -> tuple[Whose, UUID]:
    if project is not None and organisation is not None:
        raise typer.BadParameter(
            both("--project or --organisation, not both.", "--project 与 --organisation 只能选一个。")
        )
    if organisation is not None:
        return "operator/organisations" if as_operator else "organisations", organisation
    return "operator/projects" if as_operator else "projects", project or only_project(client)


def _tell(found: MonthModel) -> None:
    state = say("final", "正式") if found.is_final else say("provisional", "暂估")
    print(plain(f"{found.number}  {found.payer}  {found.period:%Y-%m}  {state}  {found.currency}"))
    figures = list(SumsModel.model_fields)
    rows = [
        (one.project, kind(one.product_line, PRODUCT_LINES), f"{one.centre}/{one.queue}", *_figures(one.sums))
        for one in found.used
    ]
    total = (say("total", "合计"), "", "", *_figures(found.total))
    show.table(["project", "product line", "queue", *figures], [*rows, total])
    if found.by_user:
        show.table(
            ["project", "user", *figures], [(one.project, one.user, *_figures(one.sums)) for one in found.by_user]
        )
    moved = [
        (show.moment(one.at), one.project, kind(one.kind, ENTRIES), one.about, one.reason, one.amount)
        for one in found.movements
    ]
    ends = [("", "", name, "", "", amount) for name, amount in _ends(found)]
    show.table(["time", "project", "kind", "about", "reason", "amount"], [ends[0], *moved, *ends[1:]])


def _figures(sums: SumsModel) -> list[object]:
    return [getattr(sums, name) for name in SumsModel.model_fields]


def _ends(found: MonthModel) -> list[tuple[str, str]]:
    return [
        (say("opening balance", "期初余额"), found.opening),
        (say("charges", "计费入账"), found.charged),
        (say("closing balance", "期末余额"), found.closing),
    ]
