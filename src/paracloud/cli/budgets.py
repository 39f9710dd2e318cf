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
from paracloud.client.errors import ApiError
from paracloud.wire.paying import UsersBudgetRequest

app = typer.Typer(no_args_is_help=True, help="Budgets of a project and its users.")
ABSENT = 404


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
    """End a budget that an owner of the project has set, now; without --project it is looked for in those you own."""
    with session.client() as client:
        tell(_end(client, budget, project), as_json=as_json)


def _end(client: Client, budget: UUID, project: UUID | None) -> str:
    """A budget is one project's: of the others the server knows nothing of it."""
    owned = [one.id for one in client.whoami().projects if one.role == "owner"] if project is None else []
    for one in owned[:-1]:
        try:
            return client.end_users_budget(one, budget).id
        except ApiError as refused:
            if refused.status != ABSENT:
                raise
    last = owned[-1] if owned else _of(client, project)
    return client.end_users_budget(last, budget).id


def _of(client: Client, project: UUID | None) -> UUID:
    return project or only_project(client)
