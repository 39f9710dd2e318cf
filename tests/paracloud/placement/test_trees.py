"""Trees that were grown by the library say the same without it; what is no tree is refused."""

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.kit.errors import Invalid
from paracloud.placement.learn_waits import (
    BLOCKS,
    MIDDLE,
    UPPER,
    Growth,
    conformal,
    forest_of,
    grow,
    missed_unseen,
    said,
)
from paracloud.placement.trees import Forest, read_forest, write_forest
from paracloud.placement.wait_model import read_model, write_model
from paracloud.placement.waits import Features

GROWTH = Growth(part=0.9, trees=20, threads=1)
STEP = (0, 0.5, 1.0, (1, -3.0, 2.0, 4.0))


def jobs(count: int = 2000):
    numbers = np.random.default_rng(1)
    features = numbers.normal(size=(count, 3)) * [1, 100, 1e6]
    return features, features[:, 0] + (features[:, 1] > 0) + numbers.normal(size=count) / 4


@pytest.mark.parametrize("kind", [MIDDLE, UPPER])
def test_a_forest_says_what_the_library_says_that_grew_it(kind: str) -> None:
    features, waits = jobs()
    grown = grow(kind, GROWTH, features, waits)
    read = read_forest(json.loads(json.dumps(write_forest(forest_of(grown)))), 3)
    assert np.allclose([read.value(list(row)) for row in features], said(grown, features), rtol=1e-12)


def test_what_is_at_the_threshold_is_not_more_than_it() -> None:
    assert [Forest((STEP,)).value(row) for row in ([0.5, 0], [0.6, -3], [0.6, 0])] == [1, 2, 4]


def test_blocks_of_days_are_foretold_by_trees_that_saw_nothing_of_them() -> None:
    """Each block has a level of its own: whoever saw it would miss little."""
    features, _ = jobs()
    days = np.arange(len(features)) // 100
    waits = (days * BLOCKS // 20) ** 2.0
    with_day = np.column_stack([features, days])
    assert np.abs(said(grow(MIDDLE, GROWTH, with_day, waits), with_day) - waits).mean() < 3
    assert np.abs(missed_unseen(MIDDLE, GROWTH, with_day, waits, days)[days >= 15]).min() > 4.5


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=200), st.floats(0.05, 0.95))
def test_a_bound_that_is_moved_so_holds_for_its_part(missed: list[float], part: float) -> None:
    moved = conformal(np.array(missed), part)
    assert np.mean(np.array(missed) <= moved) >= part


@pytest.mark.parametrize(
    "written",
    [None, {}, [True], ["1"], [[0, 1.0, 2.0]], [[3, 1.0, 2.0, 3.0]], [[-1, 1.0, 2.0, 3.0]], [[0, "1", 2.0, 3.0]]],
)
def test_what_is_no_forest_is_refused(written: object) -> None:
    with pytest.raises(Invalid):
        read_forest(written, 3)


@given(st.lists(st.floats(-1e3, 1e3), max_size=200), st.randoms())
def test_leaves_add_up_to_the_same_in_any_order(leaves: list[float], dice: random.Random) -> None:
    forest = Forest(tuple(leaves))
    mixed = list(forest.trees)
    dice.shuffle(mixed)
    assert forest.value([]) == Forest(tuple(mixed)).value([]) == float(np.sum(np.array(mixed)))


def test_a_forest_that_cannot_be_added_up_exactly_is_refused() -> None:
    wide: object = 1.0
    for at in range(64):
        wide = [0, float(at), 1.0, wide] if at < 32 else [1, float(at), wide, 1.0]
    for written in ([math.nan], [wide], [1.0] * 5000):
        with pytest.raises(Invalid):
            read_forest(written, 3)


def test_a_tree_that_is_too_deep_to_be_ours_is_refused() -> None:
    tree: object = 1.0
    for _ in range(100):
        tree = [0, 1.0, tree, 2.0]
    with pytest.raises(Invalid):
        read_forest([tree], 3)


@pytest.mark.parametrize("text", ["", "null", "[" * 100_000, '{"features":["hour"],"middle":[],"upper":[]}'])
def test_a_model_that_is_none_or_of_other_features_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_model("trees", text)


def test_a_model_says_no_wait_below_none_and_no_p90_below_p50_whatever_its_trees_say() -> None:
    known = Features._make([0.0] * len(Features._fields))
    found = read_model("trees", write_model(Forest((2.0,)), Forest((-500.0,)))).predict(known)
    assert (found.p50.total_seconds(), found.p90.total_seconds()) == (100, 100)
    assert read_model("trees", write_model(Forest((900.0,)), Forest((1e300,)))).predict(known).p90.days < 2000
