"""Waits of one job at many places at once: at each just what `Waits.predict` says of it there. Pure.

What is known of the places is worked out once for all jobs, what is known of a job once for all places; a question puts
the two together for the places that it is about.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.placement.columns import MICROSECOND, Whole
from paracloud.placement.quickscorer import Bins, QuickScorer, Words
from paracloud.placement.trees import Forest, Tree
from paracloud.placement.wait_model import LONGEST, TreeWaits
from paracloud.placement.waits import Features, PlainWaits

OF_JOB: Final = Features._fields.index("queue_cores")
"""So many features are of the job, and of its user; the others are of the place."""
CORES, NODES = Features._fields.index("cores"), Features._fields.index("nodes")
NOTHING_KNOWN: Final = (0.0,) * OF_JOB
WALL: Final = Features._fields.index("wall_seconds")
NOW: Final = Features._fields.index("hour"), Features._fields.index("weekday")
PARTS: Final = frozenset({*NOW, WALL}), frozenset({*NOW, CORES}), frozenset(range(OF_JOB))
"""Of a model: the trees that ask of the job for no other features."""
KEPT_MOST: Final = 1024
"""Answers of 16 bytes for each place."""
A_SECOND: Final = 1_000_000
ALMOST_HALF: Final = 0.4999

Known: TypeAlias = tuple[float, ...]
"""The first features of a job, or the last ones of a place."""
Table: TypeAlias = NDArray[np.float64]


class JobWaits(NamedTuple):
    """Of one job: microseconds at the places with these numbers, P50 alone or with P90."""

    p50: Callable[[Whole], Whole]
    both: Callable[[Whole], tuple[Whole, Whole]]


WideWaits: TypeAlias = Callable[[Known], JobWaits]


def wide_waits(waits: PlainWaits | TreeWaits, places: Sequence[Known]) -> WideWaits:
    """`places`: what is known of each."""
    return _WideTrees(waits, places) if isinstance(waits, TreeWaits) else _WidePlain(waits, places)


class _WideTrees:
    """Many trees ask of a job for its time limit alone, or for its cores alone (and for the hour), and jobs share
    these: what such trees say of all places is kept. What is added in which order makes no difference to the last bit
    (`trees.Forest`)."""

    def __init__(self, waits: TreeWaits, places: Sequence[Known]) -> None:
        table = np.array(places, dtype=np.float64).reshape(-1, len(Features._fields) - OF_JOB).T
        parts: dict[frozenset[int], tuple[list[Tree], list[Tree]]] = {asked: ([], []) for asked in PARTS}
        for number, forest in enumerate((waits.middle, waits.upper)):
            for tree in forest.trees:
                parts[next(asked for asked in PARTS if asked >= _asked_of_job(tree))][number].append(tree)
        self._by_wall, self._by_cores, self._rest = (_Part(*trees, table) for trees in parts.values())

    def __call__(self, job: Known) -> JobWaits:
        by_wall, by_cores, rest = self._by_wall.kept(job), self._by_cores.kept(job), self._rest
        left = rest.scorer.left(job)

        def p50(at: Whole) -> Whole:
            return _whole_seconds(rest.middle(left, at) + by_wall[0].take(at) + by_cores[0].take(at))

        def both(at: Whole) -> tuple[Whole, Whole]:
            said = rest.both(left, at) + by_wall.take(at, axis=1) + by_cores.take(at, axis=1)
            middle, upper = _whole_seconds(said)
            return middle, np.maximum(middle, upper)

        return JobWaits(p50, both)


class _Part:
    """Some trees of both forests, with what is left of each at each place."""

    def __init__(self, middle: Sequence[Tree], upper: Sequence[Tree], table: Table) -> None:
        self.scorer, self._cut = QuickScorer(Forest((*middle, *upper))), len(middle)
        self._places = self.scorer.left_of_rows(OF_JOB, table)
        self._kept: dict[Bins, Table] = {}

    def middle(self, left: Words, at: Whole) -> Table:
        found: Table = self.scorer.said(self._places.take(at, axis=0)[:, : self._cut] & left[: self._cut]).sum(axis=1)
        return found

    def both(self, left: Words, at: Whole | None = None) -> Table:
        """(forest, place); None: all places."""
        said = self.scorer.said((self._places if at is None else self._places.take(at, axis=0)) & left)
        return np.array([said[:, : self._cut].sum(axis=1), said[:, self._cut :].sum(axis=1)])

    def kept(self, job: Known) -> Table:
        """At all places: the same of jobs that no split tells apart."""
        key = self.scorer.bins(job)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= KEPT_MOST:
                self._kept.clear()
            found = self._kept[key] = self.both(self.scorer.left(job))
        return found


def _asked_of_job(tree: Tree) -> frozenset[int]:
    """The features of the job that its splits are on."""
    if not isinstance(tree, tuple):
        return frozenset()
    feature, _, below, above = tree
    own = frozenset({feature}) if feature < OF_JOB else frozenset[int]()
    return own | _asked_of_job(below) | _asked_of_job(above)


def _whole_seconds(logarithms: Table) -> Whole:
    """Ten to the power of each, rounded, as Python says it one by one: NumPy's powers differ in the last bits, which
    matters only where one is all but halfway between two seconds."""
    np.minimum(logarithms, LONGEST, out=logarithms)
    seconds = np.power(10.0, logarithms)
    found = np.rint(seconds)
    seconds -= found
    np.abs(seconds, out=seconds)
    if seconds.max(initial=0) > ALMOST_HALF:
        for at in np.flatnonzero(seconds > ALMOST_HALF):
            found.flat[at] = round(10 ** logarithms.item(at))
    whole = found.astype(np.int64)
    whole *= A_SECOND
    return whole


class _WidePlain:
    """All that the plain rule asks of a job is whether a place has room for it: it is asked of each place twice."""

    def __init__(self, waits: PlainWaits, places: Sequence[Known]) -> None:
        known = [Features._make((*NOTHING_KNOWN, *place)) for place in places]
        self._waiting, self._free, self._free_nodes = (
            np.array([getattr(one, name) for one in known], dtype=np.float64)
            for name in ("waiting_cores", "free_cores", "free_nodes")
        )
        said = [(waits.predict(_full(one)), waits.predict(_empty(one))) for one in known]
        self._p50 = np.array([[one.p50 // MICROSECOND for one in two] for two in said], dtype=np.int64).reshape(-1, 2)
        self._p90 = np.array([[one.p90 // MICROSECOND for one in two] for two in said], dtype=np.int64).reshape(-1, 2)

    def __call__(self, job: Known) -> JobWaits:
        cores, nodes = job[CORES], job[NODES]

        def of(told: Whole, at: Whole) -> Whole:
            has_room = self._waiting.take(at) + cores <= self._free.take(at)
            has_room &= self._free_nodes.take(at) >= nodes
            found: Whole = told[at, has_room.astype(np.int64)]
            return found

        p50, p90 = partial(of, self._p50), partial(of, self._p90)
        return JobWaits(p50, lambda at: (p50(at), p90(at)))


def _empty(place: Features) -> Features:
    return place._replace(waiting_cores=0, free_cores=0, free_nodes=0)


def _full(place: Features) -> Features:
    return place._replace(nodes=1, free_nodes=0)
