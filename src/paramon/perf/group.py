"""Counters that are counted together: they share the processor's few registers, or wait for them, as one.

The kernel lets groups take turns where there are more than registers. What each would have counted all the time is then
an estimate, and known to be one by how long it ran.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import NamedTuple

from paramon.perf.call import ENABLED_TIME, GROUP, RUNNING_TIME, Event, Scope, attributes, open_event
from paramon.perf.derive import scaled

TRIES = 20
"""Of a read: of one program that did nothing but start others, 2 in 1000 failed, 4 at most one after the other."""


class Counted(NamedTuple):
    """`values` in the order of the events, as if all had run all the time. `enabled_ns`, `running_ns`: how long they
    were to run, and did."""

    values: tuple[int, ...]
    enabled_ns: int
    running_ns: int

    @property
    def never_ran(self) -> bool:
        """Nobody knows its values: it waited for registers all the time."""
        return self.enabled_ns > 0 and self.running_ns <= 0


class Group:
    """Events of one thread, or of one CPU."""

    def __init__(self, events: Sequence[Event], scope: Scope, flags: int) -> None:
        """As `open_event`; nothing stays open where one of them cannot be had. With INHERIT, children of the thread
        count too: those that are started from now on."""
        self._files: list[int] = []
        self._last = Counted((0,) * len(events), 0, 0)
        self._format = struct.Struct(f"={3 + len(events)}Q")
        for event in events:
            described = attributes(event, flags, GROUP | ENABLED_TIME | RUNNING_TIME)
            try:
                self._files.append(open_event(described, scope, self._files[0] if self._files else -1))
            except BaseException:
                self.close()
                raise

    def read(self) -> Counted:
        """Since it was made. Before it ran for the first time, and while it is not let run any more, as at the last
        time."""
        told = self._told()
        if not told:
            return self._last
        _, enabled, running, *counts = self._format.unpack(told)
        values = [scaled(count, enabled, running) for count in counts]
        last = self._last.values
        # An estimate may fall where a counter would not.
        grown = tuple(old if new is None else max(new, old) for new, old in zip(values, last))
        self._last = Counted(grown, enabled, running)
        return self._last

    def _told(self) -> bytes:
        """Empty where one that is just ending, and counts too, keeps being in the way: of its group a part is gone."""
        for _ in range(TRIES):
            try:
                return os.read(self._files[0], self._format.size)
            except ChildProcessError:
                continue
        return b""

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files = []
