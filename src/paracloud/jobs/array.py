"""Array expressions in Slurm's notation: 0-9,12,20-30:2%4."""

import re
from dataclasses import dataclass
from functools import lru_cache

from paracloud.kit.errors import Invalid, TooLarge

TASKS_MOST = 10_000
INDEX_MOST = 4_000_000
"""Slurm's own bound for MaxArraySize is 4,000,001 (man slurm.conf)."""
_PART = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7})(?::([0-9]{1,7}))?)?")
_AT_ONCE = re.compile(r"[0-9]{1,7}")


@dataclass(frozen=True, slots=True)
class Array:
    """`text` is the expression with blanks removed; `tasks` counts its different indexes."""

    text: str
    tasks: int


@lru_cache(1024)  # a job is asked for it again and again
def read_array(text: str) -> Array:
    """Invalid for what is no expression, TooLarge above TASKS_MOST tasks."""
    body, percent, at_once = text.replace(" ", "").partition("%")
    if len(text) > 10_000 or (percent and not (_AT_ONCE.fullmatch(at_once) and int(at_once))):
        raise _bad(text)
    return Array(body + percent + at_once, len(_indexes(body, text)))


def indexes(text: str) -> frozenset[int]:
    """The tasks of a checked expression."""
    return _indexes(text.partition("%")[0], text)


def unstarted_of(text: str, unstarted: str | None) -> frozenset[int]:
    """The tasks of a checked expression that a centre says never started; all of them where it says nothing that can
    be understood."""
    all_of_it = indexes(text)
    if unstarted is None:
        return all_of_it
    try:
        return all_of_it & _indexes(unstarted, unstarted)
    except (Invalid, TooLarge):
        return all_of_it


def _indexes(body: str, text: str) -> frozenset[int]:
    ranges = [_range(part, text) for part in body.split(",")]
    if sum(map(len, ranges)) > 10 * TASKS_MOST:
        raise _too_many(sum(map(len, ranges)))
    found = frozenset(index for one in ranges for index in one)
    if len(found) > TASKS_MOST:
        raise _too_many(len(found))
    return found


def _range(part: str, text: str) -> range:
    found = _PART.fullmatch(part)
    if found is None:
        raise _bad(text)
    first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
    if step == 0 or last < first or last > INDEX_MOST:
        raise _bad(text)
    return range(first, last + 1, step)


def _bad(text: str) -> Invalid:
    return Invalid(
        f"--array must be indexes such as 0-9, 1,3,7 or 0-99:2%10, from 0 to {INDEX_MOST}, not {text[:40]!a}.",
        f"--array 必须是下标，例如 0-9、1,3,7 或 0-99:2%10，范围 0 到 {INDEX_MOST}，而不是 {text[:40]!a}。",
        field="array",
    )


def _too_many(tasks: int) -> TooLarge:
    return TooLarge(
        f"--array asks for {tasks} tasks; the limit is {TASKS_MOST}: submit several arrays.",
        f"--array 共 {tasks} 个任务，上限为 {TASKS_MOST}：请拆分为多个数组作业。",
        field="array",
    )
