"""centres; `paracloud admin …`: what they have, and where the data of projects may be."""

from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.ids import Id
from paracloud.cli.jobs import AsJson
from paracloud.cli.words import both, say
from paracloud.wire.drained import DrainedModel
from paracloud.wire.grid import CentreModel
from paracloud.wire.provision import ProvisionRequest, ResidencyRequest

Megabytes = Annotated[float | None, typer.Option(min=0.000001, help="How many megabytes come there in a second.")]


def centres(as_json: AsJson = False) -> None:
    """Show the centres: whether they answer, their published command budgets, and what they have."""
    with session.client() as client:
        found = client.centres()
    if as_json:
        show.as_json(found)
        return
    rows = [(c.name, say(c.title_en, c.title_zh), c.is_well, _trouble(c), c.commands_per_minute) for c in found.items]
    show.table(["centre", "name", "well", "reason", "budget/min"], rows)
    has = [
        (c.name, c.region or None, c.trust, _listed(c.applications), _listed(c.licences), _speed(c.bytes_per_second))
        for c in found.items
    ]
    show.table(["centre", "region", "trust", "applications", "licences", "MB/s"], has)


def provide(
    centre: str,
    application: Annotated[
        list[str] | None, typer.Option(help="It has this one; all that it has, not one more.")
    ] = None,
    licence: Annotated[list[str] | None, typer.Option(help="It has this one; all that it has.")] = None,
    no_applications: Annotated[bool, typer.Option("--no-applications", help="It has none that is known.")] = False,
    no_licences: Annotated[bool, typer.Option("--no-licences", help="It has none at all.")] = False,
    trust: Annotated[int | None, typer.Option(min=0, max=5, help="The level that jobs can ask for.")] = None,
    megabytes_per_second: Megabytes = None,
    as_json: AsJson = False,
) -> None:
    """Say what a centre has. What is not said stays as it was."""
    if (application and no_applications) or (licence and no_licences):
        raise typer.BadParameter(both("Some, or none: not both.", "不能既列出又声明为无。"))
    rate = None if megabytes_per_second is None else max(round(megabytes_per_second * 1_000_000), 1)
    given = {
        "applications": [] if no_applications else application,
        "licences": [] if no_licences else licence,
        "trust": trust,
        "bytes_per_second": rate,
    }
    body = ProvisionRequest.model_validate({name: value for name, value in given.items() if value is not None})
    with session.client() as client:
        found = client.provide(centre, body)
    if as_json:
        show.as_json(found)
        return
    row = (found.centre, found.trust, _listed(found.applications), _listed(found.licences))
    show.table(["centre", "trust", "applications", "licences", "MB/s"], [(*row, _speed(found.bytes_per_second))])


def drain(centre: str, as_json: AsJson = False) -> None:
    """Let a centre take no new jobs, until `resume`. What it has goes on there."""
    with session.client() as client:
        _tell_drained(client.drain(centre), as_json=as_json)


def resume(centre: str, as_json: AsJson = False) -> None:
    """Let a drained centre take jobs again."""
    with session.client() as client:
        _tell_drained(client.resume(centre), as_json=as_json)


def _tell_drained(done: DrainedModel, *, as_json: bool) -> None:
    if as_json:
        show.as_json(done)
    elif done.is_drained:
        print(say(f"{done.centre} takes no new jobs.", f"{done.centre} 暂不接收新作业。"))
    else:
        print(say(f"{done.centre} takes jobs again.", f"{done.centre} 已恢复接收作业。"))


def residency(
    project: Id,
    region: Annotated[list[str] | None, typer.Option(help="The data may be there; as `centres` shows it.")] = None,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="In any region.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say in which regions the data of a project may be: its jobs run there alone."""
    if bool(region) == anywhere:
        raise typer.BadParameter(both("Name regions, or say --anywhere.", "请用 --region 指定区域，或用 --anywhere。"))
    with session.client() as client:
        found = client.restrict_residency(project, ResidencyRequest(regions=region))
    if as_json:
        show.as_json(found)
    else:
        print(say("anywhere", "不限区域") if found.regions is None else _listed(found.regions))


def _trouble(one: CentreModel) -> str:
    if not one.is_enabled and one.is_well is not None:  # else its history alone is kept
        return say("takes no new jobs", "暂不接收新作业")
    return say(one.error_en or "", one.error_zh or "")


def _listed(names: list[str] | None) -> str | None:
    """A dash where nothing is said."""
    return None if names is None else ", ".join(names) or say("none", "无")


def _speed(bytes_per_second: int | None) -> str | None:
    return None if bytes_per_second is None else f"{bytes_per_second / 1_000_000:g}"


VERBS = (provide, drain, resume, residency)
