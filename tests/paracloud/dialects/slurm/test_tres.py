"""What was allocated, in figures and names: nothing of it is dropped but what nobody is given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paracloud.dialects.slurm.golden import NAMES, NONCE, recorded

from paracloud.billing.rule_text import a_resource
from paracloud.dialects.resources import is_slice
from paracloud.dialects.slurm.tres import MEASURED, allocated

FPGA, ONE_CARD = "resource.fpga", "gres/gpu=1,gres/gpu:a100=1"
NAMED = {
    "license/matlab=3": {"licence.matlab": 3},
    "license/matlab@flex1=3": {"licence.matlab": 3},
    "license/matlab=3,license/matlab@flex1=2,license/matlab@flex2=1": {"licence.matlab": 6},
    "license/ansys/hpc.v2:a-b=1": {"licence.ansys/hpc.v2:a-b": 1},
    "license/a b+c许=1": {"licence.a_b_c_": 1},
    "license/a b=1,license/a+b=2": {"licence.a_b": 3},
    "license/=1": {"licence._": 1},
    "license/matlab=0": {},
    f"license/{'x' * 200}=1": {f"licence.{'x' * 80}": 1},
    "gres/fpga=1": {FPGA: 1},
    "gres/fpga:u280=1,gres/fpga:u55=2": {FPGA: 3},
    "gres/fpga=4,gres/fpga:u280=1,gres/fpga:u55=2": {FPGA: 4},
    "gres/fpga:u280=1,gres/fpga:u55=2,gres/fpga=4": {FPGA: 4},
    "gres/shard=2": {"resource.shard": 2},
    "gres/mps=100": {"resource.mps": 100},
    "bb/cray=100G": {"resource.bb/cray": 100 << 30},
    "quantum/qpu=1": {"resource.quantum/qpu": 1},
    "quantum=1": {"resource.quantum": 1},
    "ic/new=1": {"resource.ic/new": 1},
    "fs/scratch=2K": {"resource.fs/scratch": 2048},
    "License/matlab=1": {"resource.License/matlab": 1},
    "cpu=8,mem=16G,node=1": {},
    "billing=8,energy=12,pages=3,vmem=5M,fs/disk=5,fs/lustre=6,ic/ofed=7,gres/gpumem=8,gres/gpuutil=9": {},
}


@pytest.mark.parametrize("text", NAMED)
def test_what_is_allocated_has_a_name(text):
    assert dict(allocated(text).resources) == NAMED[text]


@pytest.mark.parametrize(
    ("text", "gpus", "slices"),
    [
        (ONE_CARD, 1, {}),
        ("gres/gpu:a100=2,gres/gpu:v100=1", 3, {}),
        ("gres/gpu=3,gres/gpu:a100=2,gres/gpu:v100=1", 3, {}),
        ("gres/gpu=2,gres/gpu:1g.5gb=2", 0, {"1g.5gb": 2}),
        ("gres/gpu:1g.5gb=2", 0, {"1g.5gb": 2}),
        ("gres/gpu=4,gres/gpu:a100=2,gres/gpu:nvidia_a100_3g.20gb=2", 2, {"nvidia_a100_3g.20gb": 2}),
        ("gres/gpu=4,gres/gpu:a100_1g.5gb=1,gres/gpu:a100_3g.20gb=1", 2, {"a100_1g.5gb": 1, "a100_3g.20gb": 1}),
        ("gres/gpu=1,gres/gpu:1g.5gb=2", 0, {"1g.5gb": 2}),
        ("gres/gpu=2,gres/gpu:a100=2,gres/gpu:3g.20gb=2", 2, {"3g.20gb": 2}),
        ("gres/gpu:1g.10gb+me=1", 0, {"1g.10gb_me": 1}),
    ],
)
def test_a_slice_is_no_card(text, gpus, slices):
    found = allocated(text)
    assert found.gpus == gpus
    assert dict(found.resources) == {f"gpu_slices.{name}": count for name, count in slices.items()}


@pytest.mark.parametrize(
    "model", ["1g.5gb", "7g.80gb", "a100_1g.5gb", "nvidia_a100-sxm4-40gb_mig-3g.20gb", "1c.3g.20gb"]
)
def test_a_mig_profile_is_a_slice(model):
    assert is_slice(model)


@pytest.mark.parametrize(
    "model", ["", "a100", "a100_40gb", "h200", "v100-32gb", "11111g.5gb", "1g.5gbx", "rtx1g", "x1g.5gb"]
)
def test_another_model_is_a_card(model):
    assert not is_slice(model)


def test_an_empty_text_tells_nothing():
    assert allocated("").unsaid == allocated("(null)").unsaid == {"gpus", "memory_bytes", "resources"}
    assert allocated("cpu=1").unsaid == set()


@pytest.mark.parametrize(
    "text", ["license/a=b", "license/a=-1", "license/a=1.5", "license/a", "quantum=1e9", "gres/fpga=9999999P", "bb/x=y"]
)
def test_a_count_that_is_none_is_not_understood(text):
    with pytest.raises(ValueError, match=r"is no|are no|more than"):
        allocated(text)


def test_names_are_sorted_and_nobody_changes_them():
    found = allocated("license/b=1,gres/a=1,license/a=2").resources
    assert list(found) == ["licence.a", "licence.b", "resource.a"]
    with pytest.raises(TypeError):
        found["licence.a"] = 0  # type: ignore[index]


@given(
    st.dictionaries(st.text(st.characters(exclude_characters=",="), min_size=1, max_size=120), st.integers(1, 10**9))
)
def test_whatever_is_told_is_told_on_by_a_name_that_a_rule_can_write(pairs):
    told = {name: count for name, count in pairs.items() if name not in MEASURED | {"cpu", "mem", "node", "(null)"}}
    told = {name: count for name, count in told.items() if not name.startswith(("gres/", "bb/"))}
    found = allocated(",".join(f"{name}={count}" for name, count in told.items())).resources
    if told:
        assert sum(found.values()) == sum(told.values())
        assert [a_resource(name, "name") for name in found] == sorted(found)


def test_a_real_centre_without_licences_tells_none():
    columns = [column for name in NAMES for column in recorded(name).stdout.decode().split(NONCE)]
    told = [column for column in columns if column.startswith("billing=")]
    assert told
    assert all(dict(allocated(text).resources) == {} for text in told)
