"""The processes of a job at this node, as they come and go."""

from __future__ import annotations

import os
from typing import Callable, NamedTuple

from paramon.owner import command_line, environment, rank_in
from paramon.sample.chunk import ChunkWriter
from paramon.sample.fields import AT
from paramon.sample.profile import Process
from paramon.sensors.process import Watched

WHOLE_EVERY = 10
"""Looks from one at everything to the next, of one process; they take turns."""
CPU = AT["user_ticks"], AT["system_ticks"]
OF_CHILDREN = AT["child_user_ticks"], AT["child_system_ticks"]


class Belongs(NamedTuple):
    """A process is the job's when it is one of `processes`, its parent is one of `parents` or the job's, or its
    environment carries `mark`."""

    processes: frozenset[int]
    parents: frozenset[int]
    mark: tuple[bytes, bytes]


class Table:
    """`look` at each tick. A process is named by its pid and its start together: pids come again."""

    def __init__(self, belongs: Belongs, root: str = "/proc", own: int | None = None) -> None:
        """`own`: the collector, which is no part of the job."""
        self._belongs, self._root = belongs, root
        self._own = os.getpid() if own is None else own
        self._ours: dict[str, tuple[int, Watched]] = {}
        self._foreign: set[str] = {str(self._own)}
        self._numbers = 0
        self._looks = 0
        self.spent = Spent()
        self.denied = 0
        """Processes of the job that must not be looked at."""

    def __len__(self) -> int:
        return len(self._ours)

    def look(self, chunk: ChunkWriter, came: Callable[[list[Process]], None], *, is_first: bool) -> None:
        """`is_first`: of a chunk, in which every process has a row."""
        self._looks += 1
        names = {name for name in os.listdir(self._root) if name.isdecimal()}
        self._foreign &= names
        for name in [name for name in self._ours if name not in names]:
            self._end(name, chunk)
        fresh = self._arrivals(names)
        if fresh:
            came(fresh)
        for name, (number, watched) in list(self._ours.items()):
            try:
                is_new = watched.look(is_whole=is_first or (self._looks + number) % WHOLE_EVERY == 0)
            except OSError:
                self._end(name, chunk)
                continue
            if is_new:
                chunk.row(number, tuple(watched.values))

    def close(self) -> None:
        for _, watched in self._ours.values():
            self.spent.last(watched, is_alive=True)
            watched.close()
        self._ours.clear()

    def _arrivals(self, names: set[str]) -> list[Process]:
        """A child has a higher number than its parent nearly always, but numbers start over: until nobody comes."""
        found: list[Process] = []
        unknown = sorted((name for name in names - self._foreign if name not in self._ours), key=int)
        while unknown:
            left = []
            for name in unknown:
                one = self._arrival(name)
                if one is None:
                    left.append(name)
                else:
                    found.append(one)
            if len(left) == len(unknown):
                break
            unknown = left
        self._foreign.update(unknown)
        return found

    def _arrival(self, name: str) -> Process | None:
        pid = int(name)
        try:
            watched = Watched(pid, self._root)
        except ProcessLookupError:
            return None
        except OSError:
            self.denied += 1
            return None
        known = environment(pid, self._root)
        belongs = self._belongs
        is_ours = pid in belongs.processes or watched.parent in belongs.parents or str(watched.parent) in self._ours
        if not is_ours and known.get(belongs.mark[0]) != belongs.mark[1]:
            watched.close()
            return None
        self._numbers += 1
        self._ours[name] = (self._numbers, watched)
        self.spent.comes(watched)
        command = command_line(pid, root=self._root)
        return Process(self._numbers, pid, watched.start_ticks, watched.parent, watched.name, command, rank_in(known))

    def _end(self, name: str, chunk: ChunkWriter) -> None:
        number, watched = self._ours.pop(name)
        self.spent.last(watched, is_alive=False)
        watched.ended()
        chunk.row(number, tuple(watched.values))
        watched.close()


class Spent:
    """CPU time that is known to be a process's, in clock ticks: its own until the last look, and that of its children
    which came and went between two looks, which it was told of when it waited for them."""

    def __init__(self) -> None:
        self._ended = 0
        self._children: dict[int, int] = {}
        """By the pid of a parent: what its children had used that were seen and have ended."""

    def comes(self, watched: Watched) -> None:
        self._children.pop(watched.pid, None)  # an earlier process's of the same number

    def last(self, watched: Watched, *, is_alive: bool) -> None:
        own = sum(watched.values[at] for at in CPU)
        told = sum(watched.values[at] for at in OF_CHILDREN)
        unseen = max(told - self._children.pop(watched.pid, 0), 0)
        self._ended += own + unseen
        if not is_alive:
            self._children[watched.parent] = self._children.get(watched.parent, 0) + own + told

    @property
    def ticks(self) -> int:
        return self._ended
