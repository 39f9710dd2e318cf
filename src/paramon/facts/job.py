"""What the profiles of all nodes of a job say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from paramon.facts.hardware import OF_JOB, OF_NODE, Hardware, hardware
from paramon.facts.node import NodeFacts
from paramon.facts.ranks import SERIES, Balance, balance
from paramon.facts.timeline import Timeline
from paramon.facts.together import Together, together
from paramon.facts.usage import Used
from paramon.sample.profile import NodeProfile

UNSEEN = 1.02
"""The kernel tells of the same peak in two ways that are not the same to the page."""


class ProcessFacts(NamedTuple):
    """`number`, of the node's profile; `first_ms`, `last_ms`: since its start."""

    node: str
    number: int
    pid: int
    parent: int
    rank: int
    name: str
    command: str
    first_ms: int
    last_ms: int
    used: Used


class RankFacts(NamedTuple):
    """`peak_kib`: of its processes together, at one moment. `processes`: how many were seen."""

    rank: int
    node: str
    processes: int
    peak_kib: int
    used: Used


class JobFacts:
    """Of profiles, the earliest first."""

    def __init__(self, profiles: Sequence[NodeProfile]) -> None:
        self.timeline = Timeline()
        self.start_ms = min(int(one.header.get("started_at_ms", 0)) for one in profiles)
        self.nodes: list[NodeFacts] = []
        self.processes: list[ProcessFacts] = []
        self.ranks: list[RankFacts] = []
        self._of_ranks: dict[str, int] = {}
        self._counted: dict[str, int] = {}
        nodes = [NodeFacts(profile) for profile in profiles]
        several = {name: Timeline() for name, times in Counter(node.name for node in nodes).items() if times > 1}
        for node in nodes:
            for chunk in node.profile.chunks():
                node.take(chunk)
            self._join(node, several.get(node.name))
        for timeline in several.values():
            self.timeline.join(timeline, 0)
        self.ranks.sort()

    def _join(self, node: NodeFacts, beside: Timeline | None) -> None:
        """`beside`: of all collectors of that node, where there are several."""
        self.nodes.append(node)
        later_s = (node.start_ms - self.start_ms) // 1000
        if beside is None:
            self.timeline.join(node.timeline, later_s)
        else:
            beside.beside(node.timeline, later_s)
        node.timeline = Timeline()
        unseen = node.unseen_ticks()
        name = node.name
        ranks = {rank: (0, used) for rank, used in node.folded_ranks.items()}
        for number, usage in node.usages.items():
            one = node.profile.processes.get(number)
            used = usage.used(node.second, unseen.get(number, 0))
            pid, parent, rank = (one.pid, one.parent, one.rank) if one else (0, 0, -1)
            told = (one.name, one.command) if one else ("?", "")
            self.processes.append(
                ProcessFacts(name, number, pid, parent, rank, *told, usage.first_ms, usage.last_ms, used)
            )
            count, before = ranks.get(rank, (0, Used()))
            ranks[rank] = (count + 1, before.plus(used))
        node.known_ms = sum(used.cpu_ms for _, used in ranks.values())
        for rank, (count, used) in ranks.items():
            self.ranks.append(RankFacts(rank, name, count, node.rank_peaks.get(rank, 0), used))
        node.usages = {}
        for series, course in node.courses.items():
            if series.startswith(SERIES):
                self._of_ranks[series] = self._of_ranks.get(series, 0) + course.last
            elif series.startswith(OF_JOB):
                self._counted[series] = self._counted.get(series, 0) + course.grown

    @property
    def balance(self) -> Balance:
        return balance(self._of_ranks, self.awake_ms)

    @property
    def hardware(self) -> Hardware:
        grown = dict(self._counted)
        for some in self.together:
            for series, value in some.counted(OF_NODE).items():
                grown[series] = grown.get(series, 0) + value
        return hardware(grown, self.awake_ms / 1000)

    @property
    def together(self) -> list[Together]:
        """Its nodes: those of which several collectors tell at the same time, as one."""
        return [some for parts in self._by_node().values() for some in together(parts)]

    @property
    def used(self) -> Used:
        whole = Used()
        for rank in self.ranks:
            whole = whole.plus(rank.used)
        return whole

    @property
    def unseen_kib(self) -> int:
        """The most that a process had, where that is more than was seen of any; 0 where it is not."""
        largest = max(int((node.profile.end or {}).get("largest_rss_kib", 0)) for node in self.nodes)
        seen = max((one.used.peak_rss_kib for one in self.processes), default=0)
        return largest if largest > seen * UNSEEN else 0

    @property
    def wall_ms(self) -> int:
        return max(node.end_ms for node in self.nodes) - self.start_ms

    @property
    def awake_ms(self) -> int:
        """Of that, as long as not all of its nodes slept."""
        return self.wall_ms - min(node.wall_ms - node.awake_ms for node in self.nodes)

    @property
    def cpu_ms(self) -> int:
        return sum(some.cpu_ms for some in self.together)

    @property
    def cores(self) -> int:
        """Of all nodes."""
        return sum(
            min(sum(node.cores for node in parts), max(node.all_cores for node in parts))
            for parts in self._by_node().values()
        )

    @property
    def there_ms(self) -> int:
        """CPU time that it could have used: of the cores that it might use, as long as it was there. Several collectors
        on a node have cores of their own, or the same: together not more than the node's."""
        whole = 0
        for parts in self._by_node().values():
            passed = max(node.end_ms for node in parts) - min(node.start_ms for node in parts)
            most = max(node.all_cores for node in parts) * passed
            whole += min(sum(node.cores * node.awake_ms for node in parts), most)
        return whole

    def _by_node(self) -> dict[str, list[NodeFacts]]:
        found: dict[str, list[NodeFacts]] = {}
        for node in self.nodes:
            found.setdefault(node.name, []).append(node)
        return found
