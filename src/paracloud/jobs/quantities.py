"""Slurm's ways to write a number, a duration and a size, read strictly and within sane bounds."""

import re
from datetime import timedelta
from math import prod

from paracloud.kit.errors import Invalid

WALL_MOST = timedelta(days=366)
MEMORY_MOST_BYTES = 1 << 50
_MIB = 1 << 20
_UNIT_BYTES = {"K": 1 << 10, "": 1 << 20, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_DAYS = re.compile(r"([0-9]{1,6})-([0-9]{1,6})(?::([0-9]{1,6}))?(?::([0-9]{1,6}))?")
_CLOCK = re.compile(r"([0-9]{1,9})(?::([0-9]{1,6}))?(?::([0-9]{1,6}))?")
_SIZE = re.compile(r"([0-9]{1,15})([KMGT]?)B?", re.IGNORECASE)

_SPANS = r"\[[0-9]{1,9}(?:-[0-9]{1,9})?(?:,[0-9]{1,9}(?:-[0-9]{1,9})?)*\]"
_NAMED = rf"(?:[A-Za-z0-9_.-]|{_SPANS})+"
_HOST, _HOSTS, _GROUP = re.compile(_NAMED), re.compile(rf"{_NAMED}(?:,{_NAMED})*,?"), re.compile(r"\[([^\]]*)\]")


def count(option: str, text: str, *, most: int, least: int = 1) -> int:
    """A whole number; sbatch takes no suffix here either."""
    if re.fullmatch(r"[0-9]{1,12}", text) and least <= int(text) <= most:
        return int(text)
    raise Invalid(
        f"--{option} must be a whole number from {least} to {most}, not {_shown(text)}.",
        f"--{option} 必须是 {least} 到 {most} 的整数，而不是 {_shown(text)}。",
        field=option,
    )


def wall(option: str, text: str) -> timedelta:
    """minutes, mm:ss, hh:mm:ss, d-hh, d-hh:mm, d-hh:mm:ss (man sbatch, --time); a started minute counts as a whole one,
    as for Slurm. No limit at all is refused: the most that a job can cost must be known."""
    if (found := _DAYS.fullmatch(text)) is not None:
        parts = [found[1], found[2], found[3], found[4]]
    elif (found := _CLOCK.fullmatch(text)) is not None:
        parts = ["0", *found.groups()] if found[3] is not None else ["0", "0", found[1], found[2]]
    else:
        raise _bad_wall(option, text)
    days, hours, minutes, seconds = (int(part or 0) for part in parts)
    limit = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    limit = timedelta(minutes=-(-limit // timedelta(minutes=1)))
    if not timedelta(0) < limit <= WALL_MOST:
        raise _bad_wall(option, text)
    return limit


def memory_bytes(option: str, text: str) -> int:
    """A whole number and K, M, G or T; mebibytes without a letter. A begun mebibyte counts as a whole one, as it is
    what every scheduler is told: what a job is held for is what its script asks for."""
    found = _SIZE.fullmatch(text)
    size = int(found[1]) * _UNIT_BYTES[found[2].upper()] if found else 0
    size = -(-size // _MIB) * _MIB
    if not 0 < size <= MEMORY_MOST_BYTES:
        raise Invalid(
            f"--{option} must be memory such as 500M or 4G, above 0 and at most 1024T, not {_shown(text)}.",
            f"--{option} 必须是内存大小，例如 500M 或 4G，大于 0 且不超过 1024T，而不是 {_shown(text)}。",
            field=option,
        )
    return size


def hosts(option: str, text: str) -> int:
    """How many nodes a host list names, such as n1,n[02-05,7]; a file of names is refused, as only the centre has it.
    A node that is named twice counts twice."""
    if not _HOSTS.fullmatch(text):
        raise _bad_hosts(option, text)
    found = 0
    for name in _HOST.finditer(text):
        found += prod(sum(_width(option, one) for one in group.split(",")) for group in _GROUP.findall(name[0]))
    return found


def _width(option: str, span: str) -> int:
    first, dash, last = span.partition("-")
    if dash and int(last) < int(first):
        raise _bad_hosts(option, span)
    return int(last) - int(first) + 1 if dash else 1


def _bad_hosts(option: str, text: str) -> Invalid:
    return Invalid(
        f"--{option} must be a nodelist such as n1,n[02-05,7], not {_shown(text)}.",
        f"--{option} 必须是节点列表，例如 n1,n[02-05,7]，而不是 {_shown(text)}。",
        field=option,
    )


def _bad_wall(option: str, text: str) -> Invalid:
    return Invalid(
        f"--{option} must be a time such as 30 (minutes), 1:30:00 or 2-12:00, above 0 and at most 366 days, "
        f"not {_shown(text)}.",
        f"--{option} 必须是时间，例如 30（分钟）、1:30:00 或 2-12:00，大于 0 且不超过 366 天，而不是 {_shown(text)}。",
        field=option,
    )


def _shown(text: str) -> str:
    return ascii(text[:40])
