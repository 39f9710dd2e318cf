"""The prices of a market for one customer, as columns, and what each second of a job costs by them: exact. Pure.

Everything comes from billing's own values. What does not grow with every second, or is not made of cores, nodes, cards
and memory by sums, maxima and factors alone, is `odd`: it is asked of billing, place by place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import reduce
from math import lcm

import numpy as np

from paracloud.billing.rate import BILLIONTHS_IN_A_MICRO_HOUR, PLAINLY_PRICED, Price, rate_work
from paracloud.billing.rule import (
    SECONDS_AN_HOUR,
    Expression,
    Largest,
    Quantities,
    Rule,
    Sum,
    Times,
    Unrated,
    Weighted,
    Worked,
    resources,
    value,
    with_none,
)
from paracloud.jobs.given import ROOM, Given
from paracloud.kit.money import MICRO
from paracloud.placement.columns import Flags, Whole

SECOND = timedelta(seconds=1)
NO_PRICE = -1
NOTHING: Whole = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Place:
    """One offer as a job of this shape meets it: at what price, given what at the most. `is_own`: on the customer's own
    nodes, for nothing."""

    price: Price | None
    upper: Quantities
    overrun: timedelta
    is_own: bool


@dataclass(frozen=True, slots=True)
class Worth:
    """For each place: whether there is a price for such a job, and the fraction of micro-units that a second is worth,
    unless that is `odd`; what the dearest tier makes of it, as a fraction; and the seconds that the centre may let it
    run on."""

    is_priced: Flags
    dividend: Whole
    divisor: Whole
    dearer: Whole
    by: Whole
    odd: Flags
    overrun: Whole


class Tariff:
    """`prices` are the customer's own choice at each place, None where there is none."""

    def __init__(self, prices: Sequence[Price | None], overruns: Sequence[timedelta]) -> None:
        self.prices = tuple(prices)
        size = len(self.prices)
        self._overrun = np.array([-(-one // SECOND) for one in overruns], dtype=np.int64)
        self._core, self._card = np.full(size, NO_PRICE), np.full(size, NO_PRICE)
        self._dearer, self._by = np.ones(size, dtype=np.int64), np.ones(size, dtype=np.int64)
        self._is_odd = np.zeros(size, dtype=np.bool_)
        by_rule: dict[int, tuple[Rule, list[int]]] = {}
        known: dict[Rule, int] = {}
        for at, price in enumerate(self.prices):
            if price is None:
                continue
            self._dearer[at], self._by[at] = price.dearest.numerator, price.dearest.denominator
            if price.rule is not None:
                number = known.setdefault(price.rule, len(known))
                by_rule.setdefault(number, (price.rule, []))[1].append(at)
                continue
            self._core[at] = int(price.core_hour.scaleb(9))
            self._card[at] = NO_PRICE if price.card_hour is None else int(price.card_hour.scaleb(9))
        self._rules = [(rule, np.array(at, dtype=np.int64), _compiled(rule)) for rule, at in by_rule.values()]

    def worth(self, given: Given) -> Worth:
        is_by_hours = self._core != NO_PRICE
        is_priced = is_by_hours & ((given.gpus == 0) | (self._card != NO_PRICE))
        dividend, divisor = np.zeros_like(self._core), np.ones_like(self._core)
        largest = int(self._core.max(initial=0)) * int(given.cores.max(initial=0))
        largest += int(self._card.max(initial=0)) * int(given.gpus.max(initial=0))
        odd = given.is_sliced.copy() if largest < ROOM else np.ones_like(is_priced)
        if largest < ROOM:
            by_hours = given.cores * self._core + given.gpus * np.maximum(self._card, 0)
            shared = np.gcd(by_hours, BILLIONTHS_IN_A_MICRO_HOUR)  # or long runs on many cores would not fit
            dividend = np.where(is_by_hours, by_hours // shared, 0)
            divisor = np.where(is_by_hours, BILLIONTHS_IN_A_MICRO_HOUR // shared, 1)
        for rule, at, weights in self._rules:
            found = None if weights is None else weights.of(given, at)
            if found is None:
                odd[at] = True
            else:
                dividend[at], divisor[at] = found
                is_priced[at] = _is_known(rule, given, at)
        return Worth(is_priced, dividend, divisor, self._dearer, self._by, odd, self._overrun)


@dataclass(frozen=True, slots=True)
class Weights:
    """A rule's expression as whole numbers over one denominator."""

    tree: Expression
    denominator: int

    def of(self, given: Given, at: Whole) -> tuple[Whole, Whole] | None:
        """Micro-units of a second, as a fraction in its lowest terms; None where 64 bits do not hold it."""
        amounts = {name: getattr(given, name)[at] for name in PLAINLY_PRICED}
        most = {name: int(one.max(initial=0)) for name, one in amounts.items()}
        if self._bound(self.tree, most) >= ROOM:
            return None
        top = self._value(self.tree, amounts, Fraction(1))
        shared = np.gcd(top, self.denominator)
        top, under = top // np.maximum(shared, 1), self.denominator // np.maximum(shared, 1)
        if int(top.max(initial=0)) * MICRO >= ROOM or int(under.max(initial=1)) * SECONDS_AN_HOUR >= ROOM:
            return None
        dividend, divisor = top * MICRO, under * SECONDS_AN_HOUR
        shared = np.gcd(dividend, divisor)
        return dividend // shared, divisor // shared

    def _value(self, tree: Expression, amounts: dict[str, Whole], factor: Fraction) -> Whole:
        match tree:
            case Weighted(resource, weight, per):
                return amounts[resource] * int(Fraction(weight) * factor / per * self.denominator)
            case Sum(parts):
                return sum((self._value(part, amounts, factor) for part in parts), start=NOTHING)
            case Largest(parts):
                return reduce(np.maximum, [self._value(part, amounts, factor) for part in parts])
            case Times(by, inner):
                return self._value(inner, amounts, factor * Fraction(by))
            case _:
                raise ValueError("compiled for sums, maxima and factors alone")

    def _bound(self, tree: Expression, most: dict[str, int]) -> Fraction:
        """Above all that is met on the way."""
        match tree:
            case Weighted(resource, weight, per):
                return most[resource] * Fraction(weight) / per * self.denominator
            case Sum(parts) | Largest(parts):
                return sum((self._bound(part, most) for part in parts), Fraction(0))
            case Times(by, inner):
                return max(Fraction(by), Fraction(1)) * self._bound(inner, most)
            case _:
                raise ValueError("compiled for sums, maxima and factors alone")


def worth_one_by_one(places: Sequence[Place]) -> Worth:
    """The same of any job, asked of billing place by place."""
    size = len(places)
    found = Worth(
        is_priced=np.zeros(size, dtype=np.bool_),
        dividend=np.zeros(size, dtype=np.int64),
        divisor=np.ones(size, dtype=np.int64),
        dearer=np.ones(size, dtype=np.int64),
        by=np.ones(size, dtype=np.int64),
        odd=np.zeros(size, dtype=np.bool_),
        overrun=np.array([-(-one.overrun // SECOND) for one in places], dtype=np.int64),
    )
    for at, place in enumerate(places):
        if not is_rated(place):
            continue
        found.is_priced[at] = True
        if place.is_own:
            continue
        assert place.price is not None, "what is rated has a price"  # noqa: S101
        by, dearest = _by_the_second(place.price, place.upper), place.price.dearest
        if by is None or max(*by, dearest.numerator, dearest.denominator) >= ROOM:
            found.odd[at] = True
            continue
        found.dividend[at], found.divisor[at] = by
        found.dearer[at], found.by[at] = dearest.numerator, dearest.denominator
    return found


def is_rated(place: Place) -> bool:
    """Whether it has a price that covers such a job."""
    if place.price is None or place.is_own:
        return place.price is not None
    try:
        rate_work(Worked(place.upper, 1), place.price, 0)
    except Unrated:
        return False
    return True


def _is_even(rule: Rule) -> bool:
    """Whether each second is worth what another is."""
    has_steps = rule.second_step != 1 or rule.least_seconds or rule.unit_step or rule.least_units
    return rule.is_timed and not has_steps and not rule.free_states


def _by_the_second(price: Price, upper: Quantities) -> tuple[int, int] | None:
    rule = price.rule
    if rule is None:
        worth = int(upper["cores"]) * price.core_hour.scaleb(9) + int(upper["gpus"]) * (price.card_hour or 0) * 10**9
        each = Fraction(int(worth), BILLIONTHS_IN_A_MICRO_HOUR)
        return each.numerator, each.denominator
    if not _is_even(rule):
        return None
    each = Fraction(value(rule.expression, with_none(rule, upper)) * MICRO, SECONDS_AN_HOUR)
    return each.numerator, each.denominator


def _is_known(rule: Rule, given: Given, at: Whole) -> Flags:
    """Whether the rule charges, or names as free, all that the job has there."""
    known = resources(rule.expression) | rule.free
    found: Flags = np.ones(at.size, dtype=np.bool_)
    for name in PLAINLY_PRICED - known:
        found &= getattr(given, name)[at] == 0
    return found


def _compiled(rule: Rule) -> Weights | None:
    under = _denominator(rule.expression, Fraction(1))
    return None if under is None or under >= ROOM or not _is_even(rule) else Weights(rule.expression, under)


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
