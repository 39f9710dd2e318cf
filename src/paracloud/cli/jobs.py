"""submit, quote, ps, show, logs, cancel, hold, release, wait."""

import sys
import time
from codecs import getincrementaldecoder
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import inputs, session, show
from paracloud.cli.words import plain, say
from paracloud.client.client import Client
from paracloud.client.errors import ApiError
from paracloud.wire.jobs import JobDetailModel, JobModel, JobRequest

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Script = Annotated[Path | None, typer.Argument(help="An sbatch script, as it is.")]
Command = Annotated[str | None, typer.Option("--command", help="Instead of a script: one command line.")]
Project = Annotated[
    UUID | None,
    typer.Option(envvar="PARACLOUD_PROJECT", help="Who pays; the only project you have, otherwise."),
]
Options = Annotated[
    list[str] | None, typer.Option("--option", "-o", help="An sbatch option, NAME=VALUE; wins over the script.")
]
Inputs = Annotated[list[str] | None, typer.Option("--input", "-i", help="PATH or PATH:DESTINATION to bring along.")]
Centre = Annotated[str | None, typer.Option(help="Only this centre.")]
Objective = Annotated[str, typer.Option(help="cheapest or soonest.")]
POLL_SECONDS = 1.0


def submit(  # a command line's options
    script: Script = None,
    command: Command = None,
    project: Project = None,
    option: Options = None,
    input_: Inputs = None,
    centre: Centre = None,
    objective: Objective = "cheapest",
    wait_: Annotated[bool, typer.Option("--wait", help="Wait for its end.")] = False,
    fetch: Annotated[Path | None, typer.Option(help="Wait, then bring the results to this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Submit a job."""
    with session.client() as client:
        request = _request(client, script, command, project, option, input_, centre, objective)
        accepted = client.submit(request)
        for notice in accepted.notices:
            show.errors.print(plain(say(notice.en, notice.zh)), style="yellow")
        if not as_json:
            show.console.print(f"{accepted.id}  {plain(say(accepted.why_en, accepted.why_zh))}")
        if not (wait_ or fetch):
            if as_json:
                show.as_json(accepted)
            return
        done = _until_final(client, accepted.id)
        if fetch:
            count = inputs.fetch(client, accepted.id, fetch)
            show.errors.print(say(f"{count} files in {fetch}", f"已取回 {count} 个文件到 {fetch}"))
        _end(done, as_json=as_json)


def quote(
    script: Script = None,
    command: Command = None,
    project: Project = None,
    option: Options = None,
    centre: Centre = None,
    objective: Objective = "cheapest",
    as_json: AsJson = False,
) -> None:
    """Show where a job could run and what it can cost there at most."""
    with session.client() as client:
        found = client.quote(_request(client, script, command, project, option, None, centre, objective))
    if as_json:
        show.as_json(found)
        return
    show.table(
        ["centre", "queue", "most", "free"],
        [(o.centre, o.queue, f"{o.most.amount} {o.most.currency}", f"{o.free_cores}/{o.cores}") for o in found.offers],
    )
    show.table(["centre", "queue", "why not"], [(r.centre, r.queue, say(r.en, r.zh)) for r in found.rejected])


def ps(
    project: Project = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[UUID | None, typer.Option(help="Continue after this job.")] = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    query = {"project": project, "limit": limit, "cursor": cursor}
    with session.client() as client:
        page = client.jobs(**{key: value for key, value in query.items() if value is not None})
    if as_json:
        show.as_json(page)
        return
    show.table(
        ["job", "name", "centre", "queue", "state", "reason", "charged"],
        [(j.id, j.name, j.centre, j.queue, j.state, j.reason, j.charged.amount) for j in page.items],
    )


def show_job(job: UUID, as_json: AsJson = False) -> None:
    """Show one job: where, why, what it cost, and every move."""
    with session.client() as client:
        found = client.job(job)
    if as_json:
        show.as_json(found)
    else:
        show.job(found)


def logs(
    job: UUID,
    follow: Annotated[bool, typer.Option("--follow", "-f")] = False,
    stream: Annotated[str, typer.Option(help="stdout or stderr.")] = "stdout",
    task: Annotated[int | None, typer.Option(help="Of an array: which task.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a job printed; -f until it ends."""
    start, text, decoder = 0, "", getincrementaldecoder("utf-8")(errors="replace")
    with session.client() as client:
        while True:
            is_final = client.job(job).job.is_final
            chunk = _log(client, job, stream, start, task, is_final=is_final or not follow)
            start += len(chunk)
            piece = decoder.decode(chunk, final=not chunk and (is_final or not follow))
            text += piece if as_json else ""
            if not as_json:
                sys.stdout.write(plain(piece))
                sys.stdout.flush()
            if not chunk and (is_final or not follow):
                break
            if not chunk:
                time.sleep(POLL_SECONDS)
    if as_json:
        show.as_json({"job": str(job), "stream": stream, "text": text})


def _log(client: Client, job: UUID, stream: str, start: int, task: int | None, *, is_final: bool) -> bytes:
    try:
        return client.log(job, stream=stream, start=start, task=task)
    except ApiError as error:
        if error.status in (404, 409) and not is_final:
            return b""  # it has not begun to write
        raise


def cancel(job: UUID, as_json: AsJson = False) -> None:
    """Cancel a job."""
    _wish(job, "cancel", as_json=as_json)


def hold(job: UUID, as_json: AsJson = False) -> None:
    """Keep a waiting job from starting."""
    _wish(job, "hold", as_json=as_json)


def release(job: UUID, as_json: AsJson = False) -> None:
    """Let a held job start."""
    _wish(job, "release", as_json=as_json)


def wait(job: UUID, as_json: AsJson = False) -> None:
    """Wait for a job's end; exit status 1 where it did not complete."""
    with session.client() as client:
        _end(_until_final(client, job), as_json=as_json)


def _request(
    client: Client,
    script: Path | None,
    command: str | None,
    project: UUID | None,
    options: list[str] | None,
    files: list[str] | None,
    centre: str | None,
    objective: str,
) -> JobRequest:
    if (script is None) == (command is None):
        raise typer.BadParameter(say("Give a script or --command, not both.", "请提供脚本或 --command 之一。"))
    text = inputs.script_text(script) if script else f"#!/bin/bash\n{command}\n"
    payer = project or only_project(client)
    return JobRequest(
        project=payer,
        script=text,
        options=dict(_pair(one) for one in options or []),
        name=(script.name if script else "command")[:200],
        centre=centre,
        objective=objective,
        inputs=inputs.upload(client, payer, files or []),
    )


def only_project(client: Client) -> UUID:
    projects = client.whoami().projects
    if len(projects) != 1:
        names = ", ".join(f"{one.name} ({one.id})" for one in projects) or "-"
        raise typer.BadParameter(
            plain(say(f"Name the project that pays: {names}.", f"请用 --project 指定课题组：{names}。"))
        )
    return projects[0].id


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.lstrip("-"), value


def _wish(job: UUID, kind: str, *, as_json: bool) -> None:
    with session.client() as client:
        found = client.wish(job, kind)
    if as_json:
        show.as_json(found)
    else:
        show.console.print(found.state)


def _until_final(client: Client, job: UUID) -> JobDetailModel:
    with show.errors.status(str(job)) as status:
        while True:
            found = client.job(job)
            if found.job.is_final:
                return found
            status.update(f"{found.job.state} {plain(found.job.native_state)} {plain(found.job.reason)}")
            time.sleep(POLL_SECONDS)


def _end(done: JobDetailModel, *, as_json: bool) -> None:
    if as_json:
        show.as_json(done)
    else:
        show.job(done)
    if not _is_well(done.job):
        raise typer.Exit(1)


def _is_well(job: JobModel) -> bool:
    return job.state == "completed"
