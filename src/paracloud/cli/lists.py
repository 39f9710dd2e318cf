"""`paracloud admin …`: what there is, with the ids that other commands ask for."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.ids import an_id
from paracloud.cli.jobs import AsJson


def organisations(as_json: AsJson = False) -> None:
    """List the organisations."""
    with session.client() as client:
        found = client.organisations()
    if as_json:
        show.as_json(found)
    else:
        show.table(["organisation", "name", "category"], [(one.id, one.name, one.category) for one in found.items])


def projects(as_json: AsJson = False) -> None:
    """List the projects, each with its organisation."""
    with session.client() as client:
        found = client.projects()
    if as_json:
        show.as_json(found)
        return
    rows = [(one.id, one.name, one.organisation_name) for one in found.items]
    show.table(["project", "name", "organisation"], rows)


def packages(
    project: Annotated[UUID | None, typer.Argument(parser=an_id, help="All projects' otherwise.")] = None,
    as_json: AsJson = False,
) -> None:
    """List packages and credits, those that expire first before."""
    with session.client() as client:
        found = client.packages(project)
    if as_json:
        show.as_json(found)
        return
    rows = [
        (one.id, one.project, one.name, one.kind, one.total, one.used, one.reserved, one.left, one.price.amount,
         _day(one.expires_at), _day(one.closed_at))
        for one in found.items
    ]  # fmt: skip
    headings = ["package", "project", "name", "kind", "total", "used", "reserved", "left", "amount", "expires"]
    show.table([*headings, "ended"], rows)


def _day(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%d %H:%M}"


VERBS = (organisations, projects, packages)
