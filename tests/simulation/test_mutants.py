"""The simulation itself under test: it finds out every protocol that lacks a part."""

import pytest
from tests.simulation.history import play
from tests.simulation.mutants import MUTANTS

SEEDS = 300


SIGNS = {
    "no guard": "was submitted though the centre showed it",
    "look-up only": "was submitted while it was being submitted",
    "no run marker": "was executed more than once",
    "no fence": "a write with a stale fence went through",
    "absence taken for completion": "was ended without an accounting record",
    "charge without key": "the centres' accounting makes it",
    "move without a look": "was handed over that has run",
    "move without the run marker": "was executed more than once",
    "move before the cancel is certain": "was handed over while its old centre had it",
    "the same tag everywhere": "was cancelled at its centre, which nobody asked for",
    "the old hold kept": "the centres' accounting makes it",
}
"""What gives each away."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_protocol_without_one_of_its_parts_is_found_out(name: str) -> None:
    parts, sign = MUTANTS[name], SIGNS[name]
    found = (violation for seed in range(SEEDS) for violation in play(seed, parts).violations)
    assert any(sign in violation for violation in found)
