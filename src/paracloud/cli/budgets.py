"""budget: what an owner of a project lets its users spend, and what limits oneself."""

from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.admin import tell
from paracloud.cli.ids import Id
from paracloud.cli.jobs import AsJson, Project
from paracloud.cli.paying import Hard, Monthly, NoWarn, Percent, levels
from paracloud.cli.submission import only_project
from paracloud.cli.tariffs import From, To
from paracloud.client.client import Client
from paracloud.wire.paying import UsersBudgetRequest

app = typer.Typer(no_args_is_help=True, help="Budgets of a project and its users.")


@app.command("set")
def set_(  # a command line's options
    login: Annotated[str, typer.Argument(help="A user of the project.")],
    amount: Annotated[str, typer.Argument(help="Yuan.")],
    project: Project = None,
    monthly: Monthly = True,
    hard: Hard = True,
    warn: Percent = None,
    no_warn: NoWarn = False,
    start: From = None,
    until: To = None,
    as_json: AsJson = False,
) -> None:
    """Set the most that a user of the project is to spend; for its owners."""
    tree = {"login": login, "amount": amount, "is_monthly": monthly, "is_hard": hard}
    more = {"warn_percent": levels(warn, (80, 100), no_warn=no_warn), "valid_from": start, "valid_to": until}
    body = UsersBudgetRequest.model_validate(tree | more)
    with session.client() as client:
        made = client.set_users_budget(_of(client, project), body)
    tell(made.id, as_json=as_json)


@app.command("list")
def list_(project: Project = None, as_json: AsJson = False) -> None:
    """List what limits the project: your own budget, or every user's for an owner, with what is spent of it."""
    with session.client() as client:
        found = client.budgets(_of(client, project))
    if as_json:
        show.as_json(found)
    else:
        show.budgets(found.items)


@app.command()
def end(budget: Id, project: Project = None, as_json: AsJson = False) -> None:
    """End a budget that an owner of the project has set, now."""
    with session.client() as client:
        made = client.end_users_budget(_of(client, project), budget)
    tell(made.id, as_json=as_json)


def _of(client: Client, project: UUID | None) -> UUID:
    return project or only_project(client)
