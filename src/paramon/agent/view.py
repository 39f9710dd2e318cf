"""What is known of the node now: as much as one tick has, and sums. Where a profile is wanted, all goes there too."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Callable

from paramon.agent.group import Group, Member
from paramon.agent.job_cpu import JobCpu
from paramon.agent.whose import BY_ENVIRONMENT, BY_GROUP, BY_USER, Owner
from paramon.facts.series import FROM_NOTHING
from paramon.facts.sums import GONE
from paramon.owner import NO_RANK
from paramon.sample.fields import AT
from paramon.sample.profile import Process
from paramon.sensors.cgroup import cpu_counter
from paramon.spent import TICK_US
from paramon.spool import Spool

KEPT_SECONDS = 300.0
"""A job or a user is told of for so long after its last process has ended: who asks each minute learns the end."""
MADE_UP_MOST = 500
"""Jobs of one user by the environment, which may say anything: what is more is the user's alone. It takes no room of
other users', nor of what a scheduler itself says."""
STATE = AT["state"]


class View:
    """`owner`: whose a process is. `spool`: where a profile is written, if any. A target of paramon.record."""

    def __init__(
        self,
        owner: Callable[[int], Owner],
        spool: Spool | None = None,
        clock: Callable[[], float] = time.monotonic,
        job_cpu: Callable[[int], Callable[[], int] | None] = lambda pid: cpu_counter(process=str(pid)),
        unavailable: dict[str, tuple[str, str]] | None = None,
    ) -> None:
        """`unavailable`: what cannot be had and why; kept up to date here."""
        self._unavailable = {} if unavailable is None else unavailable
        self._owner, self._spool, self._clock, self._job_cpu = owner, spool, clock, job_cpu
        self.groups: dict[Owner, Group] = {}
        self.jobs: dict[tuple[str, str], JobCpu | None] = {}
        """By job and task, where its scheduler made a control group; None where that does not count."""
        self.points: dict[str, int] = {}
        """Of the last tick; of programs that came and went, of all."""
        self._lasting: dict[str, int] = {}
        self.counted: dict[int, int] = {}
        """By pid of a parent: ticks of its descendants that were seen and have ended."""
        self._made_up: dict[str, int] = {}
        """By user: how many jobs."""
        self._homes: dict[int, tuple[Owner, Group, Member]] = {}
        self._pids: dict[int, int] = {}
        """Numbers of those that are there."""
        self._now = self._before = clock()
        self._ticks = self._at_ms = self._since_ms = 0

    @property
    def chunk(self) -> View:
        return self

    @property
    def ticks(self) -> int:
        return self._ticks if self._spool is None else self._spool.chunk.ticks

    def tick(self, at_ms: int) -> None:
        self._ticks += 1
        self._before, self._now = self._now, self._clock()
        self.points = dict(self._lasting)
        self._at_ms = at_ms
        if self._spool is not None:
            self._spool.chunk.tick(at_ms - self._since_ms)

    def row(self, process: int, values: Sequence[int]) -> None:
        if self._spool is not None:
            self._spool.chunk.row(process, values)
        _, group, member = self._homes[process]
        group.take(member, values)
        if self._ticks == 1:
            member.told_base = member.told_ticks  # whoever ended before is nobody's that is here
        if values[STATE] == GONE:
            self._end(process)

    def point(self, series: str, value: int) -> None:
        self.points[series] = value
        if series.startswith(FROM_NOTHING):  # they are told of where they changed
            self._lasting[series] = value
        if self._spool is not None:
            self._spool.chunk.point(series, value)

    def has_begun_again(self) -> bool:
        return self._spool is not None and self._spool.has_begun_again()

    def processes(self, came: Sequence[Process]) -> None:
        if self._spool is not None:
            self._spool.processes(_without_ranks(came))
        for process in came:
            home = self._homes.get(process.number)
            if home is not None and process != home[2].process == process._replace(parent=home[2].process.parent):
                home[2].process = process  # it lost its parent, and is whose it was
                continue
            owner = self._whose(process)
            if home is None:
                self._join(process, owner, None)
            elif home[0] == owner:
                home[2].process = process
            else:
                self._join(process, owner, self._leave(process.number))

    def cannot_have(self, name: str, why: Sequence[str]) -> None:
        self._unavailable.pop(name, None)
        if why:
            self._unavailable[name] = why[0], why[-1]
        if self._spool is not None:
            self._spool.cannot_have(name, why)

    def end_tick(self) -> None:
        for owner, group in list(self.groups.items()):
            if group.is_touched:
                group.settle()
            if group.blocked:
                group.blocked_seconds += group.blocked * (self._now - self._before)
            if group.members:
                group.last_seen = self._now
            elif self._now - group.last_seen > KEPT_SECONDS:
                self._forget(owner)
        for job, cpu in self.jobs.items():
            if cpu is not None:
                cpu.look(self._known_us(job))
        if self._spool is not None:
            self._spool.end_tick()

    def end_chunk(self) -> None:
        if self._spool is not None:
            self._spool.end_chunk()

    def go_on_in(self, spool: Spool) -> None:
        """Between two ticks: the profile ends, and another one begins, which knows who is there."""
        if self._spool is not None:
            self._spool.close({"wall_ms": self._at_ms - self._since_ms})
        self._spool, self._since_ms = spool, self._at_ms
        spool.processes(_without_ranks([member.process for _, _, member in self._homes.values()]))

    def close(self, how: dict[str, Any]) -> str:
        return "" if self._spool is None else self._spool.close(how)

    def _whose(self, process: Process) -> Owner:
        """One that says nothing is its parent's: it is gone already, or its environment was taken away."""
        owner = self._owner(process.pid)
        home = self._homes.get(self._pids.get(process.parent, -1))
        if home is None or owner.by != BY_USER:
            return owner
        of_parent = home[0]
        is_same = not owner.user or (of_parent.by == BY_ENVIRONMENT and of_parent.user == owner.user)
        return of_parent if is_same else owner

    def _join(self, process: Process, owner: Owner, before: Member | None) -> None:
        """`before`: what it was in another group. What it did there is that one's."""
        if owner not in self.groups:
            made_up = self._made_up.get(owner.user, 0)
            if owner.by == BY_ENVIRONMENT and made_up >= MADE_UP_MOST:
                owner = owner.of_user
            elif owner.by == BY_ENVIRONMENT:
                self._made_up[owner.user] = made_up + 1
            self.groups.setdefault(owner, Group())
            if owner.by == BY_GROUP and (owner.job, owner.task) not in self.jobs:
                self.jobs[owner.job, owner.task] = self._counted_by_kernel(process.pid)
        group = self.groups[owner]
        member = Member(process) if before is None else Member(process, before.values, before.told_ticks)
        group.members[process.number] = member
        self.counted.pop(process.pid, None)  # an earlier process's of the same number, or known to the group before
        self._homes[process.number] = owner, group, member
        self._pids[process.pid] = process.number

    def _counted_by_kernel(self, pid: int) -> JobCpu | None:
        try:
            read = self._job_cpu(pid)
            return None if read is None else JobCpu(read)
        except (OSError, ValueError, KeyError):
            return None

    def _leave(self, number: int) -> Member:
        _, group, member = self._homes.pop(number)
        group.leave(member, self.counted.get(member.process.pid, 0))
        return member

    def _end(self, number: int) -> None:
        member = self._leave(number)
        pid, parent = member.process.pid, member.process.parent
        of_children = max(member.told_ticks, member.told_base + self.counted.pop(pid, 0))
        if self._pids.get(pid) == number:
            del self._pids[pid]
        if self._is_older(parent, member.process):
            self.counted[parent] = self.counted.get(parent, 0) + member.own_ticks + of_children

    def _is_older(self, pid: int, child: Process) -> bool:
        """Whether it is there, and was when the child began: pids come again."""
        home = self._homes.get(self._pids.get(pid, -1))
        return home is not None and home[2].process.start_ticks <= child.start_ticks

    def _known_us(self, job: tuple[str, str]) -> int:
        """Of all its users' processes."""
        ticks = 0
        for owner, group in self.groups.items():
            if owner.by == BY_GROUP and owner[:2] == job:
                ticks += group.total("user_ticks") + group.total("system_ticks") + group.unseen_ticks(self.counted)
        return ticks * TICK_US

    def _forget(self, owner: Owner) -> None:
        del self.groups[owner]
        if owner.by == BY_ENVIRONMENT:
            self._made_up[owner.user] -= 1
            if not self._made_up[owner.user]:
                del self._made_up[owner.user]
        if not any(other.by == BY_GROUP and other[:2] == owner[:2] for other in self.groups):
            self.jobs.pop(owner[:2], None)


def _without_ranks(processes: Sequence[Process]) -> list[Process]:
    """A node's ranks are those of several jobs: the profile of a node knows none, or it would add up strangers'."""
    return [one._replace(rank=NO_RANK) for one in processes]
