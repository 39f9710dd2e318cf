"""Numbers as people write them, exactly; or the field that is wrong."""

import re
from datetime import date
from decimal import Decimal

from paracloud.kit.errors import Invalid
from paracloud.kit.money import Money
from paracloud.wire.base import FIRST_YEAR, LAST_YEAR

SECONDS_AN_HOUR = 3600
DECIMAL = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?")
"""Of a bounded length: what Decimal reads besides, such as 9E+999999, takes minutes to reckon with."""
LARGE = re.compile(r"-?[0-9]{14,}(?:\.[0-9]{1,6})?")
"""More digits than an amount is read with."""
HIGHEST = Money.parse("1000000000")
"""What any one amount is at most, up or down, so that sums of them stay far within a BIGINT."""


def a_decimal(field: str, text: str) -> Decimal:
    if not DECIMAL.fullmatch(text):
        raise Invalid(
            f"{field}: write a decimal number of at most twelve digits and nine decimals, such as 0.10.",
            f"{field}：请填写最多十二位整数、九位小数的数字，如 0.10。",
            field=field,
        )
    return Decimal(text)


def an_amount(field: str, text: str) -> Money:
    if LARGE.fullmatch(text):
        raise _too_much(field)
    try:
        amount = Money.parse(text)
    except ValueError as error:
        raise Invalid(f"{field}: {error}.", f"{field}：请写成最多六位小数的数字，如 12.50。", field=field) from error
    if abs(amount.micro) > HIGHEST.micro:
        raise _too_much(field)
    return amount


def _too_much(field: str) -> Invalid:
    return Invalid(f"{field}: at most {HIGHEST}.", f"{field}：最多 {HIGHEST}。", field=field)


def whole_seconds(field: str, hours: str) -> int:
    """Hours with decimals, as long as they are whole seconds."""
    seconds = a_decimal(field, hours) * SECONDS_AN_HOUR
    if seconds != seconds.to_integral_value():
        raise Invalid(
            f"{field}: hours, in whole seconds at the finest.", f"{field}：请填写核时或卡时，精确到秒。", field=field
        )
    return int(seconds)


def a_month(text: str) -> date:
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise Invalid("month: write it as 2026-06.", "month：请写成 2026-06。", field="month") from error
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        raise Invalid(
            f"month: it lies in the years {FIRST_YEAR} to {LAST_YEAR}.",
            f"month：必须在 {FIRST_YEAR} 到 {LAST_YEAR} 年之间。",
            field="month",
        )
    return month
