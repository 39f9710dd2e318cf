"""Ids on the command line: as they are shown, 36 characters, or refused in the user's language."""

from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli.words import both, plain

EXAMPLE = "0197f3c2-5d1e-7a40-9c3b-2f6d8e1a4b57"


def an_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(
            plain(
                both(
                    f"{text[:80]} is no id; an id has 36 characters, such as {EXAMPLE}.",
                    f"{text[:80]} 不是编号；编号为 36 个字符，如 {EXAMPLE}。",
                )
            )
        ) from None


Job = Annotated[UUID, typer.Argument(parser=an_id, metavar="JOB")]
Id = Annotated[UUID, typer.Argument(parser=an_id)]
