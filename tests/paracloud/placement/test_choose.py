"""Placement is pure: the same offers give the same choice, and every offer that is out says why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.kit.identifiers import CentreName, PriceVersionId, new_uuid
from paracloud.kit.money import Money
from paracloud.placement.choose import choose
from paracloud.placement.constraints import Constraints
from paracloud.placement.explain import explain
from paracloud.placement.offer import Need, Objective, Offer

GIB = 1024**3
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
CPU = Offer(
    centre=CentreName("east"),
    queue="cpu",
    nodes=4,
    cores=128,
    cores_per_node=32,
    memory_per_node_bytes=64 * GIB,
    gpus_per_node=0,
    gpu_model=None,
    free_cores=128,
    free_nodes=4,
    free_gpus=0,
    max_wall=timedelta(days=2),
    max_nodes=None,
    is_default=True,
    price=PriceVersionId(new_uuid()),
    most=Money(1_000_000),
)
WEST = replace(CPU, centre=CentreName("west"), most=Money(900_000), free_cores=0, free_nodes=0)
GPU = replace(CPU, queue="gpu", gpus_per_node=4, gpu_model="a100", free_gpus=16)
NEED = Need(cores=4, wall_limit=timedelta(hours=1))


def test_the_cheapest_is_chosen_although_it_waits() -> None:
    assert choose(NEED, [CPU, WEST], Objective.CHEAPEST).fitting[0] == WEST


def test_the_soonest_is_the_one_with_free_cores_although_it_costs_more() -> None:
    assert choose(NEED, [WEST, CPU], Objective.SOONEST).fitting[0] == CPU


@pytest.mark.parametrize(
    ("need", "word"),
    [
        (replace(NEED, centre=CentreName("north")), "north"),
        (replace(NEED, queue="nope"), "nope"),
        (replace(NEED, only_centre=CentreName("west")), "dependency"),
        (replace(NEED, wall_limit=timedelta(days=3)), "2-00:00:00"),
        (replace(NEED, nodes=5), "4"),
        (replace(NEED, cores=129), "128"),
        (replace(NEED, cores=65, nodes=2), "64"),
        (replace(NEED, cores=64, cores_per_task=64), "32"),
        (replace(NEED, cores=64, tasks_per_node=64), "32"),
        (replace(NEED, memory_per_node_bytes=65 * GIB), "64.0 GiB"),
        (replace(NEED, memory_per_core_bytes=17 * GIB, cores_per_task=4), "64.0 GiB"),
        (replace(NEED, memory_per_core_bytes=9 * GIB, tasks_per_node=8), "64.0 GiB"),
        (replace(NEED, gpus_per_node=1), "0"),
    ],
)
def test_what_does_not_fit_is_rejected_with_what_would_fit(need: Need, word: str) -> None:
    choice = choose(need, [CPU], Objective.CHEAPEST)
    assert choice.fitting == ()
    assert word in choice.rejected[0].en
    assert choice.rejected[0].zh


def test_what_is_too_much_for_one_job_is_rejected_though_the_queue_has_it() -> None:
    narrow = replace(CPU, max_nodes=2)
    for need in (replace(NEED, nodes=3), replace(NEED, cores=65)):
        choice = choose(need, [narrow], Objective.CHEAPEST)
        assert "more than" in choice.rejected[0].en
    assert choose(replace(NEED, nodes=2, cores=64), [narrow], Objective.CHEAPEST).fitting == (narrow,)


def test_a_gpu_model_that_is_not_there_is_rejected_by_name() -> None:
    choice = choose(replace(NEED, gpus_per_node=1, gpu_model="h200"), [GPU], Objective.CHEAPEST)
    assert "h200" in choice.rejected[0].en
    assert "a100" in choice.rejected[0].en


def test_a_job_without_gpus_takes_a_gpu_queue_only_when_it_names_it() -> None:
    assert choose(NEED, [GPU], Objective.CHEAPEST).fitting == ()
    assert choose(replace(NEED, queue="gpu"), [GPU], Objective.CHEAPEST).fitting == (GPU,)


def test_a_queue_without_a_price_is_not_free_but_out() -> None:
    choice = choose(NEED, [replace(CPU, price=None, most=None)], Objective.CHEAPEST)
    assert choice.fitting == ()
    assert "price" in choice.rejected[0].en


def test_a_centre_that_is_down_is_out_with_its_reason() -> None:
    down = replace(CPU, unavailable=("it does not answer since 12:00", "自 12:00 起无响应"))
    assert choose(NEED, [down], Objective.CHEAPEST).rejected[0].en == "it does not answer since 12:00"


def test_the_choice_is_explained_in_both_languages() -> None:
    en, zh = explain(NEED, choose(NEED, [CPU, WEST], Objective.SOONEST))
    assert "east/cpu is the soonest of 2" in en
    assert "east/cpu" in zh
    assert "最快开始" in zh


def test_nothing_to_choose_is_nothing_to_explain() -> None:
    with pytest.raises(ValueError, match="no offer fits"):
        explain(NEED, choose(replace(NEED, queue="nope"), [CPU], Objective.CHEAPEST))


@given(
    costs=st.lists(st.integers(0, 10**12), min_size=1, max_size=8),
    free=st.lists(st.integers(0, 128), min_size=8, max_size=8),
    objective=st.sampled_from(list(Objective)),
    seed=st.randoms(),
)
def test_every_offer_is_either_fitting_or_rejected_and_the_order_of_offers_does_not_matter(
    costs: list[int], free: list[int], objective: Objective, seed: object
) -> None:
    offers = [
        replace(CPU, centre=CentreName(f"c{index}"), most=Money(cost), free_cores=free[index])
        for index, cost in enumerate(costs)
    ]
    shuffled = list(offers)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    constraints = Constraints(deadline=NOW + timedelta(minutes=30))
    need = replace(NEED, cores=64, nodes=2, constraints=constraints, asked_at=NOW)
    first, second = choose(need, offers, objective), choose(need, shuffled, objective)
    assert len(first.fitting) + len(first.rejected) == len(offers)
    assert first.fitting == second.fitting
