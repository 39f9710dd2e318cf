"""Waits of one job at many places at once: at each just what `Waits.predict` says of it there. Pure.

What is known of the job is the same at all of them. A tree's splits on that are gone through once, and where the places
lie of its other splits is worked out once for all jobs. Jobs that no split tells apart share an answer.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.placement.columns import MICROSECOND, Flags, Whole
from paracloud.placement.trees import Forest, Tree
from paracloud.placement.wait_model import LONGEST, TreeWaits
from paracloud.placement.waits import Features, Waits

OF_JOB: Final = Features._fields.index("queue_cores")
"""So many features are of the job, and of its user; the others are of the place."""
KEPT_MOST: Final = 2048
"""Answers, of 16 bytes for each place."""
A_SECOND: Final = 1_000_000

Known: TypeAlias = tuple[float, ...]
"""The first features of a job, or the last ones of a place."""


class Waited(NamedTuple):
    """Microseconds at each place."""

    p50: Whole
    p90: Whole


class WideWaits:
    """`places`: what is known of each."""

    def __init__(self, waits: Waits, places: Sequence[Known]) -> None:
        self._waits, self._places = waits, places
        self._forests: tuple[WideForest, WideForest] | None = None
        self._splits: list[list[float]] = []
        if isinstance(waits, TreeWaits):
            table = np.array(places, dtype=np.float64).reshape(-1, len(Features._fields) - OF_JOB).T
            self._forests = WideForest(waits.middle, table), WideForest(waits.upper, table)
            splits = [one.splits for one in self._forests]
            self._splits = [sorted({*splits[0][at], *splits[1][at]}) for at in range(OF_JOB)]
        self._kept: dict[tuple[float, ...], Waited] = {}

    def predict(self, job: Known) -> Waited:
        """`job`: the first OF_JOB features."""
        key = self._alike(job)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= KEPT_MOST:
                self._kept.clear()
            found = self._kept[key] = self._asked(job)
        return found

    def _alike(self, job: Known) -> tuple[float, ...]:
        """The same for jobs that wait alike: between which thresholds each of their features lies."""
        if self._forests is None:
            return job
        return tuple(bisect_left(splits, value) for splits, value in zip(self._splits, job, strict=True))

    def _asked(self, job: Known) -> Waited:
        if self._forests is not None:
            middle, upper = (_powers(forest.values(job)) for forest in self._forests)
            return Waited(_whole_seconds(middle), _whole_seconds(np.maximum(middle, upper)))
        said = [self._waits.predict(Features._make((*job, *place))) for place in self._places]
        p50, p90 = [one.p50 // MICROSECOND for one in said], [one.p90 // MICROSECOND for one in said]
        return Waited(np.array(p50, dtype=np.int64), np.array(p90, dtype=np.int64))


def _powers(logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
    """As Python says it, one by one: NumPy's differ in the last bit."""
    return np.array([10**one for one in np.minimum(logarithms, LONGEST).tolist()], dtype=np.float64)


def _whole_seconds(seconds: NDArray[np.float64]) -> Whole:
    found: Whole = np.rint(seconds).astype(np.int64) * A_SECOND
    return found


class WideForest:
    """`places`: a row for each feature of a place. `splits`: the thresholds of each feature of a job."""

    def __init__(self, forest: Forest, places: NDArray[np.float64]) -> None:
        self._trees, self._places = forest.trees, places
        self._below: dict[tuple[int, float], Flags | bool] = {}
        self.splits: list[set[float]] = [set() for _ in range(OF_JOB)]
        for tree in self._trees:
            self._note(tree)

    def values(self, job: Known) -> NDArray[np.float64]:
        """Summed tree by tree, as `Forest.value` does: to the last bit."""
        total = np.zeros(self._places.shape[1])
        for tree in self._trees:
            total += self._of(tree, job)
        return total

    def _of(self, tree: Tree, job: Known) -> float | NDArray[np.float64]:
        while isinstance(tree, tuple):
            feature, threshold, below, above = tree
            is_below = job[feature] <= threshold if feature < OF_JOB else self._are_below(feature, threshold)
            if not isinstance(is_below, bool):
                return np.where(is_below, self._of(below, job), self._of(above, job))
            tree = below if is_below else above
        return tree

    def _are_below(self, feature: int, threshold: float) -> Flags | bool:
        """One word where all of them are, or none."""
        found = self._below.get((feature, threshold))
        if found is None:
            flags: Flags = self._places[feature - OF_JOB] <= threshold
            found = flags if flags.any() and not flags.all() else bool(flags.all())
            self._below[feature, threshold] = found
        return found

    def _note(self, tree: Tree) -> None:
        if isinstance(tree, tuple):
            feature, threshold, below, above = tree
            if feature < OF_JOB:
                self.splits[feature].add(threshold)
            self._note(below)
            self._note(above)
