"""The simulation itself under test: it finds out every protocol that lacks a part."""

import pytest
from tests.simulation.history import play
from tests.simulation.mutants import MUTANTS

SEEDS = 300


@pytest.mark.parametrize("name", MUTANTS)
def test_a_protocol_without_one_of_its_parts_is_found_out(name: str) -> None:
    parts = MUTANTS[name]
    assert any(play(seed, parts).violations for seed in range(SEEDS))
