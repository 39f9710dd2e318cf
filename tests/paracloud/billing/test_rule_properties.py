"""What holds for every charging rule, whatever tree it is."""

import json
import tomllib
from dataclasses import fields
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paracloud.billing.rule import (
    Ceiling,
    Largest,
    Rule,
    Sum,
    Times,
    Truncated,
    Unrated,
    Weighted,
    Worked,
    in_chinese,
    units,
    value,
)
from paracloud.billing.rule_text import read_rule, write_rule
from paracloud.dialects.records import ENDED_PHASES
from paracloud.kit.errors import Invalid

NAMES = [
    "cores",
    "nodes",
    "gpus",
    "memory_bytes",
    "tokens",
    "licence.abc",
    "storage_bytes.scratch",
    "gpu_slices.1g.5gb",
]
NUMBERS = st.decimals(0, 10**6, places=9)
LEAVES = st.builds(Weighted, st.sampled_from(NAMES), NUMBERS, st.integers(1, 10**6))


def grown(inner: st.SearchStrategy) -> st.SearchStrategy:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Sum, parts), st.builds(Largest, parts), st.builds(Ceiling, inner), st.builds(Truncated, inner),
        st.builds(Times, NUMBERS, inner),
    )  # fmt: skip


TREES = st.recursive(LEAVES, grown, max_leaves=8)
SECONDS = st.integers(0, 86_400)
RULES = st.builds(
    Rule,
    expression=TREES,
    is_timed=st.booleans(),
    free=st.just(frozenset(NAMES)),
    free_states=st.frozensets(st.sampled_from([*sorted(ENDED_PHASES), "PREEMPTED", "NODE_FAIL"])),
    grace_seconds=SECONDS,
    least_seconds=SECONDS,
    second_step=st.integers(1, 86_400),
    least_units=NUMBERS,
    unit_step=NUMBERS,
)
HAD = st.fixed_dictionaries({name: st.integers(0, 10**6) | NUMBERS for name in NAMES})


@given(RULES)
def test_a_rule_that_was_written_is_read_as_itself(rule):
    written = json.loads(json.dumps(write_rule(rule)))
    try:
        assert read_rule(written) == rule
    except Invalid as refusal:
        assert "levels" in refusal.en  # noqa: PT017  # only this may be wrong with it
    assert set(written) == {field.name for field in fields(Rule)} - {"expression"} | {"units"}


def test_a_rule_is_read_from_toml_as_from_json():
    text = 'units = { max = [{ resource = "cores" }, { resource = "memory_bytes", weight = "0.5", per = "GiB" }] }'
    read = read_rule(tomllib.loads(f'{text}\nfree_states = ["node_failed"]\nleast_units = "0.01"'))
    by_memory = Weighted("memory_bytes", Decimal("0.5"), per=1 << 30)
    assert read.expression == Largest((Weighted("cores"), by_memory))
    assert (read.free_states, read.least_units) == (frozenset({"node_failed"}), Decimal("0.01"))


@given(TREES, HAD)
def test_a_value_is_exactly_what_is_reckoned_by_hand(tree, had):
    """Decimals of two thousand places instead of fractions; where a quotient does not end, equal to a thousand."""
    with localcontext(prec=2000):
        found = value(tree, had)
        assume(all(one > Fraction(1, 10**900) for one in _distances(tree, had)))
        assert abs(Decimal(found.numerator) / found.denominator - _by_hand(tree, had)) < Decimal(10) ** -1000


def _by_hand(tree, had) -> Decimal:
    if isinstance(tree, Weighted):
        return Decimal(had[tree.resource]) * tree.weight / tree.per
    if isinstance(tree, Times):
        return tree.factor * _by_hand(tree.of, had)
    if isinstance(tree, Ceiling | Truncated):
        inner = value(tree.of, had)
        way = ROUND_CEILING if isinstance(tree, Ceiling) else ROUND_FLOOR
        whole = inner.denominator == 1  # a quotient that is cut at the last place must not cross a whole number
        return Decimal(inner.numerator) if whole else _by_hand(tree.of, had).to_integral_value(way)
    parts = [_by_hand(part, had) for part in tree.parts]
    return sum(parts, Decimal(0)) if isinstance(tree, Sum) else max(parts)


def _distances(tree, had):
    """How far each rounded amount is from a whole number, where it is none."""
    if isinstance(tree, Ceiling | Truncated):
        inner = value(tree.of, had)
        if inner.denominator != 1:
            yield min(inner % 1, 1 - inner % 1)
    for part in getattr(tree, "parts", ()) or ([tree.of] if hasattr(tree, "of") else []):
        yield from _distances(part, had)


@given(RULES, HAD, SECONDS, st.sampled_from(NAMES), st.integers(1, 10**6), st.sampled_from(sorted(ENDED_PHASES)))
def test_more_of_anything_never_costs_less(rule, had, seconds, name, more, phase):
    base = units(rule, Worked(had, seconds, phase))
    assert units(rule, Worked(had | {name: had[name] + more}, seconds, phase)) >= base
    assert units(rule, Worked(had, seconds + more, phase)) >= base


@given(TREES, TREES, HAD, SECONDS)
def test_a_sum_is_worth_its_parts_and_a_maximum_the_larger(one, other, had, seconds):
    free = frozenset(NAMES)
    apart = [units(Rule(tree, free=free), Worked(had, seconds)) for tree in (one, other)]
    assert units(Rule(Sum((one, other)), free=free), Worked(had, seconds)) == sum(apart)
    assert units(Rule(Largest((one, other)), free=free), Worked(had, seconds)) == max(apart)


@given(RULES, HAD, SECONDS, st.sampled_from(sorted(ENDED_PHASES)))
def test_units_are_a_fraction_and_never_less_than_the_rules_least(rule, had, seconds, phase):
    found = units(rule, Worked(had, seconds, phase))
    assert type(found) is Fraction
    assert found == 0 or found >= rule.least_units


@given(RULES, HAD, SECONDS, st.sampled_from(["resource.quantum", "licence.other", "node_cores"]))
def test_one_resource_too_many_is_unrated_whatever_the_rule(rule, had, seconds, name):
    assume(name != "node_cores" or not (had["cores"] and had["nodes"]))
    with pytest.raises(Unrated, match=name) as reason:
        units(rule, Worked(had | {name: 1}, seconds))
    assert in_chinese(name) in reason.value.zh
