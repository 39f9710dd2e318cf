"""Ids on the command line: as they are shown, 36 characters, or refused in the user's language."""

from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli.words import both, plain


def an_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(
            plain(
                both(
                    f"{text[:80]} is no id; ids have 36 characters, as in `ps` and `whoami`.",
                    f"{text[:80]} 不是编号；编号为 36 个字符，可用 ps 或 whoami 查看。",
                )
            )
        ) from None


Job = Annotated[UUID, typer.Argument(parser=an_id, metavar="JOB")]
Id = Annotated[UUID, typer.Argument(parser=an_id)]
