"""Volume tiers: exact, the same whether a usage comes whole or in parts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.billing.rate import rate_units
from paracloud.billing.tiers import Piece, Tier, Tiers, read_tiers, split, worth, write_tiers
from paracloud.kit.errors import Invalid

TABLE = [
    {"starts_at": "0", "rate": "0.10"},
    {"starts_at": "100", "rate": "0.08"},
    {"starts_at": "1000.5", "rate": "0.05"},
]
FIRST, SECOND, LAST = read_tiers(TABLE).steps
AMOUNTS = st.one_of(
    st.integers(0, 10**7),
    st.decimals(0, 10**7, places=9),
    st.fractions(0, 10**7, max_denominator=3600),
)
RATES = st.decimals(0, 1000, places=9)
STARTS = st.lists(st.decimals(Decimal("0.001"), 10**6, places=3), unique=True, max_size=6).map(sorted)


@st.composite
def tables(draw: st.DrawFn) -> Tiers:
    return Tiers(tuple(Tier(start, draw(RATES)) for start in [Decimal(0), *draw(STARTS)]))


@pytest.mark.parametrize(
    ("before", "units", "expected"),
    [
        (0, 0, ()),
        (0, 99, (Piece(FIRST, Fraction(99)),)),
        (0, 100, (Piece(FIRST, Fraction(100)),)),
        (100, 1, (Piece(SECOND, Fraction(1)),)),
        (99, 2, (Piece(FIRST, Fraction(1)), Piece(SECOND, Fraction(1)))),
        (
            Decimal("99.5"),
            2000,
            (Piece(FIRST, Fraction(1, 2)), Piece(SECOND, Fraction(1801, 2)), Piece(LAST, Fraction(1099))),
        ),
        (10**12, Fraction(1, 3), (Piece(LAST, Fraction(1, 3)),)),
    ],
)
def test_a_charge_is_split_at_the_borders_of_tiers(before, units, expected):
    assert split(read_tiers(TABLE), before, units) == expected


def test_what_came_before_keeps_its_own_rate():
    assert worth(read_tiers(TABLE), 0, 2000) == Fraction("10") + Fraction("72.04") + Fraction("49.975")


@given(tables(), AMOUNTS, st.lists(AMOUNTS, max_size=6))
def test_a_usage_in_parts_is_worth_what_it_is_worth_whole(tiers, before, parts):
    at, told = Fraction(before), Fraction(0)
    for part in parts:
        told += worth(tiers, at, part)
        at += Fraction(part)
    assert told == worth(tiers, before, at - Fraction(before))


@given(tables(), AMOUNTS, AMOUNTS)
def test_no_unit_is_lost_and_none_counts_twice(tiers, before, units):
    pieces = split(tiers, before, units)
    assert sum(piece.units for piece in pieces) == Fraction(units)
    assert all(piece.units > 0 for piece in pieces)
    assert [tiers.steps.index(piece.tier) for piece in pieces] == sorted(
        {tiers.steps.index(one.tier) for one in pieces}
    )


@given(tables(), AMOUNTS, AMOUNTS)
def test_the_worth_is_that_of_each_unit_below_the_curve(tiers, before, units):
    """The other way to reckon it: what each border adds or takes away from there on."""

    def whole(reached: Fraction) -> Fraction:
        changes = zip(tiers.steps, (Tier(Decimal(0), Decimal(0)), *tiers.steps), strict=False)
        return sum(
            (
                max(reached - Fraction(step.starts_at), Fraction(0)) * (Fraction(step.rate) - Fraction(earlier.rate))
                for step, earlier in changes
            ),
            Fraction(0),
        )

    assert worth(tiers, before, units) == whole(Fraction(before) + Fraction(units)) - whole(Fraction(before))


@given(tables(), AMOUNTS, AMOUNTS, AMOUNTS)
def test_more_units_are_never_worth_less(tiers, before, units, more):
    assert worth(tiers, before, Fraction(units) + Fraction(more)) >= worth(tiers, before, units)


@given(AMOUNTS, AMOUNTS, RATES)
def test_one_tier_is_a_plain_price(before, units, price):
    tiers = Tiers((Tier(Decimal(0), price),))
    found = rate_units(worth(tiers, before, units), Decimal(1), "CNY", 0)
    assert found == rate_units(Fraction(units), price, "CNY", 0)


@given(tables())
def test_tiers_that_were_written_are_read_as_themselves(tiers):
    assert read_tiers(write_tiers(tiers)) == tiers


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ({}, "tiers"),
        ([], "tiers"),
        ([TABLE[0]] * 65, "tiers"),
        ([7], "tiers[0]"),
        ([{"starts_at": "0"}], "tiers[0].rate"),
        ([{"rate": "1"}], "tiers[0].starts_at"),
        ([{"starts_at": "1", "rate": "1"}], "tiers[0].starts_at"),
        ([TABLE[0], {"starts_at": "0", "rate": "1"}], "tiers[1].starts_at"),
        ([TABLE[0], TABLE[2], TABLE[1]], "tiers[2].starts_at"),
        ([{"starts_at": "0", "rate": 0.1}], "tiers[0].rate"),
        ([{"starts_at": "0", "rate": "-1"}], "tiers[0].rate"),
        ([{"starts_at": "0", "rate": "NaN"}], "tiers[0].rate"),
        ([{"starts_at": "0", "rate": "0.0000000001"}], "tiers[0].rate"),
        ([TABLE[0], {"starts_at": "1000000000000000", "rate": "1"}], "tiers[1].starts_at"),
        ([{"starts_at": "0", "rate": "1", "until": "5"}], "tiers[0]"),
    ],
)
def test_tiers_that_are_none_are_refused_with_their_place(tree, place):
    with pytest.raises(Invalid) as refusal:
        read_tiers(tree)
    assert refusal.value.field == place
    assert any("\u4e00" <= letter <= "\u9fff" for letter in refusal.value.zh)


@pytest.mark.parametrize("starts", [(), ("1",), ("0", "0"), ("0", "2", "1")])
def test_tiers_start_at_zero_and_rise(starts):
    with pytest.raises(ValueError, match="start at 0 and rise"):
        Tiers(tuple(Tier(Decimal(start), Decimal(1)) for start in starts))


def test_a_tier_may_start_beyond_what_any_price_may_be():
    far = read_tiers([TABLE[0], {"starts_at": "999999999999999", "rate": "0"}])
    assert worth(far, 10**12, 10) == 1


@pytest.mark.parametrize(("rate", "error"), [(Decimal(-1), ValueError), (Decimal("NaN"), ValueError), (0.1, TypeError)])
def test_a_rate_is_an_amount(rate, error):
    with pytest.raises(error, match=r"never negative|no amount|an amount is"):
        Tiers((Tier(Decimal(0), rate),))


@pytest.mark.parametrize(("before", "units"), [(-1, 0), (0, -1), (0, Decimal("NaN")), (Decimal("Infinity"), 1)])
def test_negative_and_endless_usage_is_refused(before, units):
    with pytest.raises(ValueError, match=r"never negative|no amount"):
        worth(read_tiers(TABLE), before, units)


@pytest.mark.parametrize("amount", [0.5, True, "1", None])
def test_a_binary_fraction_never_gets_in(amount):
    with pytest.raises(TypeError, match="an amount is"):
        worth(read_tiers(TABLE), 0, amount)
