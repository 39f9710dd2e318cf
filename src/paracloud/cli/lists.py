"""`paracloud admin …`: what there is, with the ids that other commands ask for."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.ids import an_id
from paracloud.cli.jobs import AsJson
from paracloud.wire.lists import ContractModel


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


def contracts(as_json: AsJson = False) -> None:
    """List every contract with a centre or about one of its queues: shares, terms for the month, validity."""
    with session.client() as client:
        found = client.contracts()
    if as_json:
        show.as_json(found)
        return
    headings = ["contract", "where", "share", "owner", "tiers", "minimum", "fixed", "from", "to"]
    show.table(headings, [_contract(one) for one in found.items])


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


def _contract(one: ContractModel) -> tuple[object, ...]:
    tiers = None if one.share_tiers is None else ", ".join(f"{step.starts_at}: {step.rate}" for step in one.share_tiers)
    return (
        one.id,
        one.centre if one.queue is None else f"{one.centre}/{one.queue}",
        one.share_basis_points,
        None if one.owner is None else f"{one.owner} {one.owner_basis_points}",
        tiers,
        one.minimum.amount,
        one.fixed.amount,
        _day(one.valid_from),
        _day(one.valid_to),
    )


def _day(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%d %H:%M}"


VERBS = (organisations, projects, contracts, packages)
