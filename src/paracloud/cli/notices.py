"""`paracloud notices`, `paracloud admin notices`."""

from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.jobs import AsJson, Project
from paracloud.cli.kinds import NOTICES, kind
from paracloud.cli.submission import only_project
from paracloud.cli.words import say
from paracloud.wire.notices import NoticeList


def notices(
    project: Project = None,
    after: Annotated[int, typer.Option(min=0, help="Only what has a larger number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what a project was told of its money: levels, budgets, jobs that land."""
    with session.client() as client:
        found = client.notices(project or only_project(client), after=after, limit=limit)
    _tell(found, as_json=as_json)


def operators_notices(
    after: Annotated[int, typer.Option(min=0, help="Only what has a larger number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what the operator was told: days whose books differ, dedicated nodes that lapsed."""
    with session.client() as client:
        found = client.operators_notices(after=after, limit=limit)
    _tell(found, as_json=as_json)


def _tell(found: NoticeList, *, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
        return
    show.table(
        ["id", "at", "kind", "reason"],
        [(one.id, show.moment(one.at), kind(one.kind, NOTICES), say(one.en, one.zh)) for one in found.items],
    )
