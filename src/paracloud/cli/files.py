"""ls: what lies in a job's work directory."""

from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.jobs import AsJson


def ls(
    job: UUID,
    path: Annotated[str, typer.Argument(help="A folder below the work directory.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the files of a job's work directory."""
    with session.client() as client:
        found = client.files(job, path)
    if as_json:
        show.as_json(found)
        return
    rows = [
        (one.name + "/" * one.is_directory, one.size_bytes, f"{one.modified_at:%Y-%m-%d %H:%M:%S}")
        for one in found.items
    ]
    show.table(["name", "size", "at"], rows)
