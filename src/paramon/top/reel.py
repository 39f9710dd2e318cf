"""The profiles of a job's nodes, looked up at one moment: live or long ago, by the same code."""

from __future__ import annotations

import os
from typing import NamedTuple

from paramon.facts.moment import NodeNow, cores_by_time, node_at
from paramon.facts.running import is_being_written
from paramon.facts.runs import newest_run, without_copies
from paramon.facts.window import Window
from paramon.sample.errors import Damaged
from paramon.sample.profile import SUFFIX
from paramon.sample.tape import Tape
from paramon.text import short

HISTORY = 24
"""Looks in a small plot."""
HISTORY_MS = 70_000


class Seen(NamedTuple):
    """A node as it was. `name`: as short as tells it from the others. `busy`: part of its CPUs, by time."""

    name: str
    tape: Tape
    window: Window
    tick: int
    now: NodeNow
    busy: list[float]

    @property
    def cores(self) -> int:
        return int(self.tape.header.get("usable_cores") or self.tape.header.get("cores") or 1)

    def cores_of(self, number: int) -> list[float]:
        """Of a process, by time."""
        ticks = range(max(self.tick - HISTORY, 0), self.tick + 1)
        return cores_by_time(self.window, number, ticks, _second(self.tape))


class Reel:
    """`poll` for what is new, profiles of more nodes included. Moments are milliseconds of the clock (UTC)."""

    def __init__(self, path: str, ending: str = SUFFIX) -> None:
        """A file, or a folder in which the names of profiles end so; it may be empty yet."""
        self._path, self._ending = path, ending
        self._known: dict[str, Tape] = {}
        self.tapes: list[Tape] = []
        """Of the newest run, those that have begun."""
        self.copies: list[str] = []
        """Files of the folder that are left out because another has the same profile."""

    def poll(self) -> None:
        """OSError where nothing is there; Damaged where it is a file and no profile. In a folder such a one is left
        out."""
        is_folder = os.path.isdir(self._path)
        paths = [self._path]
        if is_folder:
            paths = [
                os.path.join(self._path, one) for one in sorted(os.listdir(self._path)) if one.endswith(self._ending)
            ]
        for path in paths:
            tape = self._known.setdefault(path, Tape(path))
            try:
                if tape.end is None:
                    tape.poll()
            except (Damaged, OSError):
                if not is_folder:
                    raise
        each, copies = without_copies([tape for tape in self._known.values() if tape.header])
        self.tapes, self.copies = newest_run(each), [tape.path for tape in copies]
        if not is_folder and not self.tapes:
            raise Damaged(f"{self._path}: this is no profile of paramon", f"{self._path}：不是 paramon 采集文件")

    @property
    def left_out(self) -> list[str]:
        """Files of the folder that are no profiles. As `poll` of the first of them where there are no others."""
        wrong = [path for path, tape in self._known.items() if not tape.header]
        if wrong and not self.tapes:
            Reel(wrong[0]).poll()
        return wrong

    @property
    def start_ms(self) -> int:
        return min((_start(tape) for tape in self.tapes), default=0)

    @property
    def end_ms(self) -> int:
        """Of what is known until now."""
        return max((_start(tape) + max(tape.last_ms, 0) for tape in self.tapes), default=0)

    @property
    def looks(self) -> int:
        """Of the last minute, at the node that was looked at most."""
        found = [tape.chunks(tape.last_ms - HISTORY_MS, tape.last_ms) for tape in self.tapes]
        return max((sum(len(one.ticks) for one in chunks) for chunks in found), default=0)

    @property
    def is_over(self) -> bool:
        return bool(self.tapes) and not any(is_being_written(one, max(one.last_ms, 0)) for one in self.tapes)

    def at(self, moment_ms: int) -> list[Seen]:
        """The nodes that had begun by then and had not ended."""
        found, names = [], short(map(_name, self.tapes))
        for tape in self.tapes:
            at = moment_ms - _start(tape)
            if at < 0 or (tape.end is not None and at > tape.last_ms + 1000 and moment_ms < self.end_ms):
                continue
            window = Window(tape.chunks(at - HISTORY_MS, at), tape.process)
            if window.ticks:
                now = node_at(window, at, tape.process, _second(tape))
                tick = max(window.tick_at(at), 0)
                found.append(Seen(names[_name(tape)], tape, window, tick, now, _busy(window, tick)))
        found.sort(key=lambda seen: seen.name)
        return found


def _name(tape: Tape) -> str:
    return str(tape.header.get("node", "?"))


def _start(tape: Tape) -> int:
    return int(tape.header.get("started_at_ms", 0))


def _second(tape: Tape) -> int:
    return int(tape.header.get("ticks_a_second", 100))


def _busy(window: Window, tick: int) -> list[float]:
    """Part of the node's CPU time that was not idle, from look to look."""
    names = [name for name in window.series() if name.startswith("cpu.") and name.endswith("_ticks")]
    if not names:
        return []
    idle = {"cpu.idle_ticks", "cpu.iowait_ticks"}
    looks = []
    for at in range(max(tick - HISTORY, 0), tick + 1):
        values = {name: window.value(name, at) or 0 for name in names}
        looks.append((sum(values.values()), sum(value for name, value in values.items() if name in idle)))
    found = []
    for (whole, rest), (whole_now, rest_now) in zip(looks, looks[1:]):
        passed = whole_now - whole
        found.append(min(max(1 - (rest_now - rest) / passed, 0.0), 1.0) if passed > 0 else 0.0)
    return found
