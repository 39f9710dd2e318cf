"""What a node's profile says: taken chunk by chunk, so that a day takes no more memory than an hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from paramon.facts.parents import Parents
from paramon.facts.running import is_being_written
from paramon.facts.series import Course
from paramon.facts.slept import Slept
from paramon.facts.sums import Sums, joined, sums
from paramon.facts.timeline import Timeline
from paramon.facts.unseen import Unseen
from paramon.facts.usage import Usage, Used
from paramon.sample.chunk import Chunk
from paramon.sample.profile import NodeProfile, Process
from paramon.text import clean

ENDED_KEPT = 5000
"""Processes that have ended and are told of one by one. Of more of them, those that used least are summed."""


class Peak(NamedTuple):
    """Of memory: the most at one moment, with what is shared counted once. `rss_kib`: at that moment, with what is
    shared counted at each process."""

    kib: int = 0
    at_ms: int = 0
    anonymous_kib: int = 0
    common_kib: int = 0
    rss_kib: int = 0


class NodeFacts:
    """`take` each chunk in turn."""

    def __init__(self, profile: NodeProfile) -> None:
        self.profile, self.timeline = profile, Timeline()
        self.start_ms = int(profile.header.get("started_at_ms", 0))
        self.second = int(profile.header.get("ticks_a_second", 100))
        self.usages: dict[int, Usage] = {}
        self.folded, self.folded_used = 0, Used()
        self.folded_ranks: dict[int, Used] = {}
        self.courses: dict[str, Course] = {}
        self.peak = Peak()
        self.rank_peaks: dict[int, int] = {}
        self.ticks = self.rows = self.last_ms = self.threads = self.processes = 0
        self.known_ms = 0
        """CPU time of the processes that were seen, when all is taken."""
        self._slept = Slept()
        self._unseen = Unseen(profile.processes.get)
        self._held: dict[int, Sequence[int]] = {}
        self._children: dict[int, int] = {}
        """By number: CPU ticks of its children that were seen, have ended, and are told of together."""

    def take(self, chunk: Chunk) -> None:
        if not chunk.ticks:
            return
        parts = sums(chunk, self._held, self.rank)
        whole = joined(parts.values(), len(chunk.ticks))
        slept = self._slept.take(chunk)
        has_earlier = not self.ticks and bool(self.profile.header.get("attached"))
        self._time(chunk, whole, slept, self._unseen.take(chunk.rows, has_earlier=has_earlier))
        self._peaks(chunk, parts, whole)
        for number, rows in chunk.rows.items():
            usage = self.usages.get(number)
            if usage is None:
                usage = self.usages[number] = Usage(rows[0][1] if has_earlier and not rows[0][0] else None)
            usage.take(rows, chunk.ticks)
            self.rows += len(rows)
        self._held = {number: rows[-1][1] for number, rows in chunk.rows.items()}
        before = self._slept.ms - sum(slept)
        awake = [at - before - gone for at, gone in zip(chunk.ticks, accumulate(slept))]
        for name, points in chunk.points.items():
            self.courses.setdefault(name, Course(name)).take(points, awake)
        self.ticks, self.last_ms = self.ticks + len(chunk.ticks), chunk.ticks[-1]
        if len(self.usages) > len(self._held) + ENDED_KEPT:
            self._fold()

    def rank(self, number: int) -> int:
        one = self.profile.processes.get(number)
        return one.rank if one else -1

    @property
    def name(self) -> str:
        return clean(str(self.profile.header.get("node", "?")))

    def own(self, name: str, end: dict[str, Any]) -> int:
        """A figure of the collector's own: its last, or where it has ended the whole."""
        course = self.courses.get(f"paramon.{name}")
        return int(end.get(name, course.last if course else 0))

    @property
    def wall_ms(self) -> int:
        return int((self.profile.end or {}).get("wall_ms", self.last_ms))

    @property
    def awake_ms(self) -> int:
        """Of that, as long as the machine did not sleep."""
        return max(self.wall_ms - self._slept.ms, 0)

    @property
    def end_ms(self) -> int:
        """Of the clock, as `start_ms`."""
        return self.start_ms + self.wall_ms

    @property
    def cpu_ms(self) -> int:
        """Of all that the job was there: by the kernel's own sum, where the profile ended with it."""
        return max(int((self.profile.end or {}).get("cpu_ticks_total", 0)) * 1000 // self.second, self.known_ms)

    @property
    def is_of_group(self) -> bool:
        """Whether that sum is the control group's, of all that the job was at this node."""
        return (self.profile.end or {}).get("cpu_ticks_total_by") == "cgroup"

    @property
    def cores(self) -> int:
        header = self.profile.header
        return int(header.get("usable_cores") or header.get("cores") or 1)

    @property
    def all_cores(self) -> int:
        """Of the machine."""
        return max(int(self.profile.header.get("cores") or 1), self.cores)

    @property
    def is_running(self) -> bool:
        return is_being_written(self.profile, self.last_ms)

    def _time(self, chunk: Chunk, whole: Sums, slept: Sequence[int], unseen: Mapping[int, Mapping[int, int]]) -> None:
        """`unseen`: by process and tick."""
        used = list(whole.cpu_ticks)
        for tick, ticks in (one for its in unseen.values() for one in its.items()):
            if ticks < 0:
                self.timeline.take_back(-ticks * 1000 // self.second)
            else:
                used[tick] += ticks
        before = self.last_ms if self.ticks else chunk.ticks[0]
        for at, gap, ticks, kib, common in zip(chunk.ticks, slept, used, whole.memory_kib(), whole.common_kib):
            self.timeline.cpu(before + gap, at, ticks * 1000 / self.second)
            self.timeline.memory(at, kib, common)
            before = at

    def _peaks(self, chunk: Chunk, parts: dict[int, Sums], whole: Sums) -> None:
        memory = whole.memory_kib()
        most = max(memory)
        if most > self.peak.kib:
            at = memory.index(most)
            anonymous, common = whole.anonymous_kib[at], whole.common_kib[at]
            self.peak = Peak(most, chunk.ticks[at], anonymous, common, whole.rss_kib[at])
        for rank, part in parts.items():
            self.rank_peaks[rank] = max(self.rank_peaks.get(rank, 0), *part.memory_kib())
        self.threads = max(self.threads, *whole.threads)
        self.processes = max(self.processes, *whole.processes)

    def _fold(self) -> None:
        """Of those that have ended, the half that used least."""
        ended = [number for number, usage in self.usages.items() if number not in self._held or usage.is_gone]
        ended.sort(key=lambda number: (self.usages[number].own_ticks(), self.usages[number].rss_kib))
        seen, parents = self._seen_ticks(), Parents(self._known())
        unseen = self._unseen_ticks(seen)
        for number in ended[: len(ended) // 2]:
            usage = self.usages[number]
            one = usage.used(self.second, unseen.get(number, 0))
            rank = self.rank(number)
            self.folded += 1
            self.folded_used = self.folded_used.plus(one)
            self.folded_ranks[rank] = self.folded_ranks.get(rank, Used()).plus(one)
            self._pass_on(number, self._children, seen, parents)
            del self.usages[number]
            self.profile.processes.pop(number, None)
        self._children = {number: ticks for number, ticks in self._children.items() if number in self.usages}

    def unseen_ticks(self) -> dict[int, int]:
        """By process: CPU time of children which it waited for, and which nobody saw."""
        return self._unseen_ticks(self._seen_ticks())

    def _unseen_ticks(self, seen: dict[int, int]) -> dict[int, int]:
        numbers = [one.number for one in self._known()]
        return {number: max(self.usages[number].told_ticks() - seen.get(number, 0), 0) for number in numbers}

    def _seen_ticks(self) -> dict[int, int]:
        """By process: CPU time of its descendants that were seen and have ended."""
        seen, parents = dict(self._children), Parents(self._known())
        # A child before its parent, which tells of it at its own end.
        for one in sorted(self._known(), key=lambda one: (one.start_ticks, one.number), reverse=True):
            if self.usages[one.number].is_gone:
                self._pass_on(one.number, seen, seen, parents)
        return seen

    def _known(self) -> Iterator[Process]:
        """Who is told of one by one, as far as it is known who that is."""
        return (one for one in self.profile.processes.values() if one.number in self.usages)

    def _pass_on(self, number: int, to: dict[int, int], seen: dict[int, int], parents: Parents) -> None:
        """What outlived its parent was another's to wait for."""
        one, usage = self.profile.processes.get(number), self.usages[number]
        parent = None if one is None else parents.of(one)
        of_parent = None if parent is None else self.usages.get(parent)
        if (
            parent is not None
            and of_parent is not None
            and not (of_parent.is_gone and of_parent.last_ms < usage.last_ms)
        ):
            to[parent] = to.get(parent, 0) + usage.passed_on_ticks(seen.get(number, 0))
