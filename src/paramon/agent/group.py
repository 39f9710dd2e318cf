"""What processes of one owner do together: sums that grow as counters do, and what stands now."""

from __future__ import annotations

from collections.abc import Sequence

from paramon.facts.sums import BLOCKED, GONE, footprint
from paramon.sample.fields import AT, COUNT, FIELDS
from paramon.sample.profile import Process

COUNTERS = tuple(AT[field.name] for field in FIELDS if field.is_counter)
OWN = AT["user_ticks"], AT["system_ticks"]
OF_CHILDREN = AT["child_user_ticks"], AT["child_system_ticks"]
THREADS, STATE = AT["threads"], AT["state"]
NOTHING = (0,) * COUNT
UNKNOWN = -1
INIT = 1
"""It waits for whatever lost its parent: what that used is no child's of its own."""


class Member:
    """A process in a group. `base`: its values when it came to the group; `told_base`: the children's time that it
    knew then."""

    __slots__ = ("base", "blocked", "common", "kib", "process", "threads", "told_base", "values")

    def __init__(self, process: Process, base: Sequence[int] = NOTHING, told_base: int = 0) -> None:
        self.process, self.base, self.told_base = process, base, told_base
        self.values: Sequence[int] = base
        self.kib = self.common = self.threads = self.blocked = 0

    @property
    def own_ticks(self) -> int:
        return sum(self.values[at] for at in OWN)

    @property
    def told_ticks(self) -> int:
        """Of its children that have ended, and theirs."""
        return sum(self.values[at] for at in OF_CHILDREN)

    def unseen_ticks(self, counted: int) -> int:
        """Of those, what nobody saw. `counted`: of its descendants that were seen and have ended."""
        return 0 if self.process.pid == INIT else max(self.told_ticks - self.told_base - counted, 0)


class Group:
    """`take` a member's values where they changed, and `settle` at the end of a tick in which it was `touched`."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.ended = [0] * COUNT
        """Counters of those that are gone."""
        self.ended_unseen_ticks = 0
        self.kib = self.threads = self.blocked = 0
        """Now: memory that is the processes' own, threads, and processes in state D."""
        self.common_kib = self.peak_kib = 0
        self.blocked_seconds = 0.0
        self.last_seen = 0.0
        self.is_touched = False
        self._told: dict[str, int] = {}

    def take(self, member: Member, values: Sequence[int]) -> None:
        is_gone = values[STATE] == GONE
        kib, common = (0, 0) if is_gone else footprint(values)
        threads, blocked = values[THREADS], int(values[STATE] == BLOCKED)
        self.kib += kib - member.kib
        self.threads += threads - member.threads
        self.blocked += blocked - member.blocked
        if member.common >= self.common_kib > common:
            self.common_kib = UNKNOWN  # it had most, and has less now: all are asked again
        elif self.common_kib != UNKNOWN:
            self.common_kib = max(self.common_kib, common)
        member.kib, member.common, member.threads, member.blocked = kib, common, threads, blocked
        member.values = values
        self.is_touched = True

    def leave(self, member: Member, counted: int) -> None:
        """It has ended, or is another's from now on. `counted`: as for `unseen_ticks`."""
        for at in COUNTERS:
            self.ended[at] += member.values[at] - member.base[at]
        self.ended_unseen_ticks += member.unseen_ticks(counted)
        values = member.values
        self.take(member, (*NOTHING[:STATE], GONE, *NOTHING[STATE + 1 :]))
        member.values = values
        del self.members[member.process.number]

    def settle(self) -> None:
        if self.common_kib == UNKNOWN:
            self.common_kib = max((one.common for one in self.members.values()), default=0)
        self.peak_kib = max(self.peak_kib, self.memory_kib)
        self.is_touched = False

    @property
    def memory_kib(self) -> int:
        """What processes share counts once: as much as the one has that maps most of it."""
        return self.kib + max(self.common_kib, 0)

    def total(self, field: str) -> int:
        """Of a counter, since its processes were started."""
        at = AT[field]
        living = sum(one.values[at] - one.base[at] for one in self.members.values())
        return self._never_less(field, self.ended[at] + living)

    def unseen_ticks(self, counted: dict[int, int]) -> int:
        """CPU time of children that ended before anybody saw them, as their parents know it. `counted`: by pid."""
        living = sum(one.unseen_ticks(counted.get(one.process.pid, 0)) for one in self.members.values())
        return self._never_less("unseen", self.ended_unseen_ticks + living)

    def _never_less(self, what: str, value: int) -> int:
        """A child may be counted as its parent's for the moment between two looks: a counter must not fall after."""
        value = max(value, self._told.get(what, 0))
        self._told[what] = value
        return value
