"""What every scheduler's text is read by: numbers and times read strictly, and text made safe to show."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

_Of = TypeVar("_Of")
EPOCH_LIMIT = 1 << 33
"""Seconds; the year 2242. A later time is not a time."""
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(?:(\d{1,6}):)?(\d{1,12})", re.ASCII)


def printable(text: str, limit: int = 1024) -> str:
    """The centre's text without escape codes, NUL, changes of direction and what else does not print: safe to show and
    to store, at most `limit` characters."""
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() else " " for c in cut)
    return cut.strip()


def count(text: str) -> int:
    """A whole number of at most 18 digits: what a BIGINT holds. ValueError for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(f"{text[:40]!r} is no whole number", f"{text[:40]!r} 不是有效的整数")
    return int(text)


def few(text: str) -> int:
    """A whole number of at most nine digits, such as of cores: times any span of seconds, a BIGINT still holds it."""
    if len(text) > 9:
        raise ValueError(f"{text[:40]!r} is too large a number", f"{text[:40]!r} 数值过大")
    return count(text)


def instant(seconds: int) -> datetime:
    """Of seconds since 1970. ValueError for what is no time."""
    if not 0 < seconds < EPOCH_LIMIT:
        raise ValueError(f"{seconds} is no time", f"{seconds} 不是有效的时间")
    return datetime.fromtimestamp(seconds, UTC)


def clock(text: str) -> timedelta:
    """Hours, minutes and seconds, such as 36:00:00, or seconds alone."""
    match = _CLOCK.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:40]!r} is no time span", f"{text[:40]!r} 不是有效的时长")
    first, second, last = match.groups()
    hours, minutes = (first, second) if second is not None else (None, first)
    return timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(last))


def or_none(read: Callable[[], _Of]) -> _Of | None:
    """Of a text that is known not to be understood: what can be read of it all the same."""
    try:
        return read()
    except (ValueError, LookupError):
        return None
