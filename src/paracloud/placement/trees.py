"""Regression trees as plain values: read from JSON, asked without the library that grew them. Pure.

A tree is a leaf's number, or (feature's position, threshold, tree where the feature is at most that, tree where it is
more). What a model says is the sum of its trees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from paracloud.kit.errors import Invalid

DEPTH_MOST: Final = 64

Tree = float | tuple[int, float, "Tree", "Tree"]


@dataclass(frozen=True, slots=True)
class Forest:
    trees: tuple[Tree, ...]

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
    return Forest(tuple(_read(tree, features, 0) for tree in written))


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
