"""Waits of one job at many places at once: at each just what `Waits.predict` says of it there. Pure.

What is known of the places is worked out once for all jobs, what is known of a job once for all places; a question puts
the two together for the places that it is about.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.placement.columns import MICROSECOND, Whole
from paracloud.placement.quickscorer import QuickScorer, Words
from paracloud.placement.trees import Forest, Tree
from paracloud.placement.wait_model import LONGEST, TreeWaits
from paracloud.placement.waits import Features, PlainWaits

OF_JOB: Final = Features._fields.index("queue_cores")
"""So many features are of the job, and of its user; the others are of the place."""
CORES, NODES = Features._fields.index("cores"), Features._fields.index("nodes")
NOTHING_KNOWN: Final = (0.0,) * OF_JOB
NOW: Final = {Features._fields.index("hour"), Features._fields.index("weekday")}
"""The same for all jobs of a reading."""
KEPT_MOST: Final = 2048
"""Rows of 8 bytes for each place."""
FEW, SPARSE = 32, 3
"""Places that trees are asked about one by one; and the part of all places, one of so many, that is fetched one by one
of each row."""
A_SECOND: Final = 1_000_000
ALMOST_HALF: Final = 0.4999

add: Final = np.add.reduce
"""What `sum` does, in half the time for a few numbers."""

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
    """Both forests are one to the scorer: what is known of a job is held against their splits once."""

    def __init__(self, waits: TreeWaits, places: Sequence[Known]) -> None:
        table = np.array(places, dtype=np.float64).reshape(-1, len(Features._fields) - OF_JOB).T
        middle, upper = _shared(waits.middle), _shared(waits.upper)
        self._scorer = QuickScorer([tree for group in (*middle, *upper) for tree in group])
        self._places = self._scorer.left_of_rows(OF_JOB, table)
        self._middle = _WideForest(self._scorer, self._places, middle, 0)
        self._upper = _WideForest(self._scorer, self._places, upper, self._middle.end)

    def __call__(self, job: Known) -> JobWaits:
        left = self._scorer.left(job)
        middle, upper, cut = self._middle.of(left), self._upper.of(left), self._middle.end

        def p50(at: Whole) -> Whole:
            return whole_seconds(middle(at))

        def both(at: Whole) -> tuple[Whole, Whole]:
            if at.size > FEW:
                found, late = p50(at), whole_seconds(upper(at))
            else:
                said = self._scorer.said(self._places[at] & left)
                found, late = (whole_seconds(add(trees, axis=1)) for trees in (said[:, :cut], said[:, cut:]))
            return found, np.maximum(found, late)

        return JobWaits(p50, both)


class _WideForest:
    """A tree asks of a job for few of its features, at few thresholds: so what it says of all places is one of a few
    rows, which are kept. Trees that ask for the same one feature share theirs: what is added in which order makes no
    difference to the last bit (`trees.Forest`). At FEW places the trees themselves are sooner asked. `first`: the
    scorer's number of the first of the trees in these `groups`; `places`: what is left of the trees at each."""

    def __init__(self, scorer: QuickScorer, places: Words, groups: Sequence[Sequence[Tree]], first: int) -> None:
        self._scorer, self._places = scorer, places
        ends = [*accumulate((len(group) for group in groups), initial=first)]
        self._groups = [slice(first, last) for first, last in pairwise(ends)]
        self._many = sum(len(group) > 1 for group in groups)
        self._alone, self.end = ends[self._many], ends[-1]
        self._all = slice(first, self.end)
        self._forget()

    def of(self, left: Words) -> Callable[[Whole], Table]:
        """What the trees say, summed, at the places that it is asked for. `left`: of all trees by what is known of a
        job."""

        def said(at: Whole) -> Table:
            found: Table
            if at.size <= FEW:
                found = self._scorer.said(self._places[at, self._all] & left[self._all], self._all)
                found = add(found, axis=1)
            elif at.size * SPARSE < len(self._places):
                which = self._numbered(left)
                found = add(self._rows[which[:, np.newaxis], at])
            else:
                which = self._numbered(left)
                found = add(self._rows.take(which, axis=0)).take(at)
            return found

        return said

    def _numbered(self, left: Words) -> Whole:
        """The rows of such a job."""
        keys: list[Hashable] = [left[group].tobytes() for group in self._groups[: self._many]]
        keys += left[self._alone : self.end].tolist()
        try:
            numbers = [numbers[key] for numbers, key in zip(self._numbers, keys, strict=True)]
        except KeyError:
            numbers = self._learn(left, keys)
        return np.array(numbers, dtype=np.int64)

    def _learn(self, left: Words, keys: Sequence[Hashable]) -> list[int]:
        if self._used + len(keys) > len(self._rows):
            self._forget()
        for numbers, group, key in zip(self._numbers, self._groups, keys, strict=True):
            if key not in numbers:
                self._rows[self._used] = self._scorer.said(self._places[:, group] & left[group], group).sum(axis=1)
                numbers[key] = self._used
                self._used += 1
        return [numbers[key] for numbers, key in zip(self._numbers, keys, strict=True)]

    def _forget(self) -> None:
        self._numbers: list[dict[Hashable, int]] = [{} for _ in self._groups]
        self._rows, self._used = np.empty((max(KEPT_MOST, len(self._groups)), len(self._places))), 0


def _shared(forest: Forest) -> list[list[Tree]]:
    """Its trees by what they ask of a job; those of which only one asks just that, or that ask for more, alone. The
    largest groups first."""
    groups: dict[Hashable, list[Tree]] = {}
    for number, tree in enumerate(forest.trees):
        asked = _asked_of_job(tree) - NOW
        groups.setdefault(asked if len(asked) < 2 else number, []).append(tree)
    return sorted(groups.values(), key=len, reverse=True)


def _asked_of_job(tree: Tree) -> frozenset[int]:
    """The features of the job that its splits are on."""
    if not isinstance(tree, tuple):
        return frozenset()
    feature, _, below, above = tree
    own = frozenset({feature}) if feature < OF_JOB else frozenset[int]()
    return own | _asked_of_job(below) | _asked_of_job(above)


def whole_seconds(logarithms: Table) -> Whole:
    """Ten to the power of each, rounded, as Python says it one by one: NumPy's powers differ in the last bits, which
    matters only where one is all but halfway between two seconds."""
    if logarithms.size == 1:
        return np.array([round(10 ** min(logarithms.item(), LONGEST)) * A_SECOND], dtype=np.int64)
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
