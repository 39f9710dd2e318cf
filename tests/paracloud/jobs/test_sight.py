"""What is foreseen for many offers at once is what is foreseen for each."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paracloud.jobs.drawn import LIN, USER, centre, mostly, price, specs
from tests.paracloud.jobs.world import START, queue

from paracloud.jobs.experience import Experience, Load
from paracloud.jobs.market import Stall, open_market
from paracloud.jobs.sight import Sight
from paracloud.kit.identifiers import UserId
from paracloud.placement.columns import MICROSECOND
from paracloud.placement.trees import Forest
from paracloud.placement.wait_model import TreeWaits
from paracloud.placement.waits import Features, PlainWaits

FREE = Features._fields.index("free_cores")
WALL = Features._fields.index("wall_seconds")
SPLIT = Forest(((WALL, 1000.0, 1.5, (FREE, 5.0, 4.0, 2.0)), (FREE, 9.0, 0.25, 0.5)))
spans = st.integers(1, 7200)


@st.composite
def pasts(draw, names) -> Experience:
    found = Experience()
    for name in names:
        if draw(st.booleans()):
            found.waiting[name, "cpu"] = Load(draw(st.integers(1, 9)), 8, 3600, START - timedelta(seconds=draw(spans)))
        for _ in range(draw(mostly(0, 3, 5))):
            found.runs.learn([(name, "cpu")], 7200, draw(spans))
    for _ in range(draw(mostly(0, 4))):
        found.runs.learn([USER], 7200, draw(spans))
    return found


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_all_are_told_what_each_is(data):
    names = [f"c{at}" for at in range(data.draw(st.integers(1, 5)))]
    stalls = [
        Stall(centre(name, "", 0), queue(cores=16, free_cores=data.draw(st.integers(0, 16))), (price("1"),), None)
        for name in names
    ]
    market = open_market(stalls, [], START)
    model = data.draw(st.sampled_from([PlainWaits(), TreeWaits("drawn", SPLIT, SPLIT)]))
    sight = Sight(data.draw(pasts(names)), model, START)
    for spec in data.draw(st.lists(specs(), min_size=1, max_size=3)):
        for offers in (market.bare, tuple(replace(one, free_cores=0) for one in reversed(market.bare))):
            at = np.array(data.draw(st.lists(st.integers(0, len(names) - 1), max_size=4)), dtype=np.int64)
            user = data.draw(st.sampled_from([USER, UserId(UUID(int=77))]))
            found = sight.prospects(LIN, user, spec, offers)
            runs = [
                np.full(at.size, one) if isinstance(one, int) else one(at) for one in (found.run_p50, found.run_p90)
            ]
            each = [sight.predict(LIN, user, spec, offers[one]) for one in at]
            assert found.model == sight.model
            assert (found.wait_p50(at) == found.wait_both(at)[0]).all()
            for column, told in zip([*found.wait_both(at), *runs], _columns(each), strict=True):
                assert [one * MICROSECOND for one in column.tolist()] == told


def _columns(each):
    return [
        [one.wait.p50 for one in each],
        [one.wait.p90 for one in each],
        [one.run.p50 for one in each],
        [one.run.p90 for one in each],
    ]
