"""Times and spans as sacct prints them in a log."""

from collections.abc import Mapping
from datetime import UTC, datetime

from paracloud.dialects.slurm.text import wall
from paracloud.dialects.text import count, few, instant

_TIME_LENGTH = len("2026-06-01T08:00:00")
_FIRST_YEAR, _LAST_YEAR = 1970, 2242


def elapsed_of(value: Mapping[str, str], started: datetime, ended: datetime) -> int:
    """More than from start to end is no run of this job: it would be charged, though no report of days shows it."""
    span = max(int((ended - started).total_seconds()), 0)
    text = value.get("ElapsedRaw") or value.get("Elapsed")
    if not text:
        return span
    seconds = few(text) if value.get("ElapsedRaw") else _seconds(text)
    if seconds > span:
        raise ValueError(
            f"its elapsed time {text[:40]!r} is longer than from start to end (write the log with TZ=UTC: local times "
            "repeat an hour in autumn)",
            f"其运行时长 {text[:40]!r} 超过从开始到结束的时间（请以 TZ=UTC 导出日志：秋季当地时间会重复一小时）",
        )
    return seconds


def _seconds(text: str) -> int:
    elapsed = wall(text)
    if elapsed is None:
        raise ValueError(f"{text[:40]!r} is no elapsed time", f"{text[:40]!r} 不是有效的运行时长")
    return few(str(elapsed.days * 86400 + elapsed.seconds))


def time_of(text: str) -> datetime:
    """As sacct prints it, with a zone of its own or without; or seconds since 1970 (SLURM_TIME_FORMAT=%s)."""
    try:
        # The plain form is nearly every one of them: made UTC as it is read, in half the time.
        found = datetime.fromisoformat(text + "Z") if len(text) == _TIME_LENGTH else _rare_time(text)
        if _FIRST_YEAR <= found.year <= _LAST_YEAR:
            return found
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{text[:40]!r} is no time", f"{text[:40]!r} 不是有效的时间")


def _rare_time(text: str) -> datetime:
    if text.isdigit():
        return instant(count(text))
    if len(text) < _TIME_LENGTH:
        raise ValueError("cut, or a day alone")
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
