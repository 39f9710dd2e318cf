"""Charging rules as JSON, the way they are stored and written by the operator."""

import re
from collections.abc import Callable, Mapping

from paracloud.billing.fields import a_decimal, a_flag, a_list, a_whole, an_object, invalid
from paracloud.billing.rule import Ceiling, Expression, Largest, Rule, Sum, Times, Truncated, Weighted
from paracloud.dialects.records import ENDED_PHASES
from paracloud.dialects.resources import FAMILIES as TOLD_FAMILIES
from paracloud.dialects.states import is_ended_state, nearest_state

DEPTH, SIZE = 8, 64
SECONDS_MOST = 86_400
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "MB": 10**6, "GB": 10**9, "TB": 10**12}
PLAIN = frozenset({"cores", "nodes", "node_cores", "gpus", "memory_bytes", "tokens"})
FAMILIES = ("storage_bytes.", *TOLD_FAMILIES)
_NAME = re.compile(r"[a-z_]+(?:\.[A-Za-z0-9_.:/-]{1,80})?")
_STATE = re.compile(r"[A-Za-z_]{1,40}(?:=-?[0-9]{1,9})?")
_FLAGS = (
    "is_timed", "free", "free_states", "grace_seconds", "least_seconds", "second_step", "least_units", "unit_step",
)  # fmt: skip


def read_rule(tree: object) -> Rule:
    """Invalid with the place, like rule.units.max[1].weight, for whatever is not exactly a rule."""
    fields = an_object(tree, "rule", {"units", *_FLAGS})
    count = [0]
    expression = _expression(fields.get("units"), "rule.units", 1, count)
    return Rule(
        expression=expression,
        is_timed=a_flag(fields.get("is_timed", True), "rule.is_timed"),
        free=_each(a_resource, fields.get("free", []), "rule.free"),
        free_states=_each(_state, fields.get("free_states", []), "rule.free_states"),
        grace_seconds=a_whole(fields.get("grace_seconds", 0), "rule.grace_seconds", 0, SECONDS_MOST),
        least_seconds=a_whole(fields.get("least_seconds", 0), "rule.least_seconds", 0, SECONDS_MOST),
        second_step=a_whole(fields.get("second_step", 1), "rule.second_step", 1, SECONDS_MOST),
        least_units=a_decimal(fields.get("least_units", "0"), "rule.least_units"),
        unit_step=a_decimal(fields.get("unit_step", "0"), "rule.unit_step"),
    )


def require_known_states(rule: Rule) -> None:
    """Invalid for a word of `free_states` that no scheduler says, with the nearest that one does: it would never hold.
    Not part of reading, so that a rule that is kept stays readable."""
    for word in sorted(rule.free_states - ENDED_PHASES):
        if is_ended_state(word):
            continue
        meant = nearest_state(word)
        en, zh = ("", "") if meant is None else (f"; did you mean {meant}", f"；是否应为 {meant}")
        raise invalid(
            "rule.free_states", f"no scheduler says {word} of what ended{en}", f"没有调度器使用结束状态 {word}{zh}"
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
        "least_units": format(rule.least_units, "f"),
        "unit_step": format(rule.unit_step, "f"),
    }


def _expression(tree: object, at: str, depth: int, count: list[int]) -> Expression:
    count[0] += 1
    if depth > DEPTH or count[0] > SIZE:
        raise invalid(at, f"a rule has at most {DEPTH} levels and {SIZE} parts", f"规则最多 {DEPTH} 层、{SIZE} 个部分")
    fields = an_object(tree, at, {"resource", "weight", "per", *_KINDS, "times", "of"})
    if "resource" in fields:
        return _weighted(an_object(tree, at, {"resource", "weight", "per"}), at)
    if "times" in fields:
        inner = an_object(tree, at, {"times", "of"})
        factor = a_decimal(inner["times"], f"{at}.times")
        return Times(factor, _expression(inner.get("of"), f"{at}.of", depth + 1, count))
    if len(fields) != 1 or (kind := next(iter(fields))) not in _KINDS:
        words = ", ".join(("resource", "times", *_KINDS))
        raise invalid(at, f"exactly one of {words}", f"必须且只能是以下之一：{words}")
    return _KINDS[kind](fields[kind], f"{at}.{kind}", depth, count)


def _many(make: Callable[[tuple[Expression, ...]], Expression]) -> Callable[[object, str, int, list[int]], Expression]:
    def read(tree: object, at: str, depth: int, count: list[int]) -> Expression:
        parts = a_list(tree, at)
        if not parts:
            raise invalid(at, "at least one part", "至少需要一个部分")
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
            raise invalid(f"{at}.per", f"a whole number or one of {words}", f"整数，或 {words} 之一")
        per = UNITS[per]
    return Weighted(
        a_resource(fields["resource"], f"{at}.resource"),
        a_decimal(fields.get("weight", "1"), f"{at}.weight"),
        a_whole(per, f"{at}.per", 1, 1 << 60),
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


def _each(read: Callable[[object, str], str], tree: object, at: str) -> frozenset[str]:
    return frozenset(read(one, f"{at}[{number}]") for number, one in enumerate(a_list(tree, at)))


def a_resource(name: object, at: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not (name in PLAIN or name.startswith(FAMILIES)):
        words = ", ".join((*sorted(PLAIN), *(f"{family}NAME" for family in FAMILIES)))
        raise invalid(at, f"a resource is one of {words}", f"资源必须是 {words} 之一")
    return name


def _state(name: object, at: str) -> str:
    """In small letters one of our own phases, so that a slip of the pen does not stay unseen; else the scheduler's own
    word."""
    is_word = isinstance(name, str) and _STATE.fullmatch(name) is not None
    if not isinstance(name, str) or not is_word or (name.islower() and "=" not in name and name not in ENDED_PHASES):
        phases = ", ".join(sorted(ENDED_PHASES))
        raise invalid(
            at,
            f"a state is one of {phases}, or a scheduler's own word, such as PREEMPTED",
            f"状态为 {phases} 之一，或调度器自己的状态名，例如 PREEMPTED",
        )
    return name
