"""The processes of a job at this node, as they come and go."""

from __future__ import annotations

import os
import resource
from typing import Callable, NamedTuple

from paramon.orphans import Orphans, wait_for
from paramon.owner import NO_RANK, began, carries, command_line, environment, has_our_host_name, rank_in
from paramon.sample.profile import Process
from paramon.sample.sink import Rows
from paramon.sensors.process import RSS, Watched
from paramon.short_lived import Ends, ShortLived
from paramon.spent import Spent
from paramon.strangers import Strangers
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

    def __init__(self, belongs: Belongs, root: str = "/proc", own: int | None = None, ends: Ends | None = None) -> None:
        """`own`: the collector, which is no part of the job. `ends`: closed by the table."""
        self._belongs, self._root = belongs, root
        self._ours: dict[str, tuple[int, Watched]] = {}
        self._there = there(root)
        left_out = {str(os.getpid() if own is None else own), *belongs.others}
        self._strangers = Strangers({name: inode for name, inode in self._there.items() if name in left_out})
        self._newest = Newest(root)
        self._numbers = 0
        self._looks = 0
        self.spent = Spent()
        self._orphans = ends if isinstance(ends, Orphans) else None
        self._short = None if ends is None else ShortLived(ends, self.spent)
        self.denied = 0
        """Processes that must not be looked at, so that nobody knows whose they are."""
        self.has_closed = False
        """Any that does not tell what it reads and writes."""
        self._ranks: dict[int, int] = {}
        """By number: of one that has ended there is no environment."""

    def __len__(self) -> int:
        return len(self._ours)

    def look(self, chunk: Rows, came: Callable[[list[Process]], None], *, is_first: bool) -> None:
        """`is_first`: of a chunk, in which every process has a row."""
        self._looks += 1
        is_listed = self._newest.may_be_another() and self._has_listed()
        if self._short is not None:
            self._short.drain()  # after the list: of who is missing in it, all is told
            self._short.settle(self._ours, self._there, self._belongs.parents)
        if is_listed:
            self._end_all([name for name in self._ours if name not in self._there], chunk)
        fresh = self._arrivals(is_listed=is_listed)
        if fresh:
            came(fresh)
        self._look_at_each(chunk, came, is_first=is_first)
        self.spent.looked()
        if self._short is not None:
            self._short.points(chunk, is_first=is_first)

    def _has_listed(self) -> bool:
        """Not where no file can be opened just now."""
        try:
            self._there = there(self._root)
        except OSError:
            self._newest.forget()
            return False
        return True

    def _look_at_each(self, chunk: Rows, came: Callable[[list[Process]], None], *, is_first: bool) -> None:
        ended, renamed = [], []
        # Children came after their parents, and are looked at before them: what one that has ended read and wrote is
        # its parent's by now.
        for name, (number, watched) in reversed(list(self._ours.items())):
            try:
                is_new = watched.look()
            except (ProcessLookupError, FileNotFoundError):
                self._end(name, chunk)
                ended.append(name)
                continue
            except OSError:
                continue  # no file can be opened just now
            if watched.is_closed and watched.values[RSS]:  # of one that is just ending nothing may be read either
                self.has_closed = True
            if not is_new and not is_first:
                continue
            chunk.row(number, tuple(watched.values))
            if watched.is_another:
                renamed.append(self._told(number, watched))
        if renamed:
            came(renamed)
        if ended:
            self._lose_parents(ended)
            self._newest.forget()  # its number may be another's already

    def leave_out(self, pid: int) -> None:
        """One that the collector has just started: until it has become another program, it carries what that does."""
        inode = there(self._root).get(str(pid))
        if inode is not None:
            self._strangers.add(str(pid), inode)

    def wait(self, pid: int) -> None:
        """For a child of the collector's that has ended."""
        _, watched = self._ours.get(str(pid), (0, None))
        wait_for(pid, watched, self._orphans, self.spent)

    def has_living(self) -> bool:
        return any(began(watched.pid, b"?") for _, watched in self._ours.values())

    def commands(self) -> list[str]:
        """The command lines of all that were there at the last look."""
        return [command_line(int(name), root=self._root) for name in self._ours]

    def everybody(self) -> list[Process]:
        """Who is there now."""
        return [self._told(number, watched) for number, watched in self._ours.values()]

    def close(self) -> None:
        for _, watched in reversed(self._ours.values()):  # children before their parents
            self.spent.last(watched, is_alive=True)
            watched.close()
        self._ours.clear()
        self._newest.close()
        if self._short is not None:
            self._short.close()

    def _arrivals(self, *, is_listed: bool) -> list[Process]:
        """A child has a higher number than its parent nearly always, but numbers start over: until nobody comes."""
        found: list[Process] = []
        strangers, look = self._strangers, self._looks
        unknown = strangers.to_ask(self._there, self._ours, look) if is_listed else strangers.due(self._ours, look)
        asked: dict[str, bool | None] = {}
        while unknown:
            left = []
            for name in unknown:
                one = self._arrival(name, asked)
                if one is None:
                    left.append(name)
                else:
                    found.append(one)
            if len(left) == len(unknown):
                break
            unknown = left
        for name in unknown:
            if name in asked:
                is_new = strangers.was_asked(name, self._there[name], look, is_copy=bool(asked[name]))
                self.denied += is_new and asked[name] is None
        return found

    def _arrival(self, name: str, asked: dict[str, bool | None]) -> Process | None:
        """`asked`: is told of one that is none of the job's whether it is a copy of another; None where it must not be
        looked at."""
        pid = int(name)
        try:
            watched = Watched(pid, self._root)
        except PermissionError:
            asked[name] = None
            return None
        except OSError:
            return None  # it is gone, or no file can be opened just now
        belongs = self._belongs
        is_ours = pid in belongs.processes or watched.parent in belongs.parents or str(watched.parent) in self._ours
        if not is_ours and not self._is_marked(pid):
            asked[name] = watched.is_copy
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
        watched.is_another = False
        if known := environment(watched.pid, self._root):
            self._ranks[number] = rank_in(known, watched.name)
        told = watched.start_ticks, watched.parent, watched.name, command_line(watched.pid, root=self._root)
        return Process(number, watched.pid, *told, self._ranks.get(number, NO_RANK))

    def _end_all(self, names: list[str], chunk: Rows) -> None:
        """`names` as they came: after their parents, and they are counted before them."""
        for name in reversed(names):
            self._end(name, chunk)
        if names:
            self._lose_parents(names)

    def _lose_parents(self, names: list[str]) -> None:
        ended = set(map(int, names))
        for _, watched in self._ours.values():
            if watched.parent in ended:
                watched.lost_parent()

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
