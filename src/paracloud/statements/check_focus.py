"""Whether a file of comma-separated values keeps the column rules of FOCUS 1.2."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from paracloud.statements.focus_columns import COLUMNS, Column, Level, Type

DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
CURRENCY = re.compile("[A-Z]{3}")
TIME = "%Y-%m-%dT%H:%M:%SZ"
CLOSE = Decimal("0.000001")
IN_CHINESE = {
    Type.STRING: "文本",
    Type.CURRENCY: " ISO 4217 货币代码（三个大写字母）",
    Type.DECIMAL: "十进制数",
    Type.TIME: " UTC 时间（如 2026-06-01T00:00:00Z）",
    Type.JSON: " JSON 对象",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` is that of the file, the first is 1; of several rules broken in a cell the first."""

    line: int
    column: str
    en: str
    zh: str


def check_focus(lines: Iterable[str]) -> Iterator[Finding]:
    """Each rule that is broken: a mandatory column that is missing, one that FOCUS does not know and that does not
    begin with `x_`, a null where none may be, a value of another type or not among those allowed, a usage or a purchase
    without a quantity, a list cost that is not quantity times price, a period that ends before it starts."""
    rows = csv.DictReader(lines)
    names = rows.fieldnames or []
    for column in COLUMNS.values():
        if column.level is Level.MANDATORY and column.name not in names:
            yield Finding(1, column.name, "mandatory, and not there", "缺少必需的列")
    for name in names:
        if name not in COLUMNS and not name.startswith("x_"):
            yield Finding(1, name, "not a column of FOCUS, and not named x_…", "不是 FOCUS 的列，也未以 x_ 开头")
    known = [COLUMNS[name] for name in names if name in COLUMNS]
    for row in rows:
        if None in row or None in row.values():
            yield Finding(rows.line_num, "", "not as many cells as columns", "单元格数与列数不符")
            continue
        broken = [Finding(rows.line_num, one.name, *what) for one in known if (what := _wrong(one, row[one.name]))]
        yield from broken or _together(rows.line_num, row)


def _wrong(column: Column, value: str) -> tuple[str, str] | None:
    if not value:
        return None if column.is_nullable else ("null, and may not be", "为空，但不允许为空")
    if column.allowed and value not in column.allowed:
        names = sorted(column.allowed)
        return f"{value!r} is not one of {', '.join(names)}", f"{value!r} 不在允许值之内：{'、'.join(names)}"
    if _fits(column.type, value):
        return None
    return f"{value!r} is no {column.type}", f"{value!r} 不是{IN_CHINESE[column.type]}"


def _fits(type_: Type, value: str) -> bool:
    if type_ is Type.DECIMAL:
        return DECIMAL.fullmatch(value) is not None
    if type_ is Type.CURRENCY:
        return CURRENCY.fullmatch(value) is not None
    try:
        if type_ is Type.TIME:
            datetime.strptime(value, TIME)  # noqa: DTZ007  # its Z is a letter of the format
        return type_ is not Type.JSON or isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False


def _together(line: int, row: Mapping[str, str]) -> Iterator[Finding]:
    """Rules of several columns, whose values are each of their type."""
    for what in ("BillingPeriod", "ChargePeriod"):
        if not row.get(f"{what}Start", "") < row.get(f"{what}End", "~"):
            yield Finding(line, f"{what}End", "not after the start", "不晚于开始时间")
    is_priced = row.get("ChargeCategory") in {"Usage", "Purchase"} and row.get("ChargeClass") != "Correction"
    quantity, price, cost = (row.get(name, "") for name in ("PricingQuantity", "ListUnitPrice", "ListCost"))
    if is_priced and not quantity:
        yield Finding(line, "PricingQuantity", "null for a usage or a purchase", "用量或购买不允许为空")
    elif price and quantity and cost and abs(Decimal(price) * Decimal(quantity) - Decimal(cost)) > CLOSE:
        yield Finding(
            line, "ListCost", f"{cost} is not {quantity} times {price}", f"{cost} 不等于 {quantity} 乘以 {price}"
        )
