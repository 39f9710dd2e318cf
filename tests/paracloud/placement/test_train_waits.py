"""A model of waits is trained on what was known, and judged by jobs that it knows nothing of."""

import random
from collections.abc import Callable

import pytest
from tests.paracloud.placement.test_waits import FULL

from paracloud.placement.train_waits import Trained, Waited, train
from paracloud.placement.wait_model import LEAST_JOBS, read_model

DAY = 86400.0
KNOWN = FULL._replace(day_waits=100, day_p50=600, day_p90=4000)


def history(count: int, wait: Callable[[float, random.Random], float], *, days: int = 20) -> list[Waited]:
    """Jobs of a full queue whose wait depends on their cores; the plain rule knows only those of all of them."""
    dice = random.Random(5)
    jobs = []
    for number in range(count):
        cores = dice.choice([1.0, 4.0, 16.0, 64.0])
        jobs.append(Waited(KNOWN._replace(cores=cores), number * days * DAY / count, wait(cores, dice)))
    return jobs


def by_size(cores: float, dice: random.Random) -> float:
    return cores * 100 * dice.uniform(0.8, 1.25)


def trained(jobs: list[Waited]) -> Trained:
    found = train(jobs)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def sized() -> Trained:
    return trained(history(1200, by_size))


def test_what_waits_depend_on_is_learnt_and_beats_the_plain_rule(sized: Trained) -> None:
    assert sized.scores.loss < sized.scores.plain_loss / 3
    model = read_model("trees", sized.model)
    sizes = (KNOWN._replace(cores=cores) for cores in (1, 64))
    small, large = (model.predict(one).p50.total_seconds() for one in sizes)
    assert 50 < small < 200
    assert 3200 < large < 12800


def test_its_p90_holds_for_about_nine_of_ten_that_it_has_not_seen(sized: Trained) -> None:
    assert 0.8 < sized.scores.held <= 1
    assert sized.scores.jobs == 240


def test_where_what_was_learnt_holds_no_more_the_plain_rule_is_better() -> None:
    """The newest jobs wait as the plain rule says, and no older one did: a model that saw them would be better."""
    jobs = history(1000, lambda _, dice: 600)
    turned = [one if at >= 800 else one._replace(waited=5.0) for at, one in enumerate(jobs)]
    scores = trained(turned).scores
    assert scores.loss > scores.plain_loss


def test_too_few_jobs_or_too_short_a_time_teach_nothing() -> None:
    assert train(history(LEAST_JOBS - 1, by_size)) is None
    assert train(history(LEAST_JOBS, by_size, days=0)) is None


def test_a_wait_that_was_not_over_when_the_judged_were_placed_is_not_known_to_the_model_that_is_judged() -> None:
    """All waits end only long after the last job was placed: who peeked would know them to be so long."""
    assert trained(history(1000, lambda _, dice: 1e7)).scores.loss > 0.5
