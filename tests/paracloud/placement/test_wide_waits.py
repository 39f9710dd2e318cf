"""Waits asked for at many places at once are those that are asked for at each."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paracloud.placement.columns import MICROSECOND
from paracloud.placement.trees import Forest
from paracloud.placement.wait_model import TreeWaits
from paracloud.placement.waits import Features, PlainWaits
from paracloud.placement.wide_waits import KEPT_MOST, OF_JOB, WideWaits

COUNT = len(Features._fields)
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
@given(models, st.lists(known(COUNT - OF_JOB), max_size=6), st.lists(known(OF_JOB), min_size=1, max_size=6))
def test_all_places_at_once_are_told_what_each_is(model, places, jobs):
    wide = WideWaits(model, places)
    for job in (*jobs, jobs[0]):
        each = [model.predict(Features._make((*job, *place))) for place in places]
        found = wide.predict(job)
        assert [one * MICROSECOND for one in found.p50.tolist()] == [one.p50 for one in each]
        assert [one * MICROSECOND for one in found.p90.tolist()] == [one.p90 for one in each]


def test_jobs_that_no_split_tells_apart_are_asked_for_once():
    by_cores = Forest(((Features._fields.index("cores"), 10.0, 1.0, 2.0),))
    wide = WideWaits(TreeWaits("one", by_cores, by_cores), [(0.0,) * (COUNT - OF_JOB)])
    jobs = [Features._make([float(cores)] * COUNT)[:OF_JOB] for cores in (4, 10, 11)]
    few, ten, eleven = (wide.predict(job) for job in jobs)
    assert few is ten
    assert [one.p50.item() * MICROSECOND for one in (ten, eleven)] == [timedelta(seconds=10), timedelta(seconds=100)]


@pytest.mark.parametrize("model", [PlainWaits(), TreeWaits("none", Forest(()), Forest(()))])
def test_nothing_grows_with_the_number_of_questions(model):
    wide = WideWaits(model, [(0.0,) * (COUNT - OF_JOB)])
    for number in range(KEPT_MOST + 10):
        wide.predict((0.0, 0.0, float(number), *[0.0] * (OF_JOB - 3)))
    assert len(wide._kept) <= KEPT_MOST
