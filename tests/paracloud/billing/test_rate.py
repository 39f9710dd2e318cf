"""One multiplication, one rounding: recomputed here with fractions, without the code under test."""

import ast
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import paracloud.billing.rate as rate_module
from paracloud.billing.rate import Price, most, rate
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import PriceVersionId, new_uuid
from paracloud.kit.money import Money

PRICES = st.decimals(0, 10_000, places=9, allow_nan=False, allow_infinity=False)
SECONDS = st.integers(0, 10**12)


def price(core: Decimal, card: Decimal) -> Price:
    return Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, core, card, "CNY")


@given(cores=SECONDS, cards=SECONDS, core=PRICES, card=PRICES, share=st.integers(0, 10_000))
def test_a_charge_is_the_exact_product_rounded_once_half_to_even(cores, cards, core, card, share) -> None:
    charge = rate(cores, cards, price(core, card), share)
    exact = (cores * Fraction(core) + cards * Fraction(card)) * 1_000_000 / 3600
    assert charge.amount.micro == round(exact)
    assert charge.share.micro == round(Fraction(charge.amount.micro * share, 10_000))
    assert charge.share + charge.margin == charge.amount


def test_a_core_hour_at_ten_fen_costs_ten_fen() -> None:
    assert rate(3600, 0, price(Decimal("0.10"), Decimal(0)), 8000).amount == Money.parse("0.10")


@pytest.mark.parametrize(("cores", "cards", "share"), [(-1, 0, 0), (0, -1, 0), (0, 0, -1), (0, 0, 10_001)])
def test_negative_usage_and_impossible_shares_are_refused(cores: int, cards: int, share: int) -> None:
    with pytest.raises(ValueError, match=r"never negative|basis points"):
        rate(cores, cards, price(Decimal(1), Decimal(1)), share)


@given(cores=st.integers(1, 10_000), tasks=st.integers(1, 100), core=PRICES, seconds=st.integers(1, 10**6))
def test_no_run_within_limit_and_overrun_costs_more_than_the_most(cores, tasks, core, seconds) -> None:
    bound = most(
        {"cores": cores, "gpus": 0},
        timedelta(seconds=seconds),
        timedelta(seconds=120),
        price(core, Decimal(0)),
        tasks=tasks,
    )
    ran = rate(cores * (seconds + 120), 0, price(core, Decimal(0)), 0).amount.micro * tasks
    assert ran <= bound.amount.micro
    assert bound.core_seconds == cores * (seconds + 120) * tasks


def test_no_float_stands_in_the_billing_room() -> None:
    for file in Path(rate_module.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"{file.name}:{node.lineno}"
            assert not (isinstance(node, ast.Name) and node.id == "float"), f"{file.name}:{node.lineno}"
