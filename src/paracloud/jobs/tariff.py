"""The prices of a market for one customer, as columns, and what each second of a job costs by them: exact. Pure.

Everything comes from billing's own values. What does not grow with every second, or is not made of cores, nodes, cards
and memory by sums, maxima and factors alone, is `odd`: it is asked of billing, place by place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from paracloud.billing.rate import BILLIONTHS_IN_A_MICRO_HOUR, PLAINLY_PRICED, Price, rate_work
from paracloud.billing.rule import (
    SECONDS_AN_HOUR,
    Quantities,
    Rule,
    Unrated,
    Worked,
    resources,
    value,
    with_none,
)
from paracloud.jobs.given import ROOM, Given
from paracloud.jobs.weights import compiled, is_even
from paracloud.kit.money import MICRO
from paracloud.placement.columns import Flags, Whole

SECOND = timedelta(seconds=1)
NO_PRICE = -1
ZERO = Decimal(0)
PRICED = "is_priced", "dividend", "divisor", "dearer", "by", "dearest", "odd"
"""Of what a second is worth, the columns that hang on the price."""
Guess: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """One offer as a job of this shape meets it: at what price, given what at the most. `is_own`: on the customer's own
    nodes, for nothing."""

    price: Price | None
    upper: Quantities
    overrun: timedelta
    is_own: bool


class Overruns:
    """The seconds that each centre may let a job run on, the `shortest` and the `longest` of them."""

    def __init__(self, each: Sequence[timedelta]) -> None:
        self.each = np.array([-(-one // SECOND) for one in each], dtype=np.int64)
        self.shortest, self.longest = (int(found) for found in (self.each.min(initial=ROOM), self.each.max(initial=0)))


@dataclass(frozen=True, slots=True)
class Worth:
    """For each place: whether there is a price for such a job, and the fraction of micro-units that a second is worth,
    unless that is `odd`; what the `dearest` tier makes of it, as a fraction and about."""

    is_priced: Flags
    dividend: Whole
    divisor: Whole
    dearer: Whole
    by: Whole
    dearest: Guess
    odd: Flags
    overrun: Overruns

    def but(self, at: Sequence[int], others: "Worth") -> "Worth":
        """With the others at these places, where the centres are the same."""
        which = np.array(at, dtype=np.int64)
        found = {name: getattr(self, name).copy() for name in PRICED}
        for name, column in found.items():
            column[which] = getattr(others, name)
        return replace(self, **found)


class Prices:
    """A customer's own choice at `each` place; None where there is none."""

    def __init__(self, each: Sequence[Price | None]) -> None:
        self.each = tuple(each)
        self._in: dict[str, Flags] = {}

    def is_in(self, currency: str) -> Flags:
        """Where the price is."""
        if currency not in self._in:
            found = np.array([one is not None and one.currency == currency for one in self.each], dtype=np.bool_)
            if not found.any():
                return found
            self._in[currency] = found
        return self._in[currency]


class Tariff:
    """`prices` are the customer's own choice at each place, None where there is none."""

    def __init__(self, prices: Sequence[Price | None], overruns: Sequence[timedelta]) -> None:
        size = len(prices)
        self._overrun = Overruns(overruns)
        self._core, self._card = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        self._is_by_hours, self._has_card = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
        self._dearer, self._by = np.ones(size, dtype=np.int64), np.ones(size, dtype=np.int64)
        by_rule: dict[int, tuple[Rule, list[int]]] = {}
        known: dict[Rule, int] = {}
        for at, price in enumerate(prices):
            if price is None:
                continue
            self._dearer[at], self._by[at] = price.dearest.as_integer_ratio()
            if price.rule is not None:
                number = known.setdefault(price.rule, len(known))
                by_rule.setdefault(number, (price.rule, []))[1].append(at)
                continue
            self._is_by_hours[at], self._has_card[at] = True, price.card_hour is not None
            self._core[at], self._card[at] = int(price.core_hour.scaleb(9)), int((price.card_hour or ZERO).scaleb(9))
        self._dearest = self._dearer / self._by
        shared = np.gcd(np.gcd(self._core, self._card), BILLIONTHS_IN_A_MICRO_HOUR)  # or long runs would not fit
        self._core //= shared
        self._card //= shared
        self._divisor = np.where(self._is_by_hours, BILLIONTHS_IN_A_MICRO_HOUR // shared, 1)
        self._most = int(self._core.max(initial=0)), int(self._card.max(initial=0))
        self._rules = [(rule, np.array(at, dtype=np.int64), compiled(rule)) for rule, at in by_rule.values()]

    def worth(self, given: Given) -> Worth:
        is_priced = self._is_by_hours & ((given.gpus == 0) | self._has_card)
        core, card = self._most
        if core * int(given.cores.max(initial=0)) + card * int(given.gpus.max(initial=0)) < ROOM:
            odd, dividend = given.is_sliced.copy(), given.cores * self._core + given.gpus * self._card
        else:
            odd, dividend = np.ones_like(is_priced), np.zeros_like(self._core)
        divisor = self._divisor.copy()
        for rule, at, weights in self._rules:
            found = None if weights is None else weights.of(given, at)
            if found is None:
                odd[at] = True
            else:
                dividend[at], divisor[at] = found
                is_priced[at] = _is_known(rule, given, at)
        return Worth(is_priced, dividend, divisor, self._dearer, self._by, self._dearest, odd, self._overrun)


def worth_one_by_one(places: Sequence[Place]) -> Worth:
    """The same of any job, asked of billing place by place."""
    size = len(places)
    found = Worth(
        is_priced=np.zeros(size, dtype=np.bool_),
        dividend=np.zeros(size, dtype=np.int64),
        divisor=np.ones(size, dtype=np.int64),
        dearer=np.ones(size, dtype=np.int64),
        by=np.ones(size, dtype=np.int64),
        dearest=np.ones(size, dtype=np.float64),
        odd=np.zeros(size, dtype=np.bool_),
        overrun=Overruns([one.overrun for one in places]),
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
        found.dearer[at], found.by[at], found.dearest[at] = dearest.numerator, dearest.denominator, float(dearest)
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


def _by_the_second(price: Price, upper: Quantities) -> tuple[int, int] | None:
    rule = price.rule
    if rule is None:
        worth = int(upper["cores"]) * price.core_hour.scaleb(9) + int(upper["gpus"]) * (price.card_hour or 0) * 10**9
        each = Fraction(int(worth), BILLIONTHS_IN_A_MICRO_HOUR)
        return each.numerator, each.denominator
    if not is_even(rule):
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
