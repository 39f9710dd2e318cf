"""A charging rule as data: how many units an execution is worth, in exact fractions. Pure.

A rule is a tree of sums, maxima, ceilings and weighted resources, with what it does not charge on purpose. What it does
not know is never free: a resource that the execution has and the rule neither charges nor names as free, or one that
the rule charges and the execution does not tell, makes it `Unrated`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

from paracloud.billing.exact import exact
from paracloud.dialects.records import ENDED_PHASES, NativePhase
from paracloud.dialects.resources import FAMILIES

SECONDS_AN_HOUR = 3600

Quantities: TypeAlias = Mapping[str, int | Decimal]
"""How much of each resource an execution had, by name: cores, nodes, gpus, memory_bytes, node_cores (all cores of its
nodes), storage_bytes.TIER, licence.NAME, tokens …; a name with a dot may be any that a centre has."""
CHINESE = {
    "cores": "核数",
    "nodes": "节点数",
    "node_cores": "整节点核数",
    "gpus": "GPU 卡",
    "memory_bytes": "内存",
    "tokens": "令牌",
    "storage_bytes": "存储",
    "licence": "许可证",
    "gpu_slices": "GPU 切片",
    "resource": "资源",
}
"""Of a resource, or of the family that its name begins with."""
PARTS_OF = {"node_cores": frozenset({"cores", "nodes"})}
"""Who charges whole nodes has charged their cores and their number."""
LISTED = 8
"""Names that a reason holds: a centre writes them."""


class Unrated(Exception):  # no error of the program: a state of the usage, which waits for a person
    """Why this rule says nothing about an execution."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


@dataclass(frozen=True, slots=True)
class Weighted:
    """`weight` for each `per` of a resource: Weighted("memory_bytes", Decimal("0.5"), per=2**30) is half a unit for a
    GiB."""

    resource: str
    weight: Decimal = Decimal(1)
    per: int = 1


@dataclass(frozen=True, slots=True)
class Sum:
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Largest:
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The next whole number."""

    of: "Expression"


@dataclass(frozen=True, slots=True)
class Truncated:
    """The whole number before it, as Slurm's billing weights are."""

    of: "Expression"


@dataclass(frozen=True, slots=True)
class Times:
    factor: Decimal
    of: "Expression"


Expression: TypeAlias = Weighted | Sum | Largest | Ceiling | Truncated | Times


@dataclass(frozen=True, slots=True)
class Rule:
    """Units = expression x hours, or the expression itself where `is_timed` is false (tokens). `free`: resources that
    are not charged on purpose; `free_states`: phases or native states of which nothing is charged; `grace_seconds`: a
    failed execution that was no longer is not charged; time counts in whole steps of `second_step`, and at least
    `least_seconds` of it; units are raised to whole steps of `unit_step` (0: exact), and to `least_units`."""

    expression: Expression
    is_timed: bool = True
    free: frozenset[str] = frozenset()
    free_states: frozenset[str] = frozenset()
    grace_seconds: int = 0
    least_seconds: int = 0
    second_step: int = 1
    least_units: Decimal = Decimal(0)
    unit_step: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Worked:
    """What an execution did, as a rule sees it. `native_state` is the scheduler's own word, such as PREEMPTED. Where
    `lists_all` is false, the accounting tells nothing of licences, slices and other resources."""

    quantities: Quantities
    seconds: int
    phase: NativePhase = NativePhase.COMPLETED
    native_state: str = ""
    lists_all: bool = True


def with_none(rule: Rule, had: Quantities) -> Quantities:
    """What the rule charges of licences, slices and other resources and an accounting that tells of them does not list
    was not had."""
    charged = (name for name in resources(rule.expression) if name.startswith(FAMILIES))
    return {**dict.fromkeys(charged, 0), **had}


def units(rule: Rule, worked: Worked) -> Fraction:
    """Exact, of an execution that ended; Unrated with the reason. ValueError for negative usage, TypeError for a binary
    fraction."""
    for given in (worked.seconds, *worked.quantities.values()):
        exact(given)
    _require_known(rule, worked)
    if _is_waived(rule, worked):
        return Fraction(0)
    amount = value(rule.expression, worked.quantities)
    if rule.is_timed:
        amount *= Fraction(_billed(rule, worked.seconds), SECONDS_AN_HOUR)
    return _in_steps(rule, amount)


def require_ended(phase: NativePhase, native_state: str) -> None:
    """Unrated where nobody knows how it ended, or whether: whatever kind of price it has."""
    if phase not in ENDED_PHASES:
        state = native_state or phase.value
        raise Unrated(f"the state {state} is unknown", f"作业状态未知：{state}")


def value(expression: Expression, of: Quantities) -> Fraction:
    match expression:
        case Weighted(resource, weight, per):
            if resource not in of:
                raise not_told(resource)
            return exact(of[resource]) * Fraction(weight) / per
        case Sum(parts):
            return sum((value(part, of) for part in parts), Fraction(0))
        case Largest(parts):
            return max(value(part, of) for part in parts)
        case Ceiling(inner):
            return Fraction(ceil(value(inner, of)))
        case Truncated(inner):
            return Fraction(floor(value(inner, of)))
        case Times(factor, inner):
            return Fraction(factor) * value(inner, of)


def not_told(resource: str) -> Unrated:
    en = f"{resource} is charged, and the centre's accounting does not tell it"
    return Unrated(en, f"按{in_chinese(resource)}计费，但超算中心的记账数据未提供该值")


def resources(expression: Expression) -> frozenset[str]:
    """What an expression charges, by name."""
    match expression:
        case Weighted(resource):
            return frozenset({resource}) | PARTS_OF.get(resource, frozenset())
        case Sum(parts) | Largest(parts):
            return frozenset().union(*map(resources, parts))
        case Ceiling(inner) | Truncated(inner) | Times(of=inner):
            return resources(inner)


def _require_known(rule: Rule, worked: Worked) -> None:
    had = {name for name, amount in worked.quantities.items() if amount}
    unknown = had - resources(rule.expression) - rule.free - _derived(had)
    if unknown:
        en, zh = listed(unknown)
        raise Unrated(f"the rule says nothing of {en}", f"计费规则未涵盖{zh}")


def listed(names: Collection[str]) -> tuple[str, str]:
    """The first of them in order, in English and in Chinese, with how many more there are."""
    first, more = sorted(names)[:LISTED], len(names) - LISTED
    en, zh = ", ".join(first), "、".join(map(in_chinese, first))
    return (f"{en} and {more} more", f"{zh}等 {len(names)} 种资源") if more > 0 else (en, zh)


def in_chinese(resource: str) -> str:
    family, _, which = resource.partition(".")
    return f"{CHINESE.get(family, family)} {which}".rstrip()


def _derived(had: set[str]) -> set[str]:
    """All cores of the nodes is another way to say what cores and nodes say."""
    return {whole for whole, parts in PARTS_OF.items() if parts <= had}


def _is_waived(rule: Rule, worked: Worked) -> bool:
    names = {worked.phase.value, worked.native_state.partition(" ")[0].rstrip("+")}
    is_brief = worked.phase is NativePhase.FAILED and worked.seconds <= rule.grace_seconds
    return bool(names & rule.free_states) or (rule.grace_seconds > 0 and is_brief)


def _billed(rule: Rule, seconds: int) -> int:
    """Nothing for what never ran."""
    if seconds == 0:
        return 0
    return max(-(-seconds // rule.second_step) * rule.second_step, rule.least_seconds)


def _in_steps(rule: Rule, amount: Fraction) -> Fraction:
    """What is worth nothing stays so: a rule's least is not the price of a job that never ran."""
    if amount == 0:
        return amount
    step = Fraction(rule.unit_step)
    return max(ceil(amount / step) * step if step else amount, Fraction(rule.least_units))


# Written out, because every price of the platform is one of these until a price book says otherwise.
def by_core_and_card(core_hour: Decimal, card_hour: Decimal) -> Rule:
    """So much for an hour of a core and of a card; nodes and memory come with them."""
    parts = (Weighted("cores", core_hour), Weighted("gpus", card_hour))
    return Rule(Sum(parts), free=frozenset({"nodes", "memory_bytes"}))
