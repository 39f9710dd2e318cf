"""Charging rules as JSON, the way they are stored and written by the operator; and Slurm's own billing weights."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from paracloud.billing.rule import Ceiling, Expression, Largest, Rule, Sum, Times, Truncated, Weighted
from paracloud.kit.errors import Invalid

DECIMALS, HIGHEST = 9, Decimal(1_000_000_000)
DEPTH, SIZE = 8, 64
SECONDS_MOST = 86_400
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "MB": 10**6, "GB": 10**9, "TB": 10**12}
PLAIN = frozenset({"cores", "nodes", "node_cores", "gpus", "memory_bytes", "tokens"})
FAMILIES = ("storage_bytes.", "licence.", "gpu_slices.", "resource.")
_NAME = re.compile(r"[a-z_]+(?:\.[A-Za-z0-9_.:/-]{1,80})?")
_STATE = re.compile(r"[A-Za-z_]{1,40}")
_FLAGS = ("is_timed", "free", "free_states", "grace_seconds", "least_seconds", "second_step")


def read_rule(tree: object) -> Rule:
    """Invalid with the place, like rule.units.max[1].weight, for whatever is not exactly a rule."""
    fields = _object(tree, "rule", {"units", *_FLAGS})
    count = [0]
    expression = _expression(fields.get("units"), "rule.units", 1, count)
    return Rule(
        expression=expression,
        is_timed=_flag(fields.get("is_timed", True), "rule.is_timed"),
        free=_each(_resource, fields.get("free", []), "rule.free"),
        free_states=_each(_state, fields.get("free_states", []), "rule.free_states"),
        grace_seconds=_whole(fields.get("grace_seconds", 0), "rule.grace_seconds", 0),
        least_seconds=_whole(fields.get("least_seconds", 0), "rule.least_seconds", 0),
        second_step=_whole(fields.get("second_step", 1), "rule.second_step", 1),
    )


def write_rule(rule: Rule) -> dict[str, object]:
    """What `read_rule` reads as this very rule."""
    return {
        "units": _tree(rule.expression),
        "is_timed": rule.is_timed,
        "free": sorted(rule.free),
        "free_states": sorted(rule.free_states),
        "grace_seconds": rule.grace_seconds,
        "least_seconds": rule.least_seconds,
        "second_step": rule.second_step,
    }


def slurm_weights(text: str) -> Expression:
    """TRESBillingWeights of a partition, such as CPU=1.0,Mem=0.25G,GRES/gpu=2.0,license/licA=1.5 (man slurm.conf): a
    sum, cut to a whole number. Memory counts by MiB, or by what its suffix says."""
    parts = []
    for item in text.split(","):
        name, equals, weight = item.strip().partition("=")
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([KMGTP]?)", weight.strip())
        kind = _SLURM.get(name.lower())
        if not equals or found is None or (found[2] and name.lower() != "mem"):
            raise _invalid("weights", f"{item!r} is no weight", f"{item!r} 不是有效的权重")
        if name.lower() == "mem":
            parts.append(Weighted("memory_bytes", Decimal(found[1]), per=_SLURM_UNITS[found[2]]))
        elif kind is not None:
            parts.append(Weighted(kind, Decimal(found[1])))
        elif name.lower().startswith("license/"):
            parts.append(Weighted(f"licence.{name.partition('/')[2]}", Decimal(found[1])))
        else:
            raise _invalid("weights", f"{name!r} is no resource that is metered", f"{name!r} 不是可计量的资源")
    return Truncated(Sum(tuple(parts)))


_SLURM = {"cpu": "cores", "node": "nodes", "gres/gpu": "gpus"}
_SLURM_UNITS = {"": 1 << 20, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}


def _expression(tree: object, at: str, depth: int, count: list[int]) -> Expression:
    count[0] += 1
    if depth > DEPTH or count[0] > SIZE:
        raise _invalid(at, f"a rule has at most {DEPTH} levels and {SIZE} parts", f"规则最多 {DEPTH} 层、{SIZE} 个部分")
    fields = _object(tree, at, {"resource", "weight", "per", *_KINDS, "times", "of"})
    if "resource" in fields:
        return _weighted(_object(tree, at, {"resource", "weight", "per"}), at)
    if "times" in fields:
        inner = _object(tree, at, {"times", "of"})
        factor = _decimal(inner["times"], f"{at}.times")
        return Times(factor, _expression(inner.get("of"), f"{at}.of", depth + 1, count))
    if len(fields) != 1 or (kind := next(iter(fields))) not in _KINDS:
        words = ", ".join(("resource", "times", *_KINDS))
        raise _invalid(at, f"exactly one of {words}", f"必须且只能是以下之一：{words}")
    return _KINDS[kind](fields[kind], f"{at}.{kind}", depth, count)


def _many(make: Callable[[tuple[Expression, ...]], Expression]) -> Callable[[object, str, int, list[int]], Expression]:
    def read(tree: object, at: str, depth: int, count: list[int]) -> Expression:
        parts = _list(tree, at)
        if not parts:
            raise _invalid(at, "at least one part", "至少需要一个部分")
        return make(tuple(_expression(one, f"{at}[{i}]", depth + 1, count) for i, one in enumerate(parts)))

    return read


def _one(make: Callable[[Expression], Expression]) -> Callable[[object, str, int, list[int]], Expression]:
    return lambda tree, at, depth, count: make(_expression(tree, at, depth + 1, count))


_KINDS: Mapping[str, Callable[[object, str, int, list[int]], Expression]] = {
    "sum": _many(Sum),
    "max": _many(Largest),
    "ceil": _one(Ceiling),
    "trunc": _one(Truncated),
}


def _weighted(fields: Mapping[str, object], at: str) -> Weighted:
    per = fields.get("per", 1)
    if isinstance(per, str):
        if per not in UNITS:
            words = ", ".join(UNITS)
            raise _invalid(f"{at}.per", f"a whole number or one of {words}", f"整数，或 {words} 之一")
        per = UNITS[per]
    return Weighted(
        _resource(fields["resource"], f"{at}.resource"),
        _decimal(fields.get("weight", "1"), f"{at}.weight"),
        _whole(per, f"{at}.per", 1, most=1 << 60),
    )


def _tree(expression: Expression) -> dict[str, object]:
    match expression:
        case Weighted(resource, weight, per):
            return {"resource": resource, "weight": format(weight, "f"), "per": per}
        case Sum(parts):
            return {"sum": [_tree(part) for part in parts]}
        case Largest(parts):
            return {"max": [_tree(part) for part in parts]}
        case Ceiling(inner):
            return {"ceil": _tree(inner)}
        case Truncated(inner):
            return {"trunc": _tree(inner)}
        case Times(factor, inner):
            return {"times": format(factor, "f"), "of": _tree(inner)}


def _object(tree: object, at: str, known: set[str]) -> Mapping[str, object]:
    if not isinstance(tree, Mapping):
        raise _invalid(at, "write an object", "必须是对象")
    if unknown := sorted(str(key) for key in tree if key not in known):
        raise _invalid(at, f"there is no field {unknown[0][:80]}", f"没有字段 {unknown[0][:80]}")
    return tree


def _list(tree: object, at: str) -> Sequence[object]:
    if not isinstance(tree, list) or len(tree) > SIZE:
        raise _invalid(at, f"write a list of at most {SIZE}", f"必须是最多 {SIZE} 项的列表")
    return tree


def _each(read: Callable[[object, str], str], tree: object, at: str) -> frozenset[str]:
    return frozenset(read(one, f"{at}[{number}]") for number, one in enumerate(_list(tree, at)))


def _resource(name: object, at: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not (name in PLAIN or name.startswith(FAMILIES)):
        words = ", ".join((*sorted(PLAIN), *(f"{family}NAME" for family in FAMILIES)))
        raise _invalid(at, f"a resource is one of {words}", f"资源必须是 {words} 之一")
    return name


def _state(name: object, at: str) -> str:
    if not isinstance(name, str) or not _STATE.fullmatch(name):
        raise _invalid(at, "a state is one word, such as node_failed or PREEMPTED", "状态为一个单词，例如 node_failed")
    return name


def _decimal(given: object, at: str) -> Decimal:
    """As text, so that nobody's binary fraction gets in."""
    try:
        found = Decimal(given) if isinstance(given, str) and len(given) <= 40 else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    exponent = found.as_tuple().exponent
    if not found.is_finite() or not 0 <= found <= HIGHEST or not isinstance(exponent, int) or exponent < -DECIMALS:
        raise _invalid(
            at,
            f'a number in quotes, such as "0.25", from 0 to {HIGHEST} with at most {DECIMALS} decimals',
            f'写成带引号的数字，如 "0.25"，范围 0 到 {HIGHEST}，最多 {DECIMALS} 位小数',
        )
    return found


def _whole(given: object, at: str, least: int, *, most: int = SECONDS_MOST) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        raise _invalid(at, f"a whole number from {least} to {most}", f"{least} 到 {most} 的整数")
    return given


def _flag(given: object, at: str) -> bool:
    if not isinstance(given, bool):
        raise _invalid(at, "true or false", "true 或 false")
    return given


def _invalid(at: str, en: str, zh: str) -> Invalid:
    return Invalid(f"{at}: {en}.", f"{at}：{zh}。", field=at)
