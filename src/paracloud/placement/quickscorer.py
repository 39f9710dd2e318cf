"""What a forest says of many rows at once. Pure.

The leaves of a tree are bits of a word, from left to right. A split that a row lies above takes from it the leaves
below the split; the leaf that it ends in is the lowest bit that no split took (QuickScorer: C. Lucchese et al., SIGIR
2015). What all splits of a feature take depends only on which of their thresholds the row lies between, so it is worked
out once; and what is taken by one half of the features and by the other are taken together by one AND.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.placement.trees import LEAVES_MOST, Tree

Words: TypeAlias = NDArray[np.unsignedinteger[Any]]
"""What is left of each tree: (…, tree)."""
ALL = slice(None)


class QuickScorer:
    def __init__(self, trees: Sequence[Tree]) -> None:
        grown = _Grown(trees)
        self._all: Words = np.full(len(trees), -1, dtype=np.int64).view(np.uint64).astype(grown.word)
        self._leaves = np.array(grown.leaves, dtype=np.float64)
        self._before_first = np.array(grown.first, dtype=np.int64) - 1
        self._split: list[tuple[int, list[float], Words]] = []
        for feature in sorted({split[0] for split in grown.splits}):
            splits = [split for split in grown.splits if split[0] == feature]
            thresholds = sorted({threshold for _, threshold, _, _ in splits})
            left = np.tile(self._all, (len(thresholds) + 1, 1))
            for _, threshold, tree, taken in splits:
                left[bisect_left(thresholds, threshold) + 1, tree] &= self._all.dtype.type(~taken & int(self._all[0]))
            self._split.append((feature, thresholds, np.bitwise_and.accumulate(left, axis=0)))

    def left(self, values: Sequence[float]) -> Words:
        """By the first features: (tree,)."""
        found = self._all.copy()
        for feature, thresholds, left in self._split:
            if feature >= len(values):
                break
            found &= left[bisect_left(thresholds, values[feature])]
        return found

    def left_of_rows(self, first: int, table: NDArray[np.float64]) -> Words:
        """By the features from number `first` on. `table`: (feature, row). Returns (row, tree)."""
        found = np.tile(self._all, (table.shape[1], 1))
        for feature, thresholds, left in self._split:
            if feature >= first:
                found &= left.take(np.searchsorted(thresholds, table[feature - first]), axis=0)
        return found

    def said(self, left: Words, trees: slice = ALL) -> NDArray[np.float64]:
        """By these trees: (row, tree). `left`: by all features, of the same shape."""
        leaves = np.bitwise_count(left ^ (left - 1)) + self._before_first[trees]  # the lowest bit and those below it
        found: NDArray[np.float64] = self._leaves.take(leaves)
        return found


class _Grown:
    """The trees laid out. `first`: the number of each tree's first leaf; `splits`: feature, threshold, tree, and the
    bits of the leaves that it takes."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self.leaves: list[float] = []
        self.first: list[int] = []
        self.splits: list[tuple[int, float, int, int]] = []
        most = 0
        for number, tree in enumerate(trees):
            self.first.append(len(self.leaves))
            most = max(most, self._lay(tree, number, 0))
        self.word = next(
            word for bits, word in ((8, np.uint8), (16, np.uint16), (LEAVES_MOST, np.uint64)) if most <= bits
        )

    def _lay(self, tree: Tree, number: int, at: int) -> int:
        """How many leaves it has; the first is the tree's number `at`."""
        if not isinstance(tree, tuple):
            self.leaves.append(tree)
            return 1
        feature, threshold, below, above = tree
        lower = self._lay(below, number, at)
        self.splits.append((feature, threshold, number, ((1 << lower) - 1) << at))
        return lower + self._lay(above, number, at + lower)
