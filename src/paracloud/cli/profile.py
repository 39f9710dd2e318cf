"""profile: what a job does, or did, as its collector saw it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.ids import Job
from paracloud.cli.jobs import AsJson
from paracloud.cli.words import both, is_chinese, say
from paracloud.client.client import Client
from paracloud.client.errors import ApiError
from paracloud.client.profile_copy import ProfileCopy
from paracloud.wire.jobs import JobDetailModel
from paramon.sample.errors import Damaged
from paramon.show.command import show as show_profile
from paramon.top.command import Wanted, look_on
from paramon.top.reel import Reel

LOOK_SECONDS = 1.0
PASSING = {0, 404, 409, 502, 503}
"""Of a job that goes on: it has not begun, or nobody answers just now."""


def profile(
    job: Job,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Look on as it runs, or back when it has ended: h tells the keys.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option(help="Keep it in this new folder: `paramon show`, `top` and `export` open it.")
    ] = None,
    task: Annotated[int | None, typer.Option(help="Of an array: which task.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a job used: its nodes, MPI ranks and processes, and how far that is known; -f while it runs."""
    with session.client() as client, _folder(save) as folder:
        copy = ProfileCopy(client, job, folder, task=task)
        if follow and not as_json:
            found = _looked(client, job, copy, folder)
        else:
            found = _keep_up(client, job, copy, Event()) if follow else _look_once(client, job, copy)
            _shown(folder, as_json=as_json)
    if found is not None and not as_json:
        _told_end(found, task)
    if save is not None and not as_json:
        show.console.print(say(f"Kept in {save}.", f"已保存到 {save}。"), markup=False, soft_wrap=True)


@contextmanager
def _folder(save: Path | None) -> Iterator[Path]:
    if save is None:
        with TemporaryDirectory(prefix="paracloud-") as name:
            yield Path(name)
        return
    save.mkdir(parents=True, exist_ok=True)
    if any(save.iterdir()):
        raise typer.BadParameter(
            both(f"{save} is not empty: name a new folder.", f"{save} 不为空：请指定一个新目录。"), param_hint="--save"
        )
    yield save


def _keep_up(client: Client, job: UUID, copy: ProfileCopy, enough: Event) -> JobDetailModel | None:
    """Until the job has ended, or it is enough. The job as it was last."""
    found, is_final, pause = None, False, 0.0
    while not is_final and not enough.wait(pause):
        pause = LOOK_SECONDS
        try:
            found = client.job(job)  # before the look: what it left is there
            is_final = found.job.is_final
            copy.look()
            if is_final:
                copy.close()
        except ApiError as error:
            if is_final or error.status not in PASSING:
                raise
    return found


def _look_once(client: Client, job: UUID, copy: ProfileCopy) -> JobDetailModel:
    found = client.job(job)  # before the look, as above
    copy.look()
    if found.job.is_final:
        copy.close()
    return found


def _looked(client: Client, job: UUID, copy: ProfileCopy, folder: Path) -> JobDetailModel | None:
    """What comes is fetched beside the screen, so that no key waits for the server."""
    enough = Event()
    with ThreadPoolExecutor(1) as beside:
        fetching = beside.submit(_keep_up, client, job, copy, enough)
        try:
            code = look_on(Wanted(str(folder), is_chinese=is_chinese()), Reel(str(folder)), lambda: not fetching.done())
        finally:
            enough.set()
    found = fetching.result()
    if code:
        raise typer.Exit(code)
    return found


def _told_end(found: JobDetailModel, task: int | None) -> None:
    """As the platform knows it: a profile may have no end, as where Grid Engine kills what a script leaves behind."""
    ended = next((one for one in found.tasks if one.task_index == task), None)
    if ended is not None or found.job.is_final:
        show.ending(ended or found.job)


def _shown(folder: Path, *, as_json: bool) -> None:
    try:
        show_profile(str(folder), is_json=as_json, is_chinese=is_chinese())
    except Damaged:
        raise ApiError(
            404,
            "not_found",
            "Nothing has been written of this job yet: ask again in some seconds.",
            "该作业尚无采集数据写出：请稍后再试。",
        ) from None
