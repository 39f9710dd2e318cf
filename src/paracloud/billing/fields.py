"""One field of what an operator writes as JSON or TOML, read or refused with its place, such as units.max[1].weight."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from paracloud.kit.errors import Invalid

DECIMALS, HIGHEST = 9, 10**9
"""A price or weight is below HIGHEST, as in NUMERIC(18, 9)."""
MOST_ITEMS = 64
_DECIMAL = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?")


def an_object(tree: object, at: str, known: set[str]) -> Mapping[str, object]:
    if not isinstance(tree, Mapping):
        raise invalid(at, "write an object", "必须是对象")
    if unknown := sorted(str(key) for key in tree if key not in known):
        raise invalid(at, f"there is no field {unknown[0][:80]}", f"没有字段 {unknown[0][:80]}")
    return tree


def a_list(tree: object, at: str) -> Sequence[object]:
    if not isinstance(tree, list) or len(tree) > MOST_ITEMS:
        raise invalid(at, f"write a list of at most {MOST_ITEMS}", f"必须是最多 {MOST_ITEMS} 项的列表")
    return tree


def a_decimal(given: object, at: str, *, below: int = HIGHEST) -> Decimal:
    """As text, so that nobody's binary fraction gets in; in digits and a point only."""
    found = Decimal(given) if isinstance(given, str) and _DECIMAL.fullmatch(given) else None
    if found is None or found >= below:
        raise invalid(
            at,
            f'a number in quotes, such as "0.25", from 0 to below {below} with at most {DECIMALS} decimals',
            f'写成带引号的数字，如 "0.25"，不小于 0 且小于 {below}，最多 {DECIMALS} 位小数',
        )
    return found


def a_whole(given: object, at: str, least: int, most: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        raise invalid(at, f"a whole number from {least} to {most}", f"{least} 到 {most} 的整数")
    return given


def a_flag(given: object, at: str) -> bool:
    if not isinstance(given, bool):
        raise invalid(at, "true or false", "true 或 false")
    return given


def invalid(at: str, en: str, zh: str) -> Invalid:
    return Invalid(f"{at}: {en}.", f"{at}：{zh}。", field=at)
