"""What lies in the folder of a job's profile at its centre."""

from dataclasses import dataclass
from datetime import datetime

from paracloud.jobs.request import LEAST_MEMORY_BYTES
from paracloud.kit.errors import Forbidden, Invalid, NotFound
from paracloud.transports.transport import Transport
from paramon.sample.profile import LIVE, SUFFIX

NODES_MOST = 32
"""Files that one look reads."""
UNREADABLE = (NotFound, Invalid, Forbidden)
"""Of one file among others: it has been closed or taken away since it was listed, it is a pipe, nobody may read it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """`open_bytes`: of the open minute's file, 0 where there is none; `is_open`: there is one, so the minute is not
    over, nor is its collector. `written_at`: the later of the two."""

    file: str
    size_bytes: int
    open_bytes: int
    is_open: bool
    written_at: datetime


async def list_profile(transport: Transport, folder: str) -> list[Listed]:
    """By name. NotFound where the job has no profile (yet)."""
    try:
        there = {one.name: one for one in await transport.list(folder) if not one.is_directory}
    except NotFound:
        raise NotFound(
            "This job has no profile: it has not started, it was submitted with --no-monitor, it asked for less than "
            f"{LEAST_MEMORY_BYTES >> 20} MiB, or its node has no Python 3.9 or later.",
            "该作业没有采集数据：尚未开始运行、提交时使用了 --no-monitor、"
            f"申请的内存少于 {LEAST_MEMORY_BYTES >> 20} MiB，或计算节点没有 Python 3.9 及以上版本。",
        ) from None
    found = []
    for name in sorted(name for name in there if name.endswith(SUFFIX) and _is_text(name)):
        one, opened = there[name], there.get(name + LIVE)
        written_at = one.modified_at if opened is None else max(one.modified_at, opened.modified_at)
        found.append(
            Listed(name, one.size_bytes, 0 if opened is None else opened.size_bytes, opened is not None, written_at)
        )
    return found


def _is_text(name: str) -> bool:
    """A name may be any bytes at the centre; no answer can say those that are no text."""
    return not any("\ud800" <= one <= "\udfff" for one in name)
