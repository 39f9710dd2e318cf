"""The one place where usage becomes money. Pure, exact: integers and Decimal, one rounding a charge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil

from paracloud.billing.rule import Quantities, Rule, Unrated, Worked, listed, not_told, units, with_none
from paracloud.billing.tiers import Tiers, worth
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import OrganisationId, PriceVersionId, ProjectId
from paracloud.kit.money import MICRO, Money

WHOLE = 10_000
"""Basis points in a whole."""
BILLIONTHS_IN_A_MICRO_HOUR = 3_600_000
NO_CARD_PRICE = (
    "the price says nothing of cards (the operator adds a version with a card price, or with 0 where cards are free)",
    "该价格未涵盖加速卡（请运营者新增含卡时价的版本；如卡免费，须将卡时价写为 0）",
)

PLAINLY_PRICED = frozenset({"cores", "nodes", "gpus", "memory_bytes"})
"""Nodes and memory come with the cores."""


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour of a core and of a card (GPU) costs, in whole units of the currency, with nine decimals at most; or
    a charging rule, whose units are then such units of the currency. `card_hour` None: the price says nothing of cards,
    which is not free. `qos` None: any quality of service; `project` or `organisation`: that customer's own price.
    `tiers` are factors upon the customer's amounts of a month."""

    id: PriceVersionId
    product_line: ProductLine
    core_hour: Decimal
    card_hour: Decimal | None
    currency: str
    rule: Rule | None = None
    qos: str | None = None
    project: ProjectId | None = None
    organisation: OrganisationId | None = None
    tiers: Tiers | None = None

    @property
    def dearest(self) -> Fraction:
        """The highest factor of the tiers."""
        return (
            max((Fraction(step.rate) for step in self.tiers.steps), default=Fraction(1)) if self.tiers else Fraction(1)
        )


@dataclass(frozen=True, slots=True)
class Charge:
    """`share` goes to the centre, `margin` stays; they sum to `amount`."""

    amount: Money
    share: Money
    margin: Money


def rate(core_seconds: int, gpu_seconds: int, price: Price, share_basis_points: int) -> Charge:
    """Amount = (core-seconds * core price + card-seconds * card price) / 3600, rounded once, half to even, to the
    micro-unit; the centre's share is its part of that amount, rounded the same way; the margin is the rest. ValueError
    for negative usage or a share outside 0 to 10000; Unrated for cards of which the price says nothing."""
    if core_seconds < 0 or gpu_seconds < 0:
        raise ValueError("usage is never negative")
    if not 0 <= share_basis_points <= WHOLE:
        raise ValueError("a share is 0 to 10000 basis points")
    amount = rate_hours(core_seconds, gpu_seconds, price)
    share = part(amount, share_basis_points)
    return Charge(Money(amount, price.currency), Money(share, price.currency), Money(amount - share, price.currency))


def rate_hours(core_seconds: int, gpu_seconds: int, price: Price) -> int:
    """The amount in micro-units, in whole numbers alone: a price of nine decimals is whole billionths. Unrated for
    cards of which the price says nothing."""
    worth = core_seconds * _billionths(price.core_hour)
    if gpu_seconds:
        if price.card_hour is None:
            raise Unrated(*NO_CARD_PRICE)
        worth += gpu_seconds * _billionths(price.card_hour)
    return _half_even(worth, BILLIONTHS_IN_A_MICRO_HOUR)


@lru_cache(4096)
def _billionths(price: Decimal) -> int:
    whole = price.scaleb(9)
    if whole != whole.to_integral_value():
        raise ValueError("a price has nine decimals at most")
    return int(whole)


def _half_even(dividend: int, divisor: int) -> int:
    """For a positive divisor; the quotient is rounded to the nearest integer, a tie to the even one."""
    quotient, rest = divmod(dividend, divisor)
    return quotient + (2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1))


def rate_work(worked: Worked, price: Price, share_basis_points: int) -> Charge:
    """By the price's rule, where it has one; Unrated where that says nothing of such work."""
    if price.rule is not None:
        had = with_none(price.rule, worked.quantities) if worked.lists_all else worked.quantities
        known = replace(worked, quantities=had)
        return rate_units(units(price.rule, known), Decimal(1), price.currency, share_basis_points)
    require_plain(worked.quantities)
    cores, gpus = (int(worked.quantities[name]) * worked.seconds for name in ("cores", "gpus"))
    return rate(cores, gpus, price, share_basis_points)


def require_plain(quantities: Quantities) -> None:
    """Unrated where cores or cards are not told, and for what a price of core-hours and card-hours says nothing of: a
    licence, a GPU slice …"""
    for name in ("cores", "gpus"):
        if name not in quantities:
            raise not_told(name)
    others = [name for name, amount in quantities.items() if amount and name not in PLAINLY_PRICED]
    if others:
        en, zh = listed(others)
        raise Unrated(
            f"the price says nothing of {en} (the operator adds a version with a charging rule that charges it, or "
            "names it under `free` where it is free)",
            f"该价格未涵盖{zh}（请运营者新增含计费规则的版本：对其计费；如免费，须列入 free）",
        )


def rate_units(count: Fraction, unit_price: Decimal, currency: str, share_basis_points: int) -> Charge:
    """What a charging rule's units cost, rounded once like any charge. ValueError for a negative count or price."""
    if count < 0 or unit_price < 0:
        raise ValueError("usage and prices are never negative")
    if not 0 <= share_basis_points <= WHOLE:
        raise ValueError("a share is 0 to 10000 basis points")
    amount = round(count * Fraction(unit_price) * MICRO)  # a Fraction rounds a tie to the even number
    share = round(Fraction(amount * share_basis_points, WHOLE))
    return Charge(Money(amount, currency), Money(share, currency), Money(amount - share, currency))


def graduated(tiers: Tiers, before_micro: int, more_micro: int) -> int:
    """What list amounts of `more_micro` cost where the month had `before_micro` already: the difference of two rounded
    sums, so that a month's charges add up to the rounded price of their sum, whatever their order. Below nothing (what
    is given back of an earlier month) the first tier goes on."""
    return _tiered(tiers, before_micro + more_micro) - _tiered(tiers, before_micro)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Of a month's volume at a price with tiers, what one charge adds (a correction may take off): `list_micro`, from
    `volume_micro` on."""

    volume_micro: int
    list_micro: int


def stretched(tiers: Tiers, stretches: Iterable[Stretch]) -> int:
    """What a usage costs that was charged and then corrected so, in micro-units. What a correction takes off comes back
    at the price of where the volume was then, but never more than the usage cost until then."""
    cost = 0
    for one in stretches:
        cost = max(cost + graduated(tiers, one.volume_micro, one.list_micro), 0)
    return cost


def stretched_again(reversed_: Sequence[Stretch], list_micro: int) -> tuple[Stretch, ...]:
    """Of what is charged again at the price at which it was reversed: where it was, so that the same costs the same."""
    if sum(one.list_micro for one in reversed_) == list_micro:
        return tuple(reversed_)
    return (Stretch(reversed_[0].volume_micro, list_micro),)


def _tiered(tiers: Tiers, micro: int) -> int:
    if micro < 0:
        return round(micro * Fraction(tiers.steps[0].rate))
    return round(worth(tiers, 0, Fraction(micro, MICRO)) * MICRO)


def part(micro: int, basis_points: int) -> int:
    """A share of an amount, rounded half to even."""
    return _half_even(micro * basis_points, WHOLE)


@dataclass(frozen=True, slots=True)
class Most:
    """The most that a job can use and cost, at a price: what is to be reserved for it."""

    price: Price
    core_seconds: int
    card_seconds: int
    amount: Money


def most(upper: Quantities, wall_limit: timedelta, overrun: timedelta, price: Price, *, tasks: int = 1) -> Most:
    """Every task runs to its limit and on until the centre kills it (`overrun`). `upper` is what one task of the array
    can have at the most, on all its nodes. Unrated where the price says nothing of it."""
    seconds = -(-(wall_limit + overrun) // timedelta(seconds=1))
    each = rate_work(Worked(upper, seconds), price, 0).amount
    amount = ceil(each.micro * tasks * price.dearest)
    cores, cards = (int(upper[name]) * seconds * tasks for name in ("cores", "gpus"))
    return Most(price, cores, cards, Money(amount, each.currency))
