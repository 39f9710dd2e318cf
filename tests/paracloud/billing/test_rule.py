"""Charging rules: what real centres charge, in our notation, to the unit; and nothing unknown is free."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.billing.rate import Price, rate, rate_units
from paracloud.billing.rule import Rule, Unrated, Weighted, Worked, by_core_and_card, require_ended, units, value
from paracloud.billing.rule_text import read_rule
from paracloud.dialects.records import ENDED_PHASES, NativePhase
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import PriceVersionId, new_uuid

GIB, TIB, HOUR = 1 << 30, 1 << 40, 3600
MEMORY, CORES, GPUS = ({"resource": name} for name in ("memory_bytes", "cores", "gpus"))


def eighth(of: dict, per: int) -> dict:
    return {"ceil": {**of, "per": per}}


WHOLE_NODES = {"units": {"resource": "node_cores"}, "free": ["memory_bytes"]}
LUMI_SMALL = {"units": {"max": [CORES, {"ceil": {**MEMORY, "weight": "0.5", "per": "GiB"}}]}, "free": ["nodes"]}
LUMI_G = {"units": {"resource": "nodes", "weight": "4"}, "free": ["cores", "gpus", "memory_bytes"]}
LUMI_SMALL_G = {
    "units": {"times": "0.5", "of": {"max": [eighth(CORES, 8), eighth(MEMORY, 64 * GIB), GPUS]}},
    "free": ["nodes"],
}
LUMI_STORAGE = {
    "units": {
        "sum": [
            {"resource": f"storage_bytes.{tier}", "weight": weight, "per": "TiB"}
            for tier, weight in (("P", "1"), ("F", "10"), ("O", "0.5"))
        ]
    }
}
CSC_CPU = {
    "units": {
        "sum": [
            {"max": [{**CORES, "weight": "0.75"}, {**MEMORY, "weight": "0.375", "per": "GiB"}]},
            {"resource": "storage_bytes.local", "weight": "0.02", "per": "GiB"},
        ]
    }
}
CSC_GPU = {"units": {"sum": [{**GPUS, "weight": "200"}, CSC_CPU["units"]["sum"][1]]}, "free": ["cores"]}
CSC_SCRATCH = {"units": {"resource": "storage_bytes.scratch", "weight": "6", "per": "TiB"}}
LOCAL = {"storage_bytes.local": 0}


def stored(tier: str, tebibytes: str) -> dict[str, Decimal]:
    return {f"storage_bytes.{one}": Decimal(0) for one in "PFO"} | {f"storage_bytes.{tier}": Decimal(tebibytes) * TIB}


# The charging rules that these centres publish for their users, with the examples that they give.
@pytest.mark.parametrize(
    ("rule", "quantities", "hours", "expected"),
    [
        pytest.param(WHOLE_NODES, {"nodes": 16, "node_cores": 16 * 128}, 12, 24576, id="LUMI standard"),
        pytest.param(LUMI_SMALL, {"cores": 32, "memory_bytes": 64 * GIB}, 2, 64, id="LUMI small by cores"),
        pytest.param(LUMI_SMALL, {"cores": 4, "memory_bytes": 4 * GIB}, 24, 96, id="LUMI small, little memory"),
        pytest.param(LUMI_SMALL, {"cores": 4, "memory_bytes": 32 * GIB}, 24, 384, id="LUMI small by memory"),
        pytest.param(LUMI_G, {"nodes": 4}, 24, 384, id="LUMI standard-g"),
        pytest.param(LUMI_SMALL_G, {"gpus": 2, "cores": 8, "memory_bytes": 64 * GIB}, 24, 24, id="LUMI small-g"),
        pytest.param(LUMI_SMALL_G, {"gpus": 1, "cores": 8, "memory_bytes": 128 * GIB}, 24, 24, id="small-g by memory"),
        pytest.param(LUMI_STORAGE, stored("P", "1.2"), 96, "115.2", id="LUMI-P"),
        pytest.param(LUMI_STORAGE, stored("F", "1.2"), 96, 1152, id="LUMI-F"),
        pytest.param(LUMI_STORAGE, stored("O", "1.2"), 96, "57.6", id="LUMI-O"),
        pytest.param(CSC_CPU, {"cores": 4, "memory_bytes": 16 * GIB} | LOCAL, 2, 12, id="CSC by cores"),
        pytest.param(CSC_GPU, {"gpus": 2} | LOCAL, 5, 2000, id="CSC GPU"),
        pytest.param(CSC_SCRATCH, {"storage_bytes.scratch": TIB}, 4320, 25920, id="CSC scratch"),
    ],
)
def test_what_centres_publish_comes_out_exactly(rule, quantities, hours, expected):
    assert units(read_rule(rule), Worked(quantities, hours * HOUR)) == Fraction(str(expected))


AMOUNTS = st.integers(0, 10**6)
PRICES = st.decimals(0, 1000, places=9)


@given(AMOUNTS, AMOUNTS, st.integers(0, 10**7), PRICES, PRICES, st.integers(0, 10000))
def test_the_plain_price_of_cores_and_cards_is_such_a_rule_to_the_micro_yuan(cores, gpus, seconds, core, card, share):
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, core, card, "CNY")
    worked = Worked({"cores": cores, "gpus": gpus, "nodes": 1, "memory_bytes": GIB}, seconds)
    found = rate_units(units(by_core_and_card(core, card), worked), Decimal(1), "CNY", share)
    assert found == rate(cores * seconds, gpus * seconds, price, share)


@given(AMOUNTS, AMOUNTS, st.integers(0, 10**6), st.integers(1, 10**6))
def test_more_of_anything_never_costs_less(cores, memory, seconds, more):
    rule = read_rule(LUMI_SMALL)
    base = units(rule, Worked({"cores": cores, "memory_bytes": memory}, seconds))
    for had in ({"cores": cores + more, "memory_bytes": memory}, {"cores": cores, "memory_bytes": memory + more}):
        assert units(rule, Worked(had, seconds)) >= base
    assert units(rule, Worked({"cores": cores, "memory_bytes": memory}, seconds + more)) >= base


@pytest.mark.parametrize(
    ("worked", "reason"),
    [
        (Worked({"cores": 1, "memory_bytes": GIB, "gpus": 1}, HOUR), "gpus"),
        (Worked({"cores": 1, "memory_bytes": GIB, "licence.abaqus": 5}, HOUR), "licence.abaqus"),
        (Worked({"cores": 1}, HOUR), "memory_bytes"),
    ],
)
def test_what_a_rule_does_not_know_is_unrated_and_never_free(worked, reason):
    with pytest.raises(Unrated, match=reason):
        units(read_rule(LUMI_SMALL), worked)


@pytest.mark.parametrize(
    ("phase", "state", "reason"), [(NativePhase.UNKNOWN, "FOO", "FOO"), (NativePhase.RUNNING, "", "running")]
)
def test_whether_an_execution_ended_is_never_guessed(phase, state, reason):
    with pytest.raises(Unrated, match=reason):
        require_ended(phase, state)
    for ended in ENDED_PHASES:
        require_ended(ended, "")


def test_states_that_are_free_are_said_so():
    rule = read_rule(LUMI_SMALL | {"free_states": ["node_failed", "PREEMPTED"], "grace_seconds": 60})
    had = {"cores": 4, "memory_bytes": GIB}
    free = [
        Worked(had, HOUR, NativePhase.NODE_FAILED, "NODE_FAIL"),
        Worked(had, HOUR, NativePhase.REQUEUED, "PREEMPTED"),
        Worked(had, 60, NativePhase.FAILED, "FAILED"),
    ]
    charged = [
        Worked(had, 61, NativePhase.FAILED, "FAILED"),
        Worked(had, 30, NativePhase.COMPLETED, "COMPLETED"),
        Worked(had, HOUR, NativePhase.TIMEOUT, "TIMEOUT"),
    ]
    assert [units(rule, one) for one in free] == [0, 0, 0]
    assert all(units(rule, one) > 0 for one in charged)
    for phase in ENDED_PHASES:
        assert units(read_rule(LUMI_SMALL), Worked(had, HOUR, phase)) == 4


@pytest.mark.parametrize(("seconds", "billed"), [(0, 0), (1, 300), (299, 300), (301, 360), (360, 360), (361, 420)])
def test_time_counts_in_steps_and_at_least_so_much(seconds, billed):
    rule = read_rule({"units": CORES, "second_step": 60, "least_seconds": 300})
    assert units(rule, Worked({"cores": 1}, seconds)) == Fraction(billed, HOUR)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0"), (1, "0.5"), (1800, "0.5"), (1836, "0.51"), (1837, "0.52"), (3600, "1")],
)
def test_units_count_in_steps_and_at_least_so_many_and_nothing_is_free_of_both(seconds, expected):
    rule = read_rule({"units": CORES, "least_units": "0.5", "unit_step": "0.01"})
    assert units(rule, Worked({"cores": 1}, seconds)) == Fraction(expected)


def test_what_is_not_charged_has_no_least_either():
    rule = read_rule({"units": CORES, "least_units": "5", "free_states": ["node_failed"]})
    assert units(rule, Worked({"cores": 1}, HOUR, NativePhase.NODE_FAILED)) == 0


@pytest.mark.parametrize(("cores", "nodes"), [(1, 1), (128, 1), (129, 2), (256, 2), (257, 3)])
def test_cores_are_charged_by_whole_nodes_where_a_queue_is_exclusive(cores, nodes):
    exclusive = read_rule({"units": {"times": "128", "of": {"ceil": {**CORES, "per": 128}}}, "free": ["nodes"]})
    shared = read_rule({"units": CORES, "free": ["nodes"]})
    had = Worked({"cores": cores, "nodes": nodes}, HOUR)
    assert (units(exclusive, had), units(shared, had)) == (nodes * 128, cores)


@pytest.mark.parametrize("amount", [0.5, True, "1", None])
def test_a_binary_fraction_never_gets_in(amount):
    for worked in (Worked({"cores": amount}, HOUR), Worked({"cores": 1}, amount)):
        with pytest.raises(TypeError, match="an amount is"):
            units(read_rule({"units": CORES}), worked)


@pytest.mark.parametrize("amount", [-1, Decimal("-0.1"), Decimal("NaN"), Decimal("Infinity")])
def test_an_amount_that_cannot_be_is_refused_even_where_it_is_free(amount):
    with pytest.raises(ValueError, match=r"never negative|no amount"):
        units(read_rule({"units": CORES, "free": ["nodes"]}), Worked({"cores": 1, "nodes": amount}, HOUR))


def test_tokens_have_no_time():
    rule = read_rule({"units": {"resource": "tokens", "per": 1000}, "is_timed": False})
    assert units(rule, Worked({"tokens": 2500}, 17)) == Fraction(5, 2)


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ([], "rule"),
        ({}, "rule.units"),
        ({"units": {"sum": []}}, "rule.units.sum"),
        ({"units": {"product": [CORES]}}, "rule.units"),
        ({"units": {"sum": [CORES], "max": [CORES]}}, "rule.units"),
        ({"units": {"max": [CORES, {**CORES, "weight": "-1"}]}}, "rule.units.max[1].weight"),
        ({"units": {**CORES, "weight": 0.25}}, "rule.units.weight"),
        ({"units": {**CORES, "weight": "NaN"}}, "rule.units.weight"),
        ({"units": {**CORES, "weight": "Infinity"}}, "rule.units.weight"),
        ({"units": {**CORES, "weight": "0.0000000001"}}, "rule.units.weight"),
        ({"units": {**CORES, "per": 0}}, "rule.units.per"),
        ({"units": {**CORES, "per": "parsec"}}, "rule.units.per"),
        ({"units": {"resource": "love"}}, "rule.units.resource"),
        ({"units": {"resource": "licence.$(x)"}}, "rule.units.resource"),
        ({"units": CORES, "free": ["love"]}, "rule.free[0]"),
        ({"units": CORES, "free_states": ["a b"]}, "rule.free_states[0]"),
        ({"units": CORES, "free_states": ["nodefail"]}, "rule.free_states[0]"),
        ({"units": CORES, "free_states": ["running"]}, "rule.free_states[0]"),
        ({"units": {**CORES, "weight": "1_000"}}, "rule.units.weight"),
        ({"units": {**CORES, "weight": "١"}}, "rule.units.weight"),
        ({"units": {**CORES, "weight": "1e3"}}, "rule.units.weight"),
        ({"units": {**CORES, "weight": "1000000000"}}, "rule.units.weight"),
        ({"units": CORES, "least_units": "-1"}, "rule.least_units"),
        ({"units": CORES, "unit_step": 0.01}, "rule.unit_step"),
        ({"units": CORES, "grace_seconds": True}, "rule.grace_seconds"),
        ({"units": CORES, "second_step": 0}, "rule.second_step"),
        ({"units": CORES, "discount": "0.5"}, "rule"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_its_place(tree, place):
    with pytest.raises(Invalid) as refusal:
        read_rule(tree)
    assert refusal.value.field == place
    assert any("\u4e00" <= letter <= "\u9fff" for letter in refusal.value.zh)


def test_a_rule_has_an_end_to_its_size():
    deep: dict = dict(CORES)
    for _ in range(10):
        deep = {"ceil": deep}
    for tree in (deep, {"sum": [{"sum": [CORES] * 10}] * 10}):
        with pytest.raises(Invalid, match="levels"):
            read_rule({"units": tree})


def test_an_expression_alone_is_a_value():
    assert value(Weighted("cores", Decimal("0.1"), per=3), {"cores": 10}) == Fraction(1, 3)
    assert Rule(Weighted("cores")).second_step == 1
