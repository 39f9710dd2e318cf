"""CPU time of processes that came and went between two looks, when it is known: at the look at which their parent was
told of it. That is of all its descendants which ended; what those used that were seen is theirs, and is taken off.

Exit records (series exits.NAME.cpu_us) tell of the same time once more, and of orphans, whose new parent is none of the
job's: those are in the whole alone, not in its course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable

from paramon.facts.parents import Parents
from paramon.facts.sums import GONE, STATE, SYSTEM, USER
from paramon.facts.usage import CHILD_SYSTEM, CHILD_USER
from paramon.sample.profile import Process

Rows = Mapping[int, "Sequence[tuple[int, tuple[int, ...]]]"]


class Unseen:
    """`take` the rows of each chunk in turn. Only of those that are there something is kept."""

    def __init__(self, known: Callable[[int], Process | None]) -> None:
        """`known`: processes by number."""
        self._known = known
        self._held: dict[int, int] = {}
        """By number: what it was told of until the last look."""
        self._bases: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._unseen: dict[int, int] = {}

    def take(self, rows: Rows, *, has_earlier: bool = False) -> dict[int, dict[int, int]]:
        """By process and tick: clock ticks of its children that nobody saw. What was too much, because a parent was
        told of a child before its end was seen, is taken back from the ticks before; what is left of it is negative.
        `has_earlier`: what was told until the first tick is none of it."""
        told, ended = self._changes(rows, has_earlier=has_earlier)
        found: dict[int, dict[int, int]] = {}
        gone: set[int] = set()
        parents = Parents(process for number in rows if (process := self._known(number))) if ended else None
        for tick in sorted({*told, *ended}):
            self._held.update(told.get(tick, {}))
            changed = set(told.get(tick, ()))
            if parents is not None and tick in ended:
                changed |= self._pass_on(ended[tick], parents) - gone
                gone |= set(ended[tick])
            for number in changed:
                self._grow(number, tick, found.setdefault(number, {}))
        for kept in (self._held, self._bases, self._seen, self._unseen):
            for number in [one for one in kept if one not in rows or one in gone]:
                del kept[number]
        return {number: grown for number, grown in found.items() if grown}

    def _changes(
        self, rows: Rows, *, has_earlier: bool
    ) -> tuple[dict[int, dict[int, int]], dict[int, dict[int, tuple[int, ...]]]]:
        """By tick and process: what it was told of until then, where that is new; the last row of one that ended."""
        told: dict[int, dict[int, int]] = {}
        ended: dict[int, dict[int, tuple[int, ...]]] = {}
        for number, its in rows.items():
            first, (last_tick, last) = its[0], its[-1]
            if has_earlier and not first[0] and number not in self._held:
                self._held[number] = self._bases[number] = told_ticks(first[1])
            if last[STATE] == GONE:
                ended.setdefault(last_tick, {})[number] = last
            before = self._held.get(number, 0)
            if told_ticks(last) == before:
                continue
            for tick, values in its:
                now = told_ticks(values)
                if now != before:
                    told.setdefault(tick, {})[number] = before = now
        return told, ended

    def _pass_on(self, ended: Mapping[int, Sequence[int]], parents: Parents) -> set[int]:
        """To their parents: who those are. One that ended at an earlier tick is told of nothing any more."""
        found = set()
        children = [one for number in ended if (one := self._known(number)) is not None]
        for child in sorted(children, key=lambda one: (one.start_ticks, one.number), reverse=True):
            parent, values = parents.of(child), ended[child.number]
            if parent is None:
                continue
            base = self._bases.get(child.number, 0)
            below = base + max(told_ticks(values) - base, self._seen.get(child.number, 0))
            self._seen[parent] = self._seen.get(parent, 0) + values[USER] + values[SYSTEM] + below
            found.add(parent)
        return found

    def _grow(self, number: int, tick: int, found: dict[int, int]) -> None:
        told = self._held.get(number, 0) - self._bases.get(number, 0)
        now = max(told - self._seen.get(number, 0), 0)
        more, at = now - self._unseen.get(number, 0), tick
        self._unseen[number] = now
        while more < 0 and found and found[next(reversed(found))] > 0:
            at, back = found.popitem()
            more += back
        if more:
            found[at] = found.get(at, 0) + more


def told_ticks(values: Sequence[int]) -> int:
    """CPU time of ended children that a process waited for."""
    return values[CHILD_USER] + values[CHILD_SYSTEM]
