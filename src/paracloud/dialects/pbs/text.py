"""PBS's small notations, read strictly."""

import re
from datetime import UTC, datetime, timedelta

from paracloud.dialects.text import clock, count, instant, printable
from paracloud.kit.identifiers import UnixAccount

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (\d{4})", re.ASCII)
_SIZE = re.compile(r"(\d{1,18})(b|kb|mb|gb|tb|pb|w)?", re.IGNORECASE | re.ASCII)
_UNITS = {"": 0, "b": 0, "kb": 10, "mb": 20, "gb": 30, "tb": 40, "pb": 50, "w": 3}


def moment(text: str) -> datetime | None:
    """Seconds since 1970 (Torque's XML), or as ctime prints them, where the command ran in UTC. None: it has not
    happened."""
    if text in ("", "0"):
        return None
    if text.isdigit():
        return instant(count(text))
    found = _TIME.fullmatch(text)
    if found is None or found[1] not in _MONTHS:
        raise ValueError(f"{text[:40]!r} is no time")
    day, hour, minute, second, year = (int(part) for part in found.groups()[1:])
    return datetime(year, _MONTHS.index(found[1]) + 1, day, hour, minute, second, tzinfo=UTC)


def size_bytes(text: str) -> int:
    """Memory such as 131899992kb; a bare number is bytes."""
    found = _SIZE.fullmatch(text)
    size = int(found[1]) << _UNITS[(found[2] or "").lower()] if found else 1 << 63
    if size >= 1 << 63:
        raise ValueError(f"{text[:40]!r} is no size")
    return size


def wall(text: str) -> timedelta | None:
    """None: no limit is set."""
    return clock(text) if text else None


def wall_text(limit: timedelta) -> str:
    """Hours, minutes and seconds; a started second counts as a whole one."""
    seconds = -(-limit // timedelta(seconds=1))
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def owner(text: str) -> UnixAccount:
    """Of alice@login1. ValueError for what would have to be changed to be shown: whose a job is, is decided by it."""
    name = text.partition("@")[0]
    if not name or name != printable(name, 64):
        raise ValueError(f"{text[:40]!r} is no owner")
    return UnixAccount(name)
