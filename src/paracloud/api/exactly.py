"""Numbers as people write them, exactly; or the field that is wrong."""

from datetime import date
from decimal import Decimal, InvalidOperation

from paracloud.kit.errors import Invalid
from paracloud.kit.money import Money
from paracloud.wire.base import FIRST_YEAR, LAST_YEAR

SECONDS_AN_HOUR = 3600


def a_decimal(field: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise Invalid(
            f"{field}: write a decimal number such as 0.10.", f"{field}：请填写小数，如 0.10。", field=field
        ) from error
    return number


def an_amount(field: str, text: str) -> Money:
    try:
        return Money.parse(text)
    except ValueError as error:
        raise Invalid(f"{field}: {error}.", f"{field}：请写成最多六位小数的数字，如 12.50。", field=field) from error


def whole_seconds(field: str, hours: str) -> int:
    """Hours with decimals, as long as they are whole seconds."""
    number = a_decimal(field, hours)
    seconds = number * SECONDS_AN_HOUR if number.is_finite() else Decimal("NaN")
    if not seconds.is_finite() or seconds != seconds.to_integral_value():
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
