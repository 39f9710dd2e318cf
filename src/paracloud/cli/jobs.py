"""ps, show, logs, cancel, hold, release, wait."""

import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.ids import Job, an_id
from paracloud.cli.kinds import JOBS, kind
from paracloud.cli.words import plain
from paracloud.client.client import Client
from paracloud.client.errors import ApiError
from paracloud.wire.jobs import JobDetailModel, JobModel

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Project = Annotated[
    UUID | None,
    typer.Option(parser=an_id, envvar="PARACLOUD_PROJECT", help="Who pays; the only project you have, otherwise."),
]
POLL_SECONDS = 1.0


def ps(
    project: Project = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[UUID | None, typer.Option(parser=an_id, help="Continue after this job.")] = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first. What a scheduler says of one is cut where the terminal is too narrow: `show` has all of
    it."""
    query = {"project": project, "limit": limit, "cursor": cursor}
    with session.client() as client:
        page = client.jobs(**{key: value for key, value in query.items() if value is not None})
    if as_json:
        show.as_json(page)
        return
    show.table(
        ["job", "name", "where", "state", "charged"],
        [
            (j.id, j.name, f"{j.centre}/{j.queue}", f"{kind(j.state, JOBS)} {show.reason(j)}", j.charged.amount)
            for j in page.items
        ],
        cut="state",
    )


def show_job(job: Job, as_json: AsJson = False) -> None:
    """Show one job: where, why, what it cost, and every move."""
    with session.client() as client:
        found = client.job(job)
    if as_json:
        show.as_json(found)
    else:
        show.job(found)


def logs(
    job: Job,
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


def cancel(job: Job, as_json: AsJson = False) -> None:
    """Cancel a job."""
    _wish(job, "cancel", as_json=as_json)


def hold(job: Job, as_json: AsJson = False) -> None:
    """Keep a waiting job from starting."""
    _wish(job, "hold", as_json=as_json)


def release(job: Job, as_json: AsJson = False) -> None:
    """Let a held job start."""
    _wish(job, "release", as_json=as_json)


def wait(job: Job, as_json: AsJson = False) -> None:
    """Wait for a job's end; exit status 1 where it did not complete."""
    with session.client() as client:
        end([until_final(client, job)], as_json=as_json)


def _wish(job: UUID, wanted: str, *, as_json: bool) -> None:
    with session.client() as client:
        found = client.wish(job, wanted)
    if as_json:
        show.as_json(found)
    else:
        show.console.print(kind(found.state, JOBS))


def until_final(client: Client, job: UUID) -> JobDetailModel:
    with show.errors.status(str(job)) as status:
        while True:
            found = client.job(job)
            if found.job.is_final:
                return found
            native = plain(f"{found.job.native_state} {show.reason(found.job)}")
            status.update(f"{kind(found.job.state, JOBS)} {native}")
            time.sleep(POLL_SECONDS)


def end(done: Sequence[JobDetailModel], *, as_json: bool) -> None:
    """Show what became of them; exit status 1 where one did not complete."""
    if as_json and len(done) == 1:
        show.as_json(done[0])
    elif as_json:
        show.as_json({"items": [one.model_dump(mode="json") for one in done]})
    else:
        for one in done:
            show.job(one)
    if not all(_is_well(one.job) for one in done):
        raise typer.Exit(1)


def _is_well(job: JobModel) -> bool:
    return job.state == "completed"
