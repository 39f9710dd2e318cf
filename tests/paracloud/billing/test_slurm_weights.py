"""Slurm's billing weights, as man slurm.conf and SchedMD's page on TRES show them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.billing.rule import Rule, value
from paracloud.billing.rule_text import read_rule, write_rule
from paracloud.billing.slurm_weights import slurm_weights
from paracloud.kit.errors import Invalid

MIB, GIB = 1 << 20, 1 << 30
WEIGHTS = "CPU=1.0,Mem=0.25G,GRES/gpu=2.0,license/licA=1.5"


@pytest.mark.parametrize(
    ("gibibytes", "licences", "expected"), [(8, 0, 3), (8, 1, 4), (10, 1, 5)], ids=["8 GiB", "a licence", "10 GiB"]
)
def test_weights_are_summed_and_cut_to_a_whole_number(gibibytes, licences, expected):
    had = {"cores": 1, "memory_bytes": gibibytes * GIB, "gpus": 0, "licence.licA": licences}
    assert value(slurm_weights(WEIGHTS), had) == expected


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ("mem=0.25", 2048),
        ("mem=.25", 2048),
        ("mem=0.25G", 2),
        ("Mem=0.25g", 2),
        ("mem=0.25M", 2048),
        ("mem=0.25K", 2048),
        ("mem=256T", 2),
        ("mem=262144P", 2),
    ],
)
def test_memory_counts_by_mebibytes_or_by_what_is_larger(weights, expected):
    """Slurm 22.05 does not convert to what is smaller than its base unit: K counts by MiB too."""
    assert value(slurm_weights(weights), {"memory_bytes": 8192 * MIB}) == expected


def test_names_are_read_in_any_case_and_spaces_do_not_count():
    same = {slurm_weights("cpu=1,gres/GPU=2,Node=3"), slurm_weights(" CPU = 1.0 , GRES/gpu=2 , node=3.000")}
    assert len(same) == 1


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "CPU",
            "CPU=",
            "CPU=x",
            "CPU=-1",
            "CPU=1G",
            "CPU=1,,",
            "CPU=1e3",
            "CPU=1.",
            "CPU=١",
            "CPU=nan",
            "CPU=inf",
        ),
        *("CPU=1.0000000001", "CPU=1000000000", "mem=1E", "mem=1GB", "mem=G", "mem=1 G", "=1", "CPU=1=2"),
        *("energy=1", "billing=1", "GRES/gpu:a100=1", "GRES/shard=1", "bb/cray=1", "memory=1", "gpu=1"),
        *("license/=1", "license=1", "license/a b=1", "license/$(x)=1", "CPU=1,cpu=2", "license/a=1,LICENSE/a=1"),
        ",".join(f"license/l{number}=1" for number in range(61)),
    ],
)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(Invalid) as refusal:
        slurm_weights(text)
    assert refusal.value.field == "weights"
    assert any("\u4e00" <= letter <= "\u9fff" for letter in refusal.value.zh)


NUMBERS = st.decimals(0, 10**6, places=9).map(lambda one: format(one, "f"))
NAMES = st.sampled_from(["CPU", "Node", "GRES/gpu", "license/licA", "license/b.c-d", "Mem"])


@given(st.dictionaries(NAMES, st.tuples(NUMBERS, st.sampled_from(["", *"KMGTP"])), min_size=1))
def test_weights_become_a_rule_that_can_be_stored(weights):
    items = [f"{name}={number}{suffix if name == 'Mem' else ''}" for name, (number, suffix) in weights.items()]
    rule = Rule(slurm_weights(",".join(items)), free=frozenset({"nodes"}))
    assert read_rule(write_rule(rule)) == rule


def test_as_many_weights_as_are_read_can_be_stored():
    rule = Rule(slurm_weights(",".join(f"license/l{number}=1" for number in range(60))))
    assert read_rule(write_rule(rule)) == rule
