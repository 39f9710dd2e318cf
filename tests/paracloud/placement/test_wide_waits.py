"""Waits asked for at many places at once are those that are asked for at each."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paracloud.placement.columns import MICROSECOND
from paracloud.placement.trees import Forest
from paracloud.placement.wait_model import TreeWaits
from paracloud.placement.waits import Features, PlainWaits
from paracloud.placement.wide_waits import CORES, FEW, KEPT_MOST, OF_JOB, SPARSE, whole_seconds, wide_waits

MICROSECONDS = 1_000_000
COUNT = len(Features._fields)
FREE = Features._fields.index("free_cores")
WALL = Features._fields.index("wall_seconds")
values = st.sampled_from([-1.0, 0.0, 1.0, 2.5, 30.0, 700.0, 3600.0])
trees = st.recursive(
    st.floats(-3, 9, width=32),
    lambda tree: st.tuples(st.integers(0, COUNT - 1), values, tree, tree),
    max_leaves=8,
)
forests = st.lists(trees, max_size=5).map(lambda found: Forest(tuple(found)))
models = st.just(PlainWaits()) | st.builds(TreeWaits, st.just("drawn"), forests, forests)


def known(size: int):
    return st.lists(values, min_size=size, max_size=size).map(tuple)


@settings(max_examples=300, deadline=None)
@given(models, st.lists(known(COUNT - OF_JOB), max_size=6), st.lists(known(OF_JOB), min_size=1, max_size=6), st.data())
def test_all_places_at_once_are_told_what_each_is(model, places, jobs, data):
    wide = wide_waits(model, places)
    for job in (*jobs, jobs[0]):
        asked = data.draw(st.lists(st.integers(0, len(places) - 1), max_size=8)) if places else []
        asked *= data.draw(st.sampled_from([1, 1, FEW]))  # many are asked about in another way
        each = [model.predict(Features._make((*job, *places[one]))) for one in asked]
        found, at = wide(job), np.array(asked, dtype=np.int64)
        p50, p90 = found.both(at)
        assert found.p50(at).tolist() == p50.tolist()
        assert [one * MICROSECOND for one in p50.tolist()] == [one.p50 for one in each]
        assert [one * MICROSECOND for one in p90.tolist()] == [one.p90 for one in each]


def test_seconds_are_what_python_says_also_halfway_between_two():
    """There the last bit of a power decides."""
    logarithms = [math.log10(seconds + 0.5) for seconds in range(5000)]
    said = [round(10**one) * MICROSECONDS for one in logarithms]
    assert whole_seconds(np.array(logarithms)).tolist() == said
    assert [whole_seconds(np.array([one])).item() for one in logarithms] == said


@pytest.mark.parametrize("leaves", [8, 9, 16, 17, 64])
def test_a_tree_is_read_right_at_each_width_of_its_word(leaves):
    tree = float(leaves)
    for at in range(leaves - 1, 0, -1):
        tree = (CORES, float(at), at / 10, tree)
    model = TreeWaits("wide", Forest((tree, 1.0)), Forest((tree,)))
    wide = wide_waits(model, [(0.0,) * (COUNT - OF_JOB)])
    for cores in (0.0, 1.0, 1.5, leaves - 1.0, leaves + 1.0):
        job = Features._make([cores] * COUNT)
        assert wide(job[:OF_JOB]).p50(np.array([0])).tolist() == [model.predict(job).p50 // MICROSECOND]


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, FEW * SPARSE + 1, FEW * SPARSE * 2])
def test_however_many_places_are_asked_about_each_is_told_the_same(count):
    """Of all that there are, few, some or most."""
    tree = (CORES, 1.0, (FREE, 50.0, 1.5, 3.0), (FREE, 20.0, 4.0, (FREE, 90.0, 2.0, 0.5)))
    model = TreeWaits("small", Forest((tree, 0.25)), Forest((tree, 1.0)))
    places = [(*(0.0,) * (FREE - OF_JOB), float(at), *(0.0,) * (COUNT - FREE - 1)) for at in range(FEW * SPARSE * 2)]
    job = Features._make([2.0] * COUNT)[:OF_JOB]
    asked = list(range(count))[::-1]
    each = [model.predict(Features._make((*job, *places[one]))) for one in asked]
    p50, p90 = wide_waits(model, places)(job).both(np.array(asked))
    assert [one * MICROSECOND for one in p50.tolist()] == [one.p50 for one in each]
    assert [one * MICROSECOND for one in p90.tolist()] == [one.p90 for one in each]


def test_what_is_kept_has_a_bound_and_what_was_told_before_stays_right():
    chain = 0.0
    for at in range(60, 0, -1):
        chain = (CORES, float(at), at / 1000, chain)
    trees = tuple((WALL, float(number), chain, 1.0) for number in range(40))
    model = TreeWaits("many", Forest(trees), Forest(trees))
    wide, at = wide_waits(model, [(0.0,) * (COUNT - OF_JOB)] * 2), np.array([0, 1] * FEW)
    jobs = [Features._make([0.0] * COUNT)._replace(cores=cores + 0.5) for cores in range(61)]
    for told, job in [(wide(job[:OF_JOB]), job) for job in jobs]:
        assert [one * MICROSECOND for one in told.p50(at).tolist()] == [model.predict(job).p50] * 2 * FEW
    assert wide._middle._rows.shape == (KEPT_MOST, 2)
