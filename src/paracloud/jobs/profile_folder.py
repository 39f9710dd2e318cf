"""What lies in the folder of a job's profile at its centre, and how far it was read."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from paracloud.kit.errors import Invalid, NotFound
from paracloud.transports.transport import Transport
from paramon.sample.profile import LIVE, SUFFIX

NODES_MOST = 32
"""Files that one look reads."""
LARGEST_NUMBER = 1 << 50

Seen = Mapping[str, tuple[int, ...]]
"""By the name of a file: how far it was read, and what else a reader must know to go on."""


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
            "This job has no profile: it has not started, it was submitted with --no-monitor, or its node has no "
            "Python 3.9 or later.",
            "该作业没有采集数据：尚未开始运行、提交时使用了 --no-monitor，或计算节点没有 Python 3.9 及以上版本。",
        ) from None
    found = []
    for name in sorted(name for name in there if name.endswith(SUFFIX)):
        one, opened = there[name], there.get(name + LIVE)
        written_at = one.modified_at if opened is None else max(one.modified_at, opened.modified_at)
        found.append(
            Listed(name, one.size_bytes, 0 if opened is None else opened.size_bytes, opened is not None, written_at)
        )
    return found


def write_cursor(seen: Seen) -> str:
    return base64.urlsafe_b64encode(json.dumps(seen, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str, least: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """`least`: of each of a file's numbers. Invalid for what is no cursor."""
    if not text:
        return {}
    try:
        told = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = {str(name): tuple(map(int, numbers)) for name, numbers in told.items()}
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        found = {"": ()}
    if not all(_is_within(numbers, least) for numbers in found.values()):
        raise Invalid(
            "since: give the cursor of the answer before, as it was.",
            "since：请原样传回上次应答的 cursor。",
            field="since",
        )
    return found


def _is_within(numbers: tuple[int, ...], least: tuple[int, ...]) -> bool:
    return len(numbers) == len(least) and all(
        low <= one <= LARGEST_NUMBER for low, one in zip(least, numbers, strict=True)
    )
