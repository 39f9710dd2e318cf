"""Run times from the past alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paracloud.placement.past import RunTimes

KEYS = (("ann", "a.sh"), ("ann",))


def learnt(*ran: float, requested: float = 3600) -> RunTimes:
    past = RunTimes()
    for one in ran:
        past.learn(KEYS, requested, one)
    return past


def test_who_is_unknown_is_believed() -> None:
    found = learnt().predict(KEYS, 3600)
    assert (found.p50, found.p90) == (3600, 3600)


def test_what_always_took_as_long_takes_as_long_whatever_is_asked() -> None:
    past = RunTimes()
    for asked in (3600, 7200, 1800, 36000, 3000, 5000):
        past.learn(KEYS, asked, 600)
    assert past.predict(KEYS, 86400).p50 == 600


def test_who_uses_a_part_of_what_he_asks_for_is_expected_to_do_so_again() -> None:
    past = RunTimes()
    for asked in (1000, 20000, 3000, 80000, 500, 9000):
        past.learn(KEYS, asked, asked / 4)
    assert abs(past.predict(KEYS, 40000).p50 - 10000) < 1


def test_the_script_says_more_than_its_user_and_the_user_more_than_nothing() -> None:
    past = learnt(60, 60, 60, 60)
    past.learn((("ann", "b.sh"), ("ann",)), 3600, 1800)
    assert past.predict(KEYS, 3600).p50 == 60
    assert past.predict((("ann", "new.sh"), ("ann",)), 3600).p50 != 3600
    assert past.predict((("bob", "a.sh"), ("bob",)), 3600).p50 == 3600


def test_who_is_regular_has_a_p90_near_the_median_and_who_is_not_has_not() -> None:
    regular, wild = learnt(*[600] * 12), learnt(*[10, 3000] * 6)
    assert regular.predict(KEYS, 3600).p90 < 800
    assert wild.predict(KEYS, 3600).p90 > 3000


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(0, 1e6)), max_size=30), st.floats(1, 1e6))
def test_a_prediction_is_within_what_is_asked(past: list[tuple[float, float]], requested: float) -> None:
    known = RunTimes()
    for asked, ran in past:
        known.learn(KEYS, asked, min(ran, asked))
    found = known.predict(KEYS, requested)
    assert 0 <= found.p50 <= found.p90 <= requested


def test_of_too_many_keys_those_are_forgotten_of_which_nothing_ended_for_longest() -> None:
    past = RunTimes(most_keys=2)
    for _ in range(4):
        for key in ("old", "kept"):
            past.learn([key], 3600, 60)
    past.learn(["kept", "new"], 3600, 60)
    assert [past.predict([key], 3600).p50 for key in ("old", "kept")] == [3600, 60]


@given(st.data())
def test_many_keys_are_told_at_once_what_each_is_told_alone(data):
    known = RunTimes()
    keys = ["none", "once", "asked", "part", "last"]
    seconds = st.floats(0, 1e6)
    for key in keys[1:]:
        for _ in range(data.draw(st.integers(1, 6))):
            asked = data.draw(seconds)
            known.learn([key], asked, asked * data.draw(st.sampled_from([0.1, 0.5, 1.0, 1.01])))
    requested = data.draw(seconds)
    each, at = known.each(keys), np.array(data.draw(st.lists(st.integers(0, len(keys) - 1))), dtype=np.int64)
    told = [known.predict([keys[one]], requested) for one in at]
    assert each.p50(at, requested).tolist() == [one.p50 for one in told]
    assert each.p90(at, requested).tolist() == [one.p90 for one in told]
