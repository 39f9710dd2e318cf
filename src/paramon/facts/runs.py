"""Which of the profiles in a folder belong together: a folder may hold many runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from paramon.sample.profile import LIVE, Told
from paramon.sample.tape import Tape

T = TypeVar("T", bound=Told)


def without_copies(profiles: Sequence[T]) -> tuple[list[T], list[T]]:
    """Those that are each of another collector, and those left out: somebody copied a file, or it was shorter then, or
    it was renamed while it was written: the one that goes on after that has the end, and the sums of all."""
    longest: dict[object, T] = {}
    for one in profiles:
        known = longest.get(_collector(one))
        if known is None or _worth(one) > _worth(known):
            longest[_collector(one)] = one
    kept = set(map(id, longest.values()))
    return [one for one in profiles if id(one) in kept], [one for one in profiles if id(one) not in kept]


def newest_run(profiles: Sequence[T]) -> list[T]:
    """Those of the job that began last. Where it has no id, those of the same command that ran at the same time."""
    if not profiles:
        return []
    newest = max(profiles, key=_start_ms)
    job = newest.header.get("job")
    if job:
        return [one for one in profiles if one.header.get("job") == job]
    alike = [one for one in profiles if _command(one) == _command(newest) and not one.header.get("job")]
    found, since = [], _start_ms(newest)
    for one in sorted(alike, key=_start_ms, reverse=True):
        if one is newest or _end_ms(one) > since:
            found.append(one)
            since = _start_ms(one)
    return [one for one in profiles if one in found]


def _collector(told: Told) -> object:
    """Equal for files of the same. A profile that does not say whose it is, as the first ones, is like no other."""
    whose = [told.header.get(name) for name in ("boot", "pid", "node", "started_at_ms", "job")]
    return repr(whose) if all(whose[:2]) else told.path


def _worth(told: Told) -> tuple[bool, int]:
    """The more, the rather it is kept."""
    return told.end is not None, _size(told.path) + _size(told.path + LIVE)


def _size(path: str) -> int:
    """0 for none: an open minute's file comes and goes."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _command(told: Told) -> object:
    return told.header.get("command")


def _start_ms(told: Told) -> int:
    return int(told.header.get("started_at_ms", 0))


def _end_ms(told: Told) -> int:
    """Where no end was written: its last tick."""
    if told.end is not None:
        return _start_ms(told) + int(told.end.get("wall_ms", 0))
    return _start_ms(told) + (told if isinstance(told, Tape) else _followed(told.path)).last_ms


def _followed(path: str) -> Tape:
    found = Tape(path)
    found.poll()
    return found
