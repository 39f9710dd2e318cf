"""ls, cp: what lies in a job's work directory."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import inputs, session, show
from paracloud.cli.ids import Job
from paracloud.cli.jobs import AsJson
from paracloud.cli.words import both


def ls(
    job: Job,
    path: Annotated[str, typer.Argument(help="A folder below the work directory.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the files of a job's work directory."""
    with session.client() as client:
        found = client.files(job, path)
    if as_json:
        show.as_json(found)
        return
    rows = [(one.name + "/" * one.is_directory, one.size_bytes, show.moment(one.modified_at)) for one in found.items]
    show.table(["name", "size", "at"], rows)


def cp(source: Annotated[str, typer.Argument(help="JOB:PATH")], target: Path, as_json: AsJson = False) -> None:
    """Copy a file of a job's work directory here."""
    text, _, path = source.partition(":")
    try:
        job = UUID(text)
        if not path:
            raise ValueError
    except ValueError:
        raise typer.BadParameter(both(f"{source}: write JOB:PATH.", f"{source}：请写成 作业编号:路径。")) from None
    with session.client() as client:
        local = target / Path(path).name if target.is_dir() else target
        inputs.save(client, job, path, local)
    if as_json:
        show.as_json({"path": str(local), "size_bytes": local.stat().st_size})
