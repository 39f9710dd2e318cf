"""paracloud: many supercomputing centres, one account, one bill.

Exit status: 0 well; 1 refused, or the job did not complete; 2 wrong use; 3 not logged in; 4 not found; 5 no answer.
"""

import os
import re
import sys
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import ValidationError

from paracloud.cli import (
    admin,
    budgets,
    centres,
    corrections,
    forecasts,
    jobs,
    lists,
    notices,
    paying,
    receipts,
    reconciliation,
    session,
    settlement,
    settling,
    show,
    statements,
    submission,
    tariffs,
    terms,
    usage,
)
from paracloud.cli.connect import connect
from paracloud.cli.files import cp, ls
from paracloud.cli.ids import an_id
from paracloud.cli.jobs import AsJson, Project
from paracloud.cli.kinds import ENTRIES, PRODUCT_LINES, ROLES, kind
from paracloud.cli.profile import profile
from paracloud.cli.quotes import short
from paracloud.cli.simulate import simulate, spread
from paracloud.cli.vacate import vacate
from paracloud.cli.words import both, plain, say, why_zh
from paracloud.client.client import Client
from paracloud.client.errors import ApiError
from paracloud.wire.grid import QueueModel
from paracloud.wire.wording import worded

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
MISUSED = 2
NEGATIVE = (
    "A number below zero stands behind --, after all options, as in: … -- -0.5",
    "负数须写在 -- 之后，并置于所有选项之后，例如：… -- -0.5",
)
EXIT = {0: 5, 401: 3, 404: 4, 503: 5, 502: 5}

for verb in (
    submission.submit,
    submission.quote,
    jobs.ps,
    jobs.logs,
    jobs.cancel,
    jobs.hold,
    jobs.release,
    jobs.wait,
    profile,
    cp,
    ls,
):
    app.command()(verb)
app.command("show")(jobs.show_job)
app.command()(notices.notices)
app.command()(statements.bill)
app.command()(simulate)
app.command()(centres.centres)
for room in (centres, tariffs, paying, reconciliation, settling, corrections, lists):
    for told in room.VERBS:
        admin.app.command()(told)
# A negative amount is no option.
admin.app.command(context_settings={"ignore_unknown_options": True})(corrections.adjust)
admin.app.command()(vacate)
admin.app.command()(forecasts.forecasts)
admin.app.command("notices")(notices.operators_notices)
admin.app.command("settlements")(settling.settlements_waiting)
app.add_typer(admin.app, name="admin")
app.add_typer(usage.app, name="usage")
app.add_typer(receipts.app, name="receipt")
app.add_typer(budgets.app, name="budget")
app.add_typer(statements.app, name="statement")
settlement.app.command()(connect)
settlement.app.command("set")(terms.change)
app.add_typer(settlement.app, name="centre")


@app.command()
def login(url: str = session.DEFAULT_URL, as_json: AsJson = False) -> None:
    """Keep a token for this machine; it is read from PARACLOUD_TOKEN or asked for, never from the command line."""
    token = os.environ.get("PARACLOUD_TOKEN") or typer.prompt("Token", hide_input=True, err=True)
    with Client(url, token) as client:
        who = client.whoami()
    file = session.keep(url, token)
    if as_json:
        show.as_json(who)
    else:
        show.console.print(say(f"Logged in as {who.login}; kept in {file}.", f"已登录为 {who.login}；保存在 {file}。"))


@app.command()
def whoami(as_json: AsJson = False) -> None:
    """Show who you are, and your projects."""
    with session.client() as client:
        who = client.whoami()
    if as_json:
        show.as_json(who)
        return
    show.console.print(plain(who.login))
    show.table(
        ["project", "name", "organisation", "line", "role"],
        [
            (p.id, p.name, p.organisation, kind(p.product_line, PRODUCT_LINES), kind(p.role, ROLES))
            for p in who.projects
        ],
    )


PricedFor = Annotated[
    UUID | None,
    typer.Option(
        parser=an_id, envvar="PARACLOUD_PROJECT", help="Whose prices; all that your projects share, otherwise."
    ),
]


@app.command()
def queues(project: PricedFor = None, as_json: AsJson = False) -> None:
    """Show the partitions as last seen, with what they cost you."""
    with session.client() as client:
        found = client.queues(project)
    if as_json:
        show.as_json(found)
        return
    rows = [(q.centre, q.name, q.nodes, q.cores, q.free_cores, _cards(q), *_hours(q)) for q in found.items]
    show.table(["centre", "queue", "nodes", "cores", "free", "cards", "core-hour", "card-hour"], rows)


def _cards(of: QueueModel) -> str | None:
    return of.gpu_model and f"{of.gpus_per_node} {of.gpu_model}"


def _hours(of: QueueModel) -> tuple[str | None, str | None]:
    """What a core and a card cost."""
    if of.differs:
        return say("differs: --project", "因课题组而异：--project"), None
    if of.rule is not None:
        return say("by rule", "按计费规则"), None
    core, card = (None if one is None else short(one) for one in (of.core_hour, of.card_hour))
    return core, card


@app.command()
def balance(project: Project = None, as_operator: statements.AsOperator = False, as_json: AsJson = False) -> None:
    """Show a project's money."""
    with session.client() as client:
        found = client.balance(_payer(client, project), as_operator=as_operator)
    if as_json:
        show.as_json(found)
        return
    row = [f"{one.amount} {one.currency}" for one in (found.available, found.held, found.spendable)]
    show.table(["available", "held", "spendable"], [row])


@app.command()
def movements(
    project: Project = None,
    start: Annotated[str | None, typer.Option(help="From this time on, ISO 8601 with zone.")] = None,
    end: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    as_operator: statements.AsOperator = False,
    as_json: AsJson = False,
) -> None:
    """Show what moved a project's money, entry by entry; `statement` has a month as a whole."""
    query: dict[str, Any] = {key: value for key, value in (("start", start), ("end", end)) if value is not None}
    with session.client() as client:
        found = client.statement(_payer(client, project), as_operator=as_operator, **query)
    if as_json:
        show.as_json(found)
        return
    rows = [
        (show.moment(x.at), x.entry, kind(x.kind, ENTRIES), x.reference, x.amount.amount, x.balance.amount, x.reason)
        for x in found.lines
    ]
    show.table(["at", "entry", "kind", "reference", "amount", "balance", "reason"], rows)


@app.command()
def funds(project: Project = None, as_operator: statements.AsOperator = False, as_json: AsJson = False) -> None:
    """Show how a project pays and what it may spend: credit line, packages, credits, dedicated nodes, budgets."""
    with session.client() as client:
        payer = _payer(client, project)
        found = client.paying_of(payer) if as_operator else client.paying(payer)
    if as_json:
        show.as_json(found)
    else:
        show.paying(found)


def _payer(client: Client, project: UUID | None) -> UUID:
    return project or submission.only_project(client)


def _of_this_machine(error: OSError) -> str:
    """One of ours has its texts already."""
    if error.strerror is None:
        return str(error)
    place = error.filename2 or error.filename or ""
    return both(f"{place}: {error.strerror}", f"{place}：无法读写（{why_zh(error)}）")


def _has_negative(words: list[str]) -> bool:
    """One that was read as an option."""
    options = words[: words.index("--")] if "--" in words else words
    return any(re.fullmatch(r"-[0-9.]+", word) for word in options)


def main() -> None:
    try:
        app(spread(sys.argv[1:]))
    except SystemExit as end:
        if end.code == MISUSED and _has_negative(sys.argv):
            print(both(*NEGATIVE), file=sys.stderr)
        raise
    except ApiError as error:
        print(plain(f"{error.en}\n{error.zh}"), file=sys.stderr)
        raise SystemExit(EXIT.get(error.status, 1)) from None
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            _, en, zh = worded(one)
            print(plain(f"{en}\n{zh}"), file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        print(plain(_of_this_machine(error)), file=sys.stderr)
        raise SystemExit(2) from None
