"""Collectors that ran beside each other on one node, as in `srun paramon run -- ./a.out`: each is told what all of the
job used there, by the control group's own sum, and what all of the node counted. That is of all of them, once."""

from __future__ import annotations

from collections.abc import Sequence

from paramon.facts.node import NodeFacts
from paramon.spent import completeness

GROUP_CPU = "cgroup.cpu_us"


class Together:
    """`nodes`: at least one, of one node; nobody else of the job's ran beside any of them there."""

    def __init__(self, nodes: Sequence[NodeFacts]) -> None:
        self.nodes = nodes

    @property
    def is_shared(self) -> bool:
        """Whether several were told of the same."""
        return len(self.nodes) > 1 and any(one.is_of_group for one in self.nodes)

    @property
    def cpu_ms(self) -> int:
        """Of all that the job was there, as long as any of them looked."""
        each = [one.cpu_ms for one in self.nodes]
        if not self.is_shared:
            return sum(each)
        known = sum(one.known_ms for one in self.nodes)
        return max(*each, known, min(self._group_ms(), sum(each)))

    @property
    def peak_kib(self) -> int:
        """Of memory: of several, the sum of what each had at most, perhaps at different moments."""
        return sum(one.peak.kib for one in self.nodes)

    def completeness(self, node: NodeFacts) -> float | None:
        """What it says of itself; of several that were told of all, the part of that which they know together. None
        while one of them has not ended, and where nobody knows."""
        if not self.is_shared:
            return (node.profile.end or {}).get("completeness")
        ends = [one.profile.end for one in self.nodes]
        known_ms = sum(int(end.get("cpu_ticks", 0)) * 1000 // one.second for one, end in zip(self.nodes, ends) if end)
        return completeness(known_ms * node.second // 1000, self.cpu_ms * node.second // 1000) if all(ends) else None

    def counted(self, start: str) -> dict[str, int]:
        """By series whose name starts so: how much it grew, as far as any of them saw it."""
        found: dict[str, int] = {}
        for one in self.nodes:
            for series, course in one.courses.items():
                if series.startswith(start):
                    found[series] = max(found.get(series, 0), course.grown)
        return found

    def _group_ms(self) -> int:
        """How much the group's sum grew from the first look of any to the last, the collectors' own time left out."""
        courses = [one.courses[GROUP_CPU] for one in self.nodes if GROUP_CPU in one.courses]
        if not courses:
            return 0
        own_us = sum(one.own("cpu_us", one.profile.end or {}) for one in self.nodes)
        return (max(one.last for one in courses) - min(one.first for one in courses) - own_us) // 1000


def together(nodes: Sequence[NodeFacts]) -> list[Together]:
    """Of one node; those whose times have a part in common, and what connects them."""
    found: list[list[NodeFacts]] = []
    end_ms = -1
    for one in sorted(nodes, key=lambda node: node.start_ms):
        if found and one.start_ms < end_ms:
            found[-1].append(one)
        else:
            found.append([one])
        end_ms = max(end_ms, one.end_ms)
    return [Together(some) for some in found]
