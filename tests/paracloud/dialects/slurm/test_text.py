from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.dialects.slurm.text import epoch, gpus_in_gres, resources, size_bytes, wall, wall_text
from paracloud.dialects.text import printable


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2-00:00:00", 172800), ("30:00", 1800), ("00:30:00", 1800), ("90", 5400), ("1-12", 129600), ("0", 0)],
)
def test_a_time_limit_is_read_in_every_form(text, seconds):
    assert wall(text) == timedelta(seconds=seconds)


def test_no_limit_is_none():
    assert wall("UNLIMITED") is None


@pytest.mark.parametrize("text", ["x", "1:2:3:4", "-1", "1-2-3", "٣"])
def test_what_is_no_time_limit_is_refused(text):
    with pytest.raises(ValueError, match="no time limit"):
        wall(text)


@given(st.integers(1, 10**9))
def test_a_limit_is_read_back_as_it_is_written(seconds):
    assert wall(wall_text(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2000M", 2000 << 20),
        ("62.50G", 64000 << 20),
        ("1T", 1 << 40),
        ("12", 12 << 20),
        ("1024K", 1 << 20),
        ("2 M", 2 << 20),
    ],
)
def test_sizes_are_bytes(text, size):
    assert size_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ("(null)", {}),
        ("gpu:0", {"": 0}),
        ("gpu", {"": 1}),
        ("gpu:2", {"": 2}),
        ("gpu:a100:4(S:0-1)", {"a100": 4}),
        ("gpu:a100:2(IDX:0-1),gpu:v100:1(IDX:2),nic:1", {"a100": 2, "v100": 1}),
    ],
)
def test_generic_resources_give_models_and_numbers(text, models):
    assert gpus_in_gres(text) == models


def test_resources_are_pairs():
    assert resources("cpu=1,mem=2G,gres/gpu:a100=1") == {"cpu": "1", "mem": "2G", "gres/gpu:a100": "1"}
    assert resources("") == {}
    with pytest.raises(ValueError, match="no resources"):
        resources("cpu")


@pytest.mark.parametrize("text", ["0", "-1", "1e9", "99999999999", "soon", "1795466630.5"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"no (time|whole number)"):
        epoch(text)


@given(st.text())
def test_printable_text_holds_no_control_character(text):
    assert printable(text).isprintable()
    assert not {"\x00", "\x1b", "\n", "\u202e", "\u2028"} & set(printable(text))
