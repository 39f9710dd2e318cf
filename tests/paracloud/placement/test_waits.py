"""How long a job waits where no model was trained: values in, quantiles out."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from paracloud.placement.waits import Features, PlainWaits, quantile, quantiles

QUIET = Features(
    hour=9, weekday=0, cores=4, nodes=1, gpus=0, wall_seconds=3600, user_waits=0, user_p50=-1, queue_cores=64,
    free_cores=16, free_nodes=4, waiting_jobs=0, waiting_cores=0, waiting_core_seconds=0, oldest_wait=0,
    running_jobs=0, running_cores=0, hour_waits=0, hour_p50=-1, hour_p90=-1, day_waits=0, day_p50=-1, day_p90=-1,
    usual_start=20,
)  # fmt: skip
FULL = QUIET._replace(free_cores=0, free_nodes=0)
SECOND = timedelta(seconds=1)


def test_where_there_is_room_a_job_starts_as_usual_there() -> None:
    assert PlainWaits().predict(QUIET).p50 == 20 * SECOND


def test_room_that_ours_who_came_before_will_take_is_none() -> None:
    assert PlainWaits().predict(QUIET._replace(waiting_cores=13)).p50 > 20 * SECOND


def test_in_a_full_queue_a_job_waits_as_those_of_the_last_hour_did_before_those_of_the_day() -> None:
    day = FULL._replace(day_waits=50, day_p50=100, day_p90=200)
    assert PlainWaits().predict(day).p50 == 100 * SECOND
    assert PlainWaits().predict(day._replace(hour_waits=9, hour_p50=900, hour_p90=1000)).p50 == 900 * SECOND


def test_the_fewer_have_waited_the_wider_is_what_is_said() -> None:
    few, many = (FULL._replace(day_waits=count, day_p50=100, day_p90=200) for count in (5, 400))
    assert PlainWaits().predict(few).p90 > PlainWaits().predict(many).p90 >= 200 * SECOND


def test_no_bound_is_shorter_than_what_one_already_waits() -> None:
    assert PlainWaits().predict(QUIET._replace(oldest_wait=9999)).p90 == 9999 * SECOND


numbers = st.floats(-1, 1e9)


@given(st.builds(Features, **dict.fromkeys(Features._fields, numbers)))
def test_whatever_is_known_no_wait_is_negative_and_p90_is_no_shorter_than_p50(features: Features) -> None:
    found = PlainWaits().predict(features)
    assert timedelta(0) <= found.p50 <= found.p90


def test_quantiles_in_the_wrong_order_are_put_right() -> None:
    assert quantiles(60, 10) == quantiles(60, 60)
    assert quantiles(-5, -9).p50 == timedelta(0)


@given(st.lists(st.integers(0, 99), min_size=1), st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_a_quantile_is_not_exceeded_by_at_least_its_part(values: list[int], part: float) -> None:
    found = quantile(sorted(values), part)
    assert sum(one <= found for one in values) >= part * len(values)
