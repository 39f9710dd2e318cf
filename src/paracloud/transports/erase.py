"""Remove by rm itself: it walks by open directories (fts, openat), so no link that is put in its way leads it out."""

import posixpath
from collections.abc import Awaitable, Callable

from paracloud.kit.command import Completed
from paracloud.kit.errors import Invalid
from paracloud.transports.failures import file_system_says, not_allowed
from paracloud.transports.quoting import checked_path

DENIED = (b"Permission denied", b"Operation not permitted")


def refuse_above_home(path: str) -> str:
    """The path as it is meant. Invalid for the home directory, the root, and whatever lies above."""
    plain = posixpath.normpath(checked_path(path))
    if plain in (".", "/", "//") or plain.split("/")[0] == "..":
        raise Invalid("That directory is never removed.", "不能删除该目录。", field="path")
    return plain


async def erase(run: Callable[[tuple[str, ...]], Awaitable[Completed]], path: str, *, tree: bool) -> None:
    """Already gone is success."""
    refuse_above_home(path)
    done = await run(("env", "LC_ALL=C", "rm", "-rf" if tree else "-f", "--", path.rstrip("/")))
    if done.exit_status == 0:
        return
    if any(denied in done.stderr for denied in DENIED):
        raise not_allowed()
    raise file_system_says(done.stderr.decode(errors="replace"))
