"""Regression trees as plain values: read from JSON, asked without the library that grew them. Pure.

A tree is a leaf's number, or (feature's position, threshold, tree where the feature is at most that, tree where it is
more). What a model says is the sum of its trees. Leaves are whole numbers of a GRAIN, and so few and small that 53 bits
hold every sum of them: whoever adds them, in whatever order, gets the same to the last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

from paracloud.kit.errors import Invalid

DEPTH_MOST: Final = 64
LEAVES_MOST: Final = 64
"""Of a tree: bits of a word."""
GRAIN: Final = 2.0**-30
LEAF_MOST, TREES_MOST = 512.0, 4096

Tree = float | tuple[int, float, "Tree", "Tree"]


@dataclass(frozen=True, slots=True)
class Forest:
    """Its leaves are rounded to the GRAIN, within LEAF_MOST on either side of nothing. ValueError for what is not a
    number, and for more than TREES_MOST trees, or LEAVES_MOST leaves of one."""

    trees: tuple[Tree, ...]

    def __post_init__(self) -> None:
        if len(self.trees) > TREES_MOST or any(_leaves(tree) > LEAVES_MOST for tree in self.trees):
            raise ValueError(f"more than {TREES_MOST} trees, or {LEAVES_MOST} leaves of one")
        object.__setattr__(self, "trees", tuple(_rounded(tree) for tree in self.trees))

    def value(self, features: Sequence[float]) -> float:
        total = 0.0
        for tree in self.trees:
            at = tree
            while isinstance(at, tuple):
                feature, threshold, below, above = at
                at = below if features[feature] <= threshold else above
            total += at
        return total


def write_forest(forest: Forest) -> list[Any]:
    """As JSON holds it: a tree is a number, or a list of four."""
    return [_write(tree) for tree in forest.trees]


def read_forest(written: object, features: int) -> Forest:
    """Invalid for what is no forest over so many features: nothing of it is believed unseen."""
    if not isinstance(written, list):
        raise _bad("no list of trees")
    trees = tuple(_read(tree, features, 0) for tree in written)
    try:
        return Forest(trees)
    except ValueError as wrong:
        raise _bad(str(wrong)) from wrong


def _leaves(tree: Tree) -> int:
    return _leaves(tree[2]) + _leaves(tree[3]) if isinstance(tree, tuple) else 1


def _rounded(tree: Tree) -> Tree:
    if not isinstance(tree, tuple):
        if isnan(tree):
            raise ValueError("a leaf that is not a number")
        return round(max(-LEAF_MOST, min(tree, LEAF_MOST)) / GRAIN) * GRAIN
    feature, threshold, below, above = tree
    return feature, threshold, _rounded(below), _rounded(above)


def _write(tree: Tree) -> float | list[Any]:
    if not isinstance(tree, tuple):
        return tree
    feature, threshold, below, above = tree
    return [feature, threshold, _write(below), _write(above)]


def _read(written: object, features: int, depth: int) -> Tree:
    match written:
        case bool():
            raise _bad("neither a leaf nor a split")
        case int() | float():
            return float(written)
        case [int(feature), int() | float() as threshold, below, above]:
            if not 0 <= feature < features or depth >= DEPTH_MOST:
                raise _bad(f"a split on feature {feature} at depth {depth}")
            return feature, float(threshold), _read(below, features, depth + 1), _read(above, features, depth + 1)
        case _:
            raise _bad("neither a leaf nor a split")


def _bad(what: str) -> Invalid:
    return Invalid(f"This is no model of waits: {what}.", f"这不是有效的排队时间模型：{what}。")
