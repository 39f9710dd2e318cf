"""The rate as SQL is the rate: to the micro-yuan, for every usage and price that there can be."""

from decimal import Decimal

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paracloud.billing.rate import Price, rate
from paracloud.billing.rate_sql import amount_sql, billionths_sql, share_sql
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import PriceVersionId, new_uuid

SECONDS = st.integers(0, 10**15)
PRICES = st.decimals(0, 999_999, places=9)
AMOUNT = amount_sql("$core_seconds", "$gpu_seconds", billionths_sql("$core_hour"), billionths_sql("$card_hour"))
QUERY = f"SELECT amount, {share_sql('amount', '$share')} FROM (SELECT {AMOUNT} AS amount)"  # noqa: S608  # the expressions are ours


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


@given(SECONDS, SECONDS, PRICES, PRICES, st.integers(0, 10_000))
@example(1, 0, Decimal("0.0018"), Decimal(0), 5000)  # half a micro-yuan: to the even zero
@example(3, 0, Decimal("0.0018"), Decimal(0), 5000)  # one and a half: to the even two
@example(10**15, 10**15, Decimal("999999"), Decimal("999999"), 9999)
def test_the_same_amount_and_share(connection, core_seconds, gpu_seconds, core, card, share):
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, core, card, "CNY")
    expected = rate(core_seconds, gpu_seconds, price, share)
    values = {
        "core_seconds": core_seconds,
        "gpu_seconds": gpu_seconds,
        "core_hour": format(core, "f"),
        "card_hour": format(card, "f"),
        "share": share,
    }
    (row,) = connection.execute(QUERY, values).fetchall()
    assert (int(row[0]), int(row[1])) == (expected.amount.micro, expected.share.micro)


def test_where_the_price_says_nothing_of_cards_their_use_has_no_amount_and_the_rest_has_its_own(connection):
    values = {"core_seconds": 3600, "core_hour": "0.1", "card_hour": None, "share": 5000}
    found = [connection.execute(QUERY, values | {"gpu_seconds": cards}).fetchone() for cards in (0, 1)]
    assert found == [(100_000, 50_000), (None, None)]


def test_what_had_other_resources_has_no_amount_at_a_price_of_hours_and_the_rest_has_its_own(connection):
    words = "$core_seconds", "$gpu_seconds", billionths_sql("$core_hour"), billionths_sql("$card_hour")
    query = f"SELECT {amount_sql(*words, '$others')}"
    values = {"core_seconds": 3600, "gpu_seconds": 0, "core_hour": "0.1", "card_hour": "1"}
    found = [connection.execute(query, values | {"others": others}).fetchone()[0] for others in (0, 1, 3)]
    assert found == [100_000, None, None]
