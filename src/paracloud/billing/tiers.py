"""Volume tiers: each unit of a period is worth the rate of the tier that it falls in (graduated: what came before keeps
its own). Pure, exact; `billing.rate` rounds, once.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from paracloud.billing.exact import exact
from paracloud.billing.fields import a_decimal, a_list, an_object, invalid

UNITS_BELOW = 10**15
Amount: TypeAlias = int | Decimal | Fraction


@dataclass(frozen=True, slots=True)
class Tier:
    """From `starts_at` units of the period on, up to where the next tier starts, a unit is worth `rate`: a price, a
    factor upon one, or the part of an amount that is a centre's share."""

    starts_at: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Tiers:
    """The first starts at 0, each later than the one before; the last has no end. ValueError otherwise."""

    steps: tuple[Tier, ...]

    def __post_init__(self) -> None:
        for step in self.steps:
            exact(step.starts_at)
            exact(step.rate)
        starts = [step.starts_at for step in self.steps]
        if not starts or starts[0] != 0 or any(later <= sooner for sooner, later in pairwise(starts)):
            raise ValueError("tiers start at 0 and rise")


@dataclass(frozen=True, slots=True)
class Piece:
    """The units of one charge that fall in one tier."""

    tier: Tier
    units: Fraction

    @property
    def worth(self) -> Fraction:
        return self.units * Fraction(self.tier.rate)


def split(tiers: Tiers, before: Amount, units: Amount) -> tuple[Piece, ...]:
    """One charge over the tiers, lowest first, where `before` units of the period were counted already; no units, no
    pieces. A unit that ends upon a border is the lower tier's. ValueError for a negative amount."""
    low = exact(before)
    high = low + exact(units)
    ends = [Fraction(step.starts_at) for step in tiers.steps[1:]]
    pieces = []
    for number, tier in enumerate(tiers.steps):
        end = min(high, ends[number]) if number < len(ends) else high
        start = max(low, Fraction(tier.starts_at))
        if end > start:
            pieces.append(Piece(tier, end - start))
    return tuple(pieces)


def worth(tiers: Tiers, before: Amount, units: Amount) -> Fraction:
    """Not rounded, so that a usage told in parts is worth what it is worth whole."""
    return sum((piece.worth for piece in split(tiers, before, units)), Fraction(0))


def read_tiers(tree: object, at: str = "tiers") -> Tiers:
    """From a list such as [{"starts_at": "0", "rate": "0.10"}, {"starts_at": "100000", "rate": "0.08"}]; Invalid with
    the place."""
    steps = [_tier(one, f"{at}[{number}]") for number, one in enumerate(a_list(tree, at))]
    if not steps:
        raise invalid(at, "at least one tier", "至少需要一档")
    if steps[0].starts_at != 0:
        raise invalid(f"{at}[0].starts_at", "the first tier starts at 0", "第一档必须从 0 开始")
    for number, (sooner, later) in enumerate(pairwise(steps), start=1):
        if later.starts_at <= sooner.starts_at:
            raise invalid(
                f"{at}[{number}].starts_at", "a tier starts later than the one before", "每一档的起点必须高于前一档"
            )
    return Tiers(tuple(steps))


def write_tiers(tiers: Tiers) -> list[dict[str, str]]:
    """What `read_tiers` reads as these very tiers."""
    return [{"starts_at": format(step.starts_at, "f"), "rate": format(step.rate, "f")} for step in tiers.steps]


def _tier(tree: object, at: str) -> Tier:
    fields = an_object(tree, at, {"starts_at", "rate"})
    return Tier(
        a_decimal(fields.get("starts_at"), f"{at}.starts_at", below=UNITS_BELOW),
        a_decimal(fields.get("rate"), f"{at}.rate"),
    )
