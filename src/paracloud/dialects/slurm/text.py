"""Slurm's small notations, read strictly: times, sizes, trackable resources; and text made safe to show."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from paracloud.dialects.text import count, instant, printable
from paracloud.kit.identifiers import UnixAccount

_NO_TIME = frozenset({"", "Unknown", "None", "N/A", "NONE", "(null)"})
_WALL = re.compile(r"(?:(\d{1,6})-)?(\d{1,9})(?::(\d{1,2}))?(?::(\d{1,2}))?", re.ASCII)
_SIZE = re.compile(r"(\d{1,15})(?:\.(\d{1,6}))? ?([KMGTP]?)(?:i?B)?[nc]?", re.ASCII | re.IGNORECASE)
_COUNT = re.compile(r"(\d{1,18})(?:(?:\.(\d{1,6}))?([KMGTP]))?", re.ASCII)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}
_UNIT_BYTES = {"K": 1 << 10, "": 1 << 20, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}


def account_name(text: str) -> UnixAccount:
    """ValueError for what would have to be changed to be shown: whose an account is, is decided by its very name."""
    if text != printable(text, 64):
        raise ValueError(f"{text[:40]!r} is no account")
    return UnixAccount(text)


def epoch(text: str) -> datetime | None:
    """A time printed with SLURM_TIME_FORMAT=%s. None: it has not happened. ValueError for anything else."""
    if text in _NO_TIME:
        return None
    return instant(count(text))


def wall(text: str) -> timedelta | None:
    """A limit such as 2-00:00:00, 30:00 (minutes and seconds) or 90 (minutes), man sbatch --time. None: no limit."""
    if text.upper() in {"UNLIMITED", "INFINITE", "PARTITION_LIMIT", "NOT_SET"} or text in _NO_TIME:
        return None
    match = _WALL.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:40]!r} is no time limit")
    days, first, second, third = match.groups()
    if days is not None:
        return timedelta(days=int(days), hours=int(first), minutes=int(second or 0), seconds=int(third or 0))
    if third is not None:
        return timedelta(hours=int(first), minutes=int(second), seconds=int(third))
    return timedelta(minutes=int(first), seconds=int(second or 0))


def wall_text(limit: timedelta) -> str:
    """Written with days, the one form that cannot be misread; a started second counts as a whole one."""
    seconds = -(-limit // timedelta(seconds=1))
    days, seconds = divmod(seconds, 86400)
    return f"{days}-{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def size_bytes(text: str) -> int:
    """Memory as Slurm writes it: 2000M, 62.50G; a bare number is mebibytes."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:40]!r} is no size")
    return _scaled(match, _UNIT_BYTES)


def number(text: str) -> int:
    """A count as Slurm writes it: 3; without --noconvert also 2K, which is 2048."""
    match = _COUNT.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:40]!r} is no whole number")
    return _scaled(match, _UNITS)


def _scaled(match: re.Match[str], units: Mapping[str, int]) -> int:
    whole, decimals, unit = match[1], match[2] or "", (match[3] or "").upper()
    size = int(whole + decimals) * units[unit] // int(10 ** len(decimals))
    if size >= 1 << 63:
        raise ValueError(f"{match[0]!r} is more than any machine has")
    return size


def resources(text: str) -> dict[str, str]:
    """Trackable resources such as cpu=2,mem=2000M,node=1,gres/gpu:a100=2."""
    pairs = [item.partition("=") for item in text.split(",") if item and item != "(null)"]
    if any(not equals for _, equals, _ in pairs):
        raise ValueError(f"{text[:80]!r} are no resources")
    return {name: value for name, _, value in pairs}


def gpus_in_gres(text: str) -> dict[str, int]:
    """Model and number of GPUs in a node's generic resources, such as gpu:a100:4(S:0-1) or gpu:a100:2(IDX:0-1),nic:1.
    A model that the centre does not name is the empty string."""
    found: dict[str, int] = {}
    for item in re.sub(r"\([^()]*\)", "", text).split(","):
        kind, *rest = item.split(":")
        if kind != "gpu":
            continue
        number = count(rest.pop()) if rest and rest[-1].isdigit() else 1
        model = rest[0] if rest else ""
        found[model] = found.get(model, 0) + number
    return found
