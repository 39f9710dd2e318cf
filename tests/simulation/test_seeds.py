"""The worker's protocol in a thousand histories of crashes, freezes, losses and slowness."""

import pytest
from tests.simulation.history import play
from tests.simulation.kept import kept_seeds

SEEDS = 1000
AT_A_TIME = 50


def assert_nothing_broke(seed: int) -> None:
    history = play(seed)
    assert not history.violations, f"seed {seed}:\n{history.text()}"


@pytest.mark.parametrize("first", range(0, SEEDS, AT_A_TIME))
def test_every_history_ends_with_each_job_run_once_and_charged_once(first: int) -> None:
    for seed in range(first, first + AT_A_TIME):
        assert_nothing_broke(seed)


def test_seeds_that_failed_once_hold_now() -> None:
    for seed in kept_seeds():
        assert_nothing_broke(seed)


def test_histories_do_what_they_are_for() -> None:
    """Or else a fault that stopped all work would pass for calm."""
    histories = [play(seed) for seed in range(AT_A_TIME)]
    text = "\n".join(one.text() for one in histories)
    assert sum(one.executions for one in histories) > AT_A_TIME * 6
    for happened in ("worker.killed", "worker.frozen", "centre.lease_lost", "centre.dispatch_failed", "NODE_FAIL"):
        assert happened in text
