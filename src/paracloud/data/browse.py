"""Look into a job's work directory at the centre, as the tenant's own Unix account.

The path rule keeps a request inside the directory as text; what a link in it points to, the centre's own kernel
decides, for the tenant's own account.
"""

from dataclasses import dataclass
from datetime import datetime

from paracloud.data.paths import is_inside
from paracloud.kit.errors import Invalid
from paracloud.transports.transport import Transport

ENTRIES_MOST = 10_000
READ_LIMIT_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is safe to show; where `is_exact` is false it is not the whole truth, and cannot be asked for."""

    name: str
    is_exact: bool
    size_bytes: int
    is_directory: bool
    modified_at: datetime


async def list_files(transport: Transport, work_directory: str, path: str = "") -> list[Entry]:
    """By name. NotFound where there is no such directory (the job may not have begun); TooLarge past ENTRIES_MOST."""
    found = await transport.list(_within(work_directory, path), limit=ENTRIES_MOST)
    entries = [
        Entry(_shown(one.name), one.name.isprintable(), one.size_bytes, one.is_directory, one.modified_at)
        for one in found
        if one.name not in (".", "..")
    ]
    return sorted(entries, key=lambda entry: entry.name)


async def read_file(
    transport: Transport, work_directory: str, path: str, *, start: int = 0, limit_bytes: int = READ_LIMIT_BYTES
) -> bytes:
    """At most `limit_bytes` (capped at READ_LIMIT_BYTES) from byte `start` on; empty past the end."""
    if not path or start < 0 or limit_bytes < 1:
        raise Invalid(
            "Name a file, a start of 0 or more and a limit of 1 or more bytes.",
            "请指定文件名、不小于 0 的起点和不小于 1 的字节数。",
            field="path",
        )
    capped = min(limit_bytes, READ_LIMIT_BYTES)
    content = await transport.read(_within(work_directory, path), start=start, limit_bytes=capped)
    return content[:capped]


def _within(work_directory: str, path: str) -> str:
    if path and not is_inside(path):
        raise Invalid(
            "A path must be relative to the job's work directory, without '..' or control characters.",
            "路径必须是作业工作目录内的相对路径，不含 .. 和控制字符。",
            field="path",
        )
    return f"{work_directory}/{path}" if path else work_directory


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
