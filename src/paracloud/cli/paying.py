"""`paracloud admin …` on how customers pay: packages, credits, dedicated nodes, funding, budgets, closed months."""

from collections.abc import Sequence
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.admin import tell
from paracloud.cli.ids import Id, an_id
from paracloud.cli.jobs import AsJson
from paracloud.cli.tariffs import At, From, To, end
from paracloud.cli.words import both
from paracloud.wire.paying import BudgetRequest, DedicationRequest, FundingRequest, PackageRequest

Monthly = Annotated[bool, typer.Option(help="Anew each month, or once.")]
Hard = Annotated[bool, typer.Option(help="Refuse what could exceed it, or only tell.")]
Percent = Annotated[list[int] | None, typer.Option("--warn", help="Per cent at which it is told; 80 and 100.")]
NoWarn = Annotated[bool, typer.Option("--no-warn", help="It is told at no level.")]
All = Annotated[bool, typer.Option("--all", help="Those that are over too.")]
L = TypeVar("L", int, str)
Until = Annotated[str, typer.Argument(help="The end, ISO 8601 with zone.")]
Centre = Annotated[str | None, typer.Option(help="At this centre alone.")]
Queue = Annotated[str | None, typer.Option(help="In this queue alone.")]
Unseen = Annotated[bool, typer.Option("--unseen", help="Take the name of a queue that was never seen as it is.")]
Line = Annotated[str | None, typer.Option(help="For this product line alone: general, industry or ai.")]
AnId = Annotated[UUID | None, typer.Option(parser=an_id)]


def package(
    project: Id,
    name: str,
    hours: str,
    price: Annotated[str, typer.Argument(help="Yuan for all of them, from the project's wallet.")],
    expires: Until,
    kind: Annotated[str, typer.Option(help="core-hours or card-hours.")] = "core-hours",
    centre: Centre = None,
    queue: Queue = None,
    product_line: Line = None,
    unseen: Unseen = False,
    start: From = None,
    as_json: AsJson = False,
) -> None:
    """Sell a package of hours; those that expire first are used first."""
    tree = {"project": project, "name": name, "kind": kind, "amount": hours, "price": price, "expires_at": expires}
    where = {"centre": centre, "queue": queue, "product_line": product_line, "is_unseen": unseen, "valid_from": start}
    _sell("packages", PackageRequest.model_validate(tree | where), as_json=as_json)


def credit(
    project: Id,
    amount: Annotated[str, typer.Argument(help="Yuan that are given, not paid.")],
    expires: Until,
    name: str = "trial",
    centre: Centre = None,
    queue: Queue = None,
    product_line: Line = None,
    unseen: Unseen = False,
    start: From = None,
    as_json: AsJson = False,
) -> None:
    """Give a project a trial credit with an end."""
    tree = {"project": project, "name": name, "kind": "credit", "amount": amount, "expires_at": expires}
    where = {"centre": centre, "queue": queue, "product_line": product_line, "is_unseen": unseen, "valid_from": start}
    _sell("packages", PackageRequest.model_validate(tree | where), as_json=as_json)


def dedicate(
    project: Id,
    centre: str,
    queue: str,
    nodes: int,
    monthly: Annotated[str, typer.Argument(help="Yuan a month, due in advance.")],
    share: Annotated[int, typer.Argument(help="The centre's share of the fee, in basis points: 8000 is 80 %.")],
    start: From = None,
    until: To = None,
    unseen: Unseen = False,
    as_json: AsJson = False,
) -> None:
    """Dedicate all nodes of a queue to a project: what runs there costs nothing more."""
    tree = {"project": project, "centre": centre, "queue": queue, "nodes": nodes, "monthly": monthly}
    times = {"share_basis_points": share, "is_unseen": unseen, "valid_from": start, "valid_to": until}
    _sell("dedications", DedicationRequest.model_validate(tree | times), as_json=as_json)


def end_dedicated(dedication: Id, at: At = None, as_json: AsJson = False) -> None:
    """End dedicated nodes, now or later; what was paid in advance stays paid."""
    end("dedications", str(dedication), at, as_json=as_json)


def fund(  # a command line's options
    project: Id,
    line: Annotated[str | None, typer.Option(help="Yuan that the wallet may be below nothing.")] = None,
    hold_seconds: Annotated[int | None, typer.Option(help="Of a time limit, what is reserved at once.")] = None,
    hold_all: Annotated[bool, typer.Option("--hold-all", help="All of a time limit is reserved at once.")] = False,
    warn: Annotated[list[str] | None, typer.Option(help="Yuan left at which the project is told.")] = None,
    no_warn: Annotated[bool, typer.Option("--no-warn", help="The project is told at no level.")] = False,
    signal: Annotated[str | None, typer.Option(help="What running jobs get when money ends.")] = None,
    grace_seconds: Annotated[int | None, typer.Option(help="How long after it they are stopped.")] = None,
    as_json: AsJson = False,
) -> None:
    """Agree how a project pays when its wallet is empty; whatever is left out stays as it was."""
    given = {"line": line, "hold_seconds": hold_seconds, "signal": signal, "grace_seconds": grace_seconds}
    tree: dict[str, object] = {name: one for name, one in given.items() if one is not None}
    if hold_all:
        tree["hold_seconds"] = None
    if warn or no_warn:
        tree["warnings"] = levels(warn, (), no_warn=no_warn)
    with session.client() as client:
        made = client.fund(project, FundingRequest.model_validate(tree))
    if as_json:
        show.as_json(made)
    else:
        show.funding({"before": made.before, "after": made.after})


def budget(
    amount: str,
    organisation: AnId = None,
    project: AnId = None,
    login: Annotated[str | None, typer.Option(help="One user's within the project.")] = None,
    monthly: Monthly = True,
    hard: Hard = True,
    warn: Percent = None,
    no_warn: NoWarn = False,
    start: From = None,
    until: To = None,
    as_json: AsJson = False,
) -> None:
    """Set the most that an organisation, a project or one of its users is to spend."""
    tree = {"organisation": organisation, "project": project, "login": login, "amount": amount, "is_hard": hard}
    told = levels(warn, (80, 100), no_warn=no_warn)
    times = {"is_monthly": monthly, "warn_percent": told, "valid_from": start, "valid_to": until}
    body = BudgetRequest.model_validate(tree | times)
    with session.client() as client:
        made = client.operator("budgets", body)
    tell(made.id, as_json=as_json)


def end_budget(budget: Id, as_json: AsJson = False) -> None:
    """End a budget now."""
    with session.client() as client:
        made = client.end_budget(budget)
    tell(made.id, as_json=as_json)


def budgets(all_: All = False, as_json: AsJson = False) -> None:
    """List the budgets of all organisations, projects and users, with their ids."""
    with session.client() as client:
        found = client.all_budgets(with_past=all_)
    if as_json:
        show.as_json(found)
    else:
        show.budgets(found.items)


def dedications(all_: All = False, as_json: AsJson = False) -> None:
    """List dedicated nodes, with their ids."""
    with session.client() as client:
        found = client.all_dedications(with_past=all_)
    if as_json:
        show.as_json(found)
    else:
        show.dedications(found.items)


def funds(project: Id, as_json: AsJson = False) -> None:
    """Show all of how a project pays and what it may spend."""
    with session.client() as client:
        found = client.paying_of(project)
    if as_json:
        show.as_json(found)
    else:
        show.paying(found)


def periods(as_json: AsJson = False) -> None:
    """List the billing periods, and what keeps them open."""
    with session.client() as client:
        found = client.periods()
    if as_json:
        show.as_json(found)
        return
    rows = [
        (one.month, one.closed_at and f"{one.closed_at:%Y-%m-%d}", one.closed_by, one.unrated) for one in found.items
    ]
    show.table(["month", "closed", "by", "unrated"], rows)


def levels(given: list[L] | None, otherwise: Sequence[L], *, no_warn: bool) -> list[L]:
    if given and no_warn:
        raise typer.BadParameter(both("--warn or --no-warn, not both.", "--warn 与 --no-warn 只能选一个。"))
    return [] if no_warn else given or list(otherwise)


def _sell(what: str, body: PackageRequest | DedicationRequest, *, as_json: bool) -> None:
    with session.client() as client:
        made = client.sell(what, body)
    tell(made.id, as_json=as_json)


VERBS = (
    package, credit, dedicate, dedications, end_dedicated, fund, funds, budget, budgets, end_budget, periods,
)  # fmt: skip
