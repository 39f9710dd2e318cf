"""The processes of a job at this node, as they come and go."""

from __future__ import annotations

import os
import resource
from typing import Callable, NamedTuple

from paramon.owner import NO_RANK, began, carries, command_line, environment, has_our_host_name, rank_in
from paramon.sample.profile import Process
from paramon.sample.sink import Rows
from paramon.sensors.exits import Exits
from paramon.sensors.process import Watched
from paramon.short_lived import ShortLived
from paramon.spent import Spent
from paramon.there import Newest, there

SPARE_FILES = 64
"""Of those that may be open, so many are left to others than the processes."""


class Belongs(NamedTuple):
    """A process is the job's when it is one of `processes`, its parent is one of `parents` or the job's, or its
    environment carries `mark` and does not name another node than `here` does."""

    processes: frozenset[int]
    parents: frozenset[int]
    mark: tuple[bytes, bytes]
    others: frozenset[str] = frozenset()
    """Pids of which it is known that they are none of the job, as of those that were there before it."""
    here: tuple[bytes, bytes] = (b"", b"")
    """A variable by which the scheduler names the node of a process, and this one's name; empty where there is none."""

    @property
    def is_attached(self) -> bool:
        """To what runs already."""
        return bool(self.processes) or not self.parents


def allow_many_files() -> None:
    """Three of each process stay open, where so many may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):
        pass  # then fewer stay open


class Table:
    """`look` at each tick. A process is named by its pid and its start together: pids come again."""

    def __init__(
        self, belongs: Belongs, root: str = "/proc", own: int | None = None, exits: Exits | None = None
    ) -> None:
        """`own`: the collector, which is no part of the job. `exits`: closed by the table."""
        self._belongs, self._root = belongs, root
        self._ours: dict[str, tuple[int, Watched]] = {}
        self._there = there(root)
        left_out = {str(os.getpid() if own is None else own), *belongs.others}
        self._foreign = {name: inode for name, inode in self._there.items() if name in left_out}
        """By name, as those that are there."""
        self._asked: dict[str, int] = {}
        """Once. One that was between fork(2) and execve(2) has another environment now, so it is asked again."""
        self._newest = Newest(root)
        self._numbers = 0
        self._looks = 0
        self.spent = Spent()
        self._short = None if exits is None else ShortLived(exits, self.spent)
        self.denied = 0
        """Processes that must not be looked at, so that nobody knows whose they are."""
        self._denied: dict[str, int] = {}
        self._ranks: dict[int, int] = {}
        """By number: of one that has ended there is no environment."""

    def __len__(self) -> int:
        return len(self._ours)

    def look(self, chunk: Rows, came: Callable[[list[Process]], None], *, is_first: bool) -> None:
        """`is_first`: of a chunk, in which every process has a row."""
        self._looks += 1
        is_listed = self._newest.may_be_another()
        if is_listed:
            self._there = there(self._root)
        if self._short is not None:
            self._short.drain()  # after the list: of who is missing in it, all is told
            self._short.settle(self._ours, self._there, self._belongs.parents)
        if is_listed:
            self._compare(chunk, came)
        self._look_at_each(chunk, came, is_first=is_first)
        self.spent.looked()
        if self._short is not None:
            self._short.points(chunk, is_first=is_first)

    def _compare(self, chunk: Rows, came: Callable[[list[Process]], None]) -> None:
        """Those that are there now with those that were."""
        # They came after their parents, and are counted before them.
        for name in [name for name in reversed(self._ours) if name not in self._there]:
            self._end(name, chunk)
        fresh = self._arrivals()
        if fresh:
            came(fresh)

    def _look_at_each(self, chunk: Rows, came: Callable[[list[Process]], None], *, is_first: bool) -> None:
        ended, renamed = False, []
        # Children came after their parents, and are looked at before them: what one that has ended read and wrote is
        # its parent's by now.
        for name, (number, watched) in reversed(list(self._ours.items())):
            try:
                if not watched.look() and not is_first:
                    continue
            except (ProcessLookupError, FileNotFoundError):
                self._end(name, chunk)
                ended = True
                continue
            except OSError:
                continue  # no file can be opened just now
            chunk.row(number, tuple(watched.values))
            if watched.is_another_program:
                renamed.append(self._told(number, watched))
        if renamed:
            came(renamed)
        if ended:
            self._newest.forget()  # its number may be another's already

    def leave_out(self, pid: int) -> None:
        """One that the collector has just started: until it has become another program, it carries what that does."""
        inode = there(self._root).get(str(pid))
        if inode is not None:
            self._foreign[str(pid)] = inode

    def has_living(self) -> bool:
        return any(began(int(name)) for name in self._ours)

    def commands(self) -> list[str]:
        """The command lines of all that were there at the last look."""
        return [command_line(int(name), root=self._root) for name in self._ours]

    def everybody(self) -> list[Process]:
        """Who is there now."""
        return [self._told(number, watched) for number, watched in self._ours.values()]

    def close(self) -> None:
        for _, watched in self._ours.values():
            self.spent.last(watched, is_alive=True)
            watched.close()
        self._ours.clear()
        self._newest.close()
        if self._short is not None:
            self._short.close()

    def _arrivals(self) -> list[Process]:
        """A child has a higher number than its parent nearly always, but numbers start over: until nobody comes."""
        found: list[Process] = []
        self._foreign, self._denied = self._still(self._foreign), self._still(self._denied)
        unknown = [
            name for name, inode in self._there.items() if self._foreign.get(name) != inode and name not in self._ours
        ]
        unknown.sort(key=int)
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
        fresh = {name: self._there[name] for name in unknown}
        self._foreign.update((name, inode) for name, inode in fresh.items() if self._asked.get(name) == inode)
        self._asked = {name: inode for name, inode in fresh.items() if name not in self._foreign}
        if self._asked:
            self._newest.forget()
        return found

    def _still(self, known: dict[str, int]) -> dict[str, int]:
        """Without those that are gone, now and then."""
        if len(known) <= len(self._there):
            return known
        return {name: inode for name, inode in known.items() if self._there.get(name) == inode}

    def _arrival(self, name: str) -> Process | None:
        pid = int(name)
        try:
            watched = Watched(pid, self._root)
        except PermissionError:
            self.denied += name not in self._denied
            self._denied[name] = self._there[name]
            return None
        except OSError:
            return None  # it is gone, or no file can be opened just now
        belongs = self._belongs
        is_ours = pid in belongs.processes or watched.parent in belongs.parents or str(watched.parent) in self._ours
        if not is_ours and not self._is_marked(pid):
            return None
        watched.keep(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES)
        self._numbers += 1
        self._ours[name] = (self._numbers, watched)
        self.spent.comes(watched)
        if self._looks == 1 and belongs.is_attached:
            self.spent.was_there(watched)
        if self._short is not None:
            self._short.comes(watched)
        return self._told(self._numbers, watched)

    def _is_marked(self, pid: int) -> bool:
        belongs = self._belongs
        return carries(pid, belongs.mark, self._root, belongs.here) and has_our_host_name(pid, self._root)

    def _told(self, number: int, watched: Watched) -> Process:
        """What it is now: one that was seen between fork(2) and execve(2) is told of again, after that."""
        watched.is_another_program = False
        if known := environment(watched.pid, self._root):
            self._ranks[number] = rank_in(known, watched.name)
        told = watched.start_ticks, watched.parent, watched.name, command_line(watched.pid, root=self._root)
        return Process(number, watched.pid, *told, self._ranks.get(number, NO_RANK))

    def _end(self, name: str, chunk: Rows) -> None:
        number, watched = self._ours.pop(name)
        self._ranks.pop(number, None)
        told = None if self._short is None else self._short.of(watched.pid)
        exact_us = 0
        if told is not None:
            exact_us = told.cpu_us
            told.complete(watched.values)
        self.spent.last(watched, is_alive=False, exact_us=exact_us)
        _, parent = self._ours.get(str(watched.parent), (0, None))
        if parent is not None and parent.start_ticks <= watched.start_ticks:
            parent.child_ended(watched)
        watched.ended()
        chunk.row(number, tuple(watched.values))
        watched.close()
