"""A file that breaks a rule of FOCUS is told which, and where."""

import csv
import io
import re

import pytest

from paracloud.statements.check_focus import check_focus
from paracloud.statements.focus_columns import COLUMNS, Level, Type

HAN = re.compile("[一-鿿]")
SOUND = {
    "BilledCost": "1.5", "BillingAccountId": "a", "BillingAccountName": "", "BillingCurrency": "CNY",
    "BillingPeriodEnd": "2026-07-01T00:00:00Z", "BillingPeriodStart": "2026-06-01T00:00:00Z",
    "ChargeCategory": "Usage", "ChargeClass": "", "ChargeDescription": "", "ChargePeriodEnd": "2026-06-01T02:00:00Z",
    "ChargePeriodStart": "2026-06-01T01:00:00Z", "ContractedCost": "1.5", "EffectiveCost": "1.5",
    "InvoiceIssuerName": "c", "ListCost": "3", "ListUnitPrice": "1.5", "PricingQuantity": "2", "PricingUnit": "Hours",
    "ProviderName": "c", "PublisherName": "c", "ServiceCategory": "Compute", "ServiceName": "s", "Tags": "{}",
}  # fmt: skip


def found(*rows: dict[str, str]) -> list[tuple[int, str]]:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    told = list(check_focus(out.getvalue().splitlines()))
    assert all(HAN.search(one.zh) for one in told)
    return [(one.line, one.column) for one in told]


def test_a_sound_file_has_nothing():
    assert found(SOUND, SOUND) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("BilledCost", ""), ("BilledCost", "1,5"), ("BilledCost", "NaN"), ("ChargeCategory", "Use"),
        ("ChargeClass", "Refund"), ("ServiceCategory", "Service Category"), ("ChargePeriodStart", "2026-06-01"),
        ("ChargePeriodEnd", "2026-06-01T01:00:00Z"), ("BillingPeriodStart", "2026-06-01T00:00:00+08:00"),
        ("Tags", "[]"), ("Tags", "{"), ("PricingQuantity", ""), ("ListCost", "3.00001"), ("ProviderName", ""),
        ("BillingCurrency", "CN"), ("BillingCurrency", "cny"), ("BillingCurrency", "元元元"),
    ],
)  # fmt: skip
def test_a_broken_cell_is_named_with_its_line(column, value):
    place = {"ChargePeriodStart": "ChargePeriodStart"}.get(column, column)
    assert found(SOUND, SOUND | {column: value}) == [(3, place)]


@pytest.mark.parametrize("column", [one.name for one in COLUMNS.values() if one.level is Level.MANDATORY])
def test_a_mandatory_column_that_is_missing_is_named(column):
    assert (1, column) in found({name: value for name, value in SOUND.items() if name != column})


def test_columns_of_ones_own_are_named_so():
    assert found(SOUND | {"x_Queue": "cpu"}) == []
    assert found(SOUND | {"Queue": "cpu"}) == [(1, "Queue")]


def test_a_row_that_is_cut_is_named():
    text = ",".join(SOUND) + "\n" + ",".join(list(SOUND.values())[:-1])
    assert [(one.line, one.en) for one in check_focus(text.splitlines())] == [(2, "not as many cells as columns")]


def test_there_are_the_columns_of_version_1_2():
    assert len(COLUMNS) == 57
    assert sum(one.level is Level.MANDATORY for one in COLUMNS.values()) == 21
    assert [one.name for one in COLUMNS.values() if one.type is Type.JSON] == ["SkuPriceDetails", "Tags"]
