"""submit, quote: what is asked of the grid."""

import re
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import inputs, session, show
from paracloud.cli.jobs import AsJson, Project, end, until_final
from paracloud.cli.quotes import show_quote
from paracloud.cli.reading import read_text
from paracloud.cli.wishes import (
    Application,
    Deadline,
    MaxCost,
    MaxWait,
    Objective,
    Region,
    Residency,
    Trust,
    Wishes,
    wishes,
)
from paracloud.cli.words import both, plain, say
from paracloud.client.client import Client
from paracloud.client.errors import ApiError
from paracloud.wire.jobs import AcceptedBatch, AcceptedModel, InputModel, JobRequest

Script = Annotated[Path | None, typer.Argument(help="An sbatch script, as it is.")]
Scripts = Annotated[list[Path] | None, typer.Argument(help="Sbatch scripts, as they are.")]
Command = Annotated[str | None, typer.Option("--command", help="Instead of a script: one command line.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", "-o", help="An sbatch option, NAME=VALUE; wins over the script.")
]
Inputs = Annotated[list[str] | None, typer.Option("--input", "-i", help="PATH or PATH:DESTINATION to bring along.")]
Centre = Annotated[str | None, typer.Option(help="Only this centre.")]


def submit(  # a command line's options
    scripts: Scripts = None,
    command: Command = None,
    project: Project = None,
    option: Options = None,
    input_: Inputs = None,
    centre: Centre = None,
    objective: Objective = None,
    deadline: Deadline = None,
    region: Region = None,
    residency: Residency = None,
    application: Application = None,
    trust: Trust = 0,
    max_cost: MaxCost = None,
    max_wait: MaxWait = None,
    no_monitor: Annotated[bool, typer.Option("--no-monitor", help="Run it without the collector beside it.")] = False,
    no_move: Annotated[bool, typer.Option("--no-move", help="Never change its centre, however long it waits.")] = False,
    wait_: Annotated[bool, typer.Option("--wait", help="Wait for its end.")] = False,
    fetch: Annotated[
        Path | None,
        typer.Option(help="Wait, then bring the results to this folder; of several jobs, each to one named by its id."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Submit a job, or several: all of them or, where one is refused, none."""
    wanted = wishes(
        objective, deadline, region=region, residency=residency, application=application, trust=trust,
        max_cost=max_cost, max_wait=max_wait,
    )  # fmt: skip
    with session.client() as client:
        each: list[Path | None] = [*scripts] if scripts else [None]
        bare = [_request(client, one, command, project, option, [], centre, wanted) for one in each]
        sent = inputs.upload(client, bare[0].project, input_ or [])
        said = {"inputs": sent, "movable": not no_move, "monitored": not no_monitor}
        asked = [one.model_copy(update=said) for one in bare]
        accepted = [client.submit(asked[0])] if len(asked) == 1 else _all(client, asked, each)
        _tell(accepted, as_json=as_json)
        if as_json and not (wait_ or fetch):
            show.as_json(accepted[0] if len(accepted) == 1 else AcceptedBatch(items=accepted))
        if wait_ or fetch:
            done = [until_final(client, one.id) for one in accepted]
            if fetch:
                _fetch(client, accepted, fetch)
            end(done, as_json=as_json)


def _all(client: Client, asked: list[JobRequest], scripts: list[Path | None]) -> list[AcceptedModel]:
    """A refusal names the script, too."""
    try:
        return client.submit_all(asked)
    except ApiError as refusal:
        if found := re.match(r"jobs\[(\d+)\]", refusal.en):
            script = scripts[int(found[1])]
            refusal.en, refusal.zh = f"{script}: {refusal.en}", f"{script}：{refusal.zh}"
        raise


def _tell(accepted: list[AcceptedModel], *, as_json: bool) -> None:
    for one in accepted:
        for notice in one.notices:
            show.errors.print(plain(say(notice.en, notice.zh)), style="yellow")
        if not as_json:
            show.console.print(f"{one.id}  {plain(say(one.why_en, one.why_zh))}")


def _fetch(client: Client, accepted: list[AcceptedModel], target: Path) -> None:
    places = {one.id: target if len(accepted) == 1 else target / str(one.id) for one in accepted}
    count = sum(inputs.fetch(client, job, place) for job, place in places.items())
    show.errors.print(say(f"Files in {target}: {count}", f"已取回 {count} 个文件到 {target}"))


def quote(
    script: Script = None,
    command: Command = None,
    project: Project = None,
    option: Options = None,
    input_: Inputs = None,
    centre: Centre = None,
    objective: Objective = None,
    deadline: Deadline = None,
    region: Region = None,
    residency: Residency = None,
    application: Application = None,
    trust: Trust = 0,
    max_cost: MaxCost = None,
    max_wait: MaxWait = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Continue after this place.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show where a job could run, the best places first, what it can cost there at most, and what is expected of it;
    then why others are out."""
    wanted = wishes(
        objective, deadline, region=region, residency=residency, application=application, trust=trust,
        max_cost=max_cost, max_wait=max_wait,
    )  # fmt: skip
    with session.client() as client:
        asked = _request(client, script, command, project, option, inputs.described(input_ or []), centre, wanted)
        found = client.quote(asked, limit=limit, **({} if cursor is None else {"cursor": cursor}))
    if as_json:
        show.as_json(found)
    else:
        show_quote(found)


def _request(
    client: Client,
    script: Path | None,
    command: str | None,
    project: UUID | None,
    options: list[str] | None,
    files: list[InputModel],
    centre: str | None,
    wanted: Wishes,
) -> JobRequest:
    if (script is None) == (command is None):
        raise typer.BadParameter(both("Give a script or --command, not both.", "请提供脚本或 --command 之一。"))
    text = read_text(script) if script else f"#!/bin/bash\n{command}\n"
    payer = project or only_project(client)
    return JobRequest(
        project=payer,
        script=text,
        options=dict(_pair(one) for one in options or []),
        name=(script.name if script else "command")[:200],
        centre=centre,
        objective=wanted.objective,
        constraints=wanted.constraints,
        inputs=files,
    )


def only_project(client: Client) -> UUID:
    projects = client.whoami().projects
    if not projects:
        raise typer.BadParameter(
            both(
                "You are in no project yet: ask the owner of one, or the operator, to let you in.",
                "您尚未加入任何课题组：请联系课题组负责人或平台运营方。",
            )
        )
    if len(projects) != 1:
        names = ", ".join(f"{one.name} ({one.id})" for one in projects)
        raise typer.BadParameter(
            plain(both(f"Name the project that pays: {names}.", f"请用 --project 指定课题组：{names}。"))
        )
    return projects[0].id


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.lstrip("-"), value
