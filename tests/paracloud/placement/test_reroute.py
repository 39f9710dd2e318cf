"""When a waiting job is better off elsewhere, on values."""

from dataclasses import replace
from datetime import timedelta

from paracloud.kit.identifiers import CentreName, PriceVersionId, new_uuid
from paracloud.kit.money import Money
from paracloud.placement.offer import Need, Objective, Offer
from paracloud.placement.prediction import Prediction, Quantiles
from paracloud.placement.reroute import COOL_DOWN, MOVES_A_JOB, PATIENCE, Waiting, better, explain_move

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NEED = Need(cores=4, wall_limit=timedelta(hours=1))
LATE = Waiting(CentreName("east"), "cpu", Objective.CHEAPEST, PATIENCE + SECOND, None, most_micro=400)


def offer(centre: str, *, free: int, most: int = 400, unavailable: tuple[str, str] | None = None) -> Offer:
    return Offer(
        centre=CentreName(centre), queue="cpu", nodes=4, cores=16, cores_per_node=4, memory_per_node_bytes=1 << 30,
        gpus_per_node=0, gpu_model=None, free_cores=free, free_nodes=free // 4, free_gpus=0, max_wall=None,
        max_nodes=None, is_default=True, price=PriceVersionId(new_uuid()), most=Money(most), unavailable=unavailable,
    )  # fmt: skip


def expected(seconds: int) -> Prediction:
    wait = Quantiles(timedelta(seconds=seconds // 2), timedelta(seconds=seconds))
    return Prediction(wait, wait, "plain")


EAST, WEST, NORTH = offer("east", free=0), offer("west", free=8), offer("north", free=16, most=300)


def test_a_late_job_goes_where_it_can_start_now_and_of_two_to_the_cheaper() -> None:
    assert better(NEED, LATE, [EAST, WEST]) == WEST
    assert better(NEED, LATE, [EAST, WEST, NORTH]) == NORTH
    assert better(NEED, LATE, [NORTH, WEST, EAST]) == NORTH


def test_a_job_is_late_when_it_has_waited_longer_than_was_expected_or_than_patience() -> None:
    assert better(NEED, replace(LATE, waited=PATIENCE), [WEST]) is None
    assert better(NEED, replace(LATE, expected=PATIENCE * 2), [WEST]) is None
    assert better(NEED, replace(LATE, waited=2 * MINUTE, expected=MINUTE), [WEST]) == WEST


def test_nothing_is_sooner_where_nothing_is_free_or_all_is_taken() -> None:
    assert better(NEED, LATE, [EAST, replace(WEST, free_cores=3)]) is None
    assert better(NEED, LATE, [EAST, offer("west", free=8, unavailable=("down", "停用"))]) is None
    assert better(NEED, LATE, [offer("east", free=16)]) is None


def test_a_predicted_wait_counts_where_there_is_one() -> None:
    full = offer("west", free=0)
    soon, late = replace(full, prediction=expected(60)), replace(full, prediction=expected(580))
    assert better(NEED, LATE, [soon]) == soon
    assert better(NEED, LATE, [late]) is None
    assert better(NEED, LATE, [replace(WEST, prediction=expected(580))]) is None
    assert better(NEED, LATE, [replace(soon, moving=timedelta(minutes=9))]) is None


def test_who_asked_for_the_cheapest_pays_no_more_elsewhere_and_who_is_in_a_hurry_may() -> None:
    dear = offer("west", free=8, most=401)
    assert better(NEED, LATE, [dear]) is None
    assert better(NEED, replace(LATE, objective=Objective.SOONEST), [dear]) == dear


def test_a_job_is_moved_seldom() -> None:
    assert better(NEED, replace(LATE, moves=MOVES_A_JOB), [WEST]) is None
    assert better(NEED, replace(LATE, rested=COOL_DOWN - SECOND), [WEST]) is None
    assert better(NEED, replace(LATE, moves=MOVES_A_JOB - 1, rested=COOL_DOWN), [WEST]) == WEST


def test_a_gain_of_seconds_is_not_worth_a_move() -> None:
    assert better(NEED, replace(LATE, waited=59 * SECOND, expected=SECOND), [WEST]) is None
    assert better(NEED, replace(LATE, waited=60 * SECOND, expected=SECOND), [WEST]) == WEST


def test_the_move_is_explained_in_both_languages() -> None:
    en, zh = explain_move(replace(LATE, expected=MINUTE), WEST)
    assert "moved from east/cpu to west/cpu because it has waited 601 s there, longer than the 60 s" in en
    assert "由 east/cpu 改派至 west/cpu" in zh
    assert "60 秒" in zh
