"""Charging rules as whole numbers, to be asked for every place of a market at once: exact. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import lcm
from typing import NamedTuple, TypeAlias

import numpy as np

from paracloud.billing.rate import PLAINLY_PRICED
from paracloud.billing.rule import SECONDS_AN_HOUR, Expression, Largest, Rule, Sum, Times, Weighted
from paracloud.jobs.given import ROOM, Given
from paracloud.kit.money import MICRO
from paracloud.placement.columns import Whole


def compiled(rule: Rule) -> "Weights | None":
    """None for a rule that does not charge each second alike, or is not made of cores, nodes, cards and memory by sums,
    maxima and factors alone."""
    under = _denominator(rule.expression, Fraction(1))
    if under is None or under >= ROOM or not is_even(rule):
        return None
    return Weights(_whole(rule.expression, Fraction(under)), under)


def is_even(rule: Rule) -> bool:
    """Whether each second is worth what another is."""
    has_steps = rule.second_step != 1 or rule.least_seconds or rule.unit_step or rule.least_units
    return rule.is_timed and not has_steps and not rule.free_states


@dataclass(frozen=True, slots=True)
class Weights:
    """A rule's expression as whole numbers over one denominator."""

    tree: "Tree"
    denominator: int

    def of(self, given: Given, at: Whole) -> tuple[Whole, Whole] | None:
        """Micro-units of a second, as a fraction in its lowest terms; None where 64 bits do not hold it."""
        amounts = {name: getattr(given, name)[at] for name in PLAINLY_PRICED}
        most = {name: int(one.max(initial=0)) for name, one in amounts.items()}
        if _bound(self.tree, most) >= ROOM:
            return None
        top = _value(self.tree, amounts)
        shared = np.gcd(top, self.denominator)
        top, under = top // np.maximum(shared, 1), self.denominator // np.maximum(shared, 1)
        if int(top.max(initial=0)) * MICRO >= ROOM or int(under.max(initial=1)) * SECONDS_AN_HOUR >= ROOM:
            return None
        dividend, divisor = top * MICRO, under * SECONDS_AN_HOUR
        shared = np.gcd(dividend, divisor)
        return dividend // shared, divisor // shared


class Leaf(NamedTuple):
    """So many times a resource."""

    resource: str
    times: int


class Branch(NamedTuple):
    """The sum of its parts, or the largest of them."""

    is_sum: bool
    parts: tuple["Tree", ...]


Tree: TypeAlias = Leaf | Branch


def _value(tree: Tree, amounts: Mapping[str, Whole]) -> Whole:
    if isinstance(tree, Leaf):
        return amounts[tree.resource] * tree.times
    return reduce(np.add if tree.is_sum else np.maximum, [_value(part, amounts) for part in tree.parts])


def _bound(tree: Tree, most: Mapping[str, int]) -> int:
    """Above all that is met on the way."""
    if isinstance(tree, Leaf):
        return most[tree.resource] * tree.times
    return sum(_bound(part, most) for part in tree.parts)


def _whole(tree: Expression, factor: Fraction) -> Tree:
    """`factor` makes all its numbers whole."""
    match tree:
        case Weighted(resource, weight, per):
            return Leaf(resource, int(Fraction(weight) * factor / per))
        case Sum(parts) | Largest(parts):
            return Branch(isinstance(tree, Sum), tuple(_whole(part, factor) for part in parts))
        case Times(by, inner):
            return _whole(inner, factor * Fraction(by))
        case _:
            raise ValueError("compiled for sums, maxima and factors alone")


def _denominator(tree: Expression, factor: Fraction) -> int | None:
    """One that makes all its numbers whole; None for what is not a sum, a maximum or a factor of what a job has."""
    match tree:
        case Weighted(resource, weight, per):
            return (Fraction(weight) * factor / per).denominator if resource in PLAINLY_PRICED else None
        case Sum(parts) | Largest(parts):
            each = [_denominator(part, factor) for part in parts]
            return lcm(*(one for one in each if one is not None)) if None not in each else None
        case Times(by, inner):
            return _denominator(inner, factor * Fraction(by))
        case _:
            return None
