"""All offers at once are held against a job at the very limit, and beyond it, as each alone is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.paracloud.placement.test_choose import CPU, GIB, NEED
from tests.paracloud.placement.test_objectives import HERE, demanding

from paracloud.placement.columns import Columns
from paracloud.placement.filter import filter_offers


@pytest.mark.parametrize(
    ("kept", "broken"),
    [
        ({"region": "华东"}, {"region": "华北"}),
        ({"residency": frozenset({"华东"})}, {"residency": frozenset()}),
        ({"applications": frozenset({"lammps"})}, {"applications": frozenset({"vasp"})}),
        ({"licences": frozenset({"abaqus"})}, {"licences": frozenset({"matlab"})}),
        ({"least_trust": 2}, {"least_trust": 3}),
    ],
)
def test_what_a_job_demands(kept: dict[str, Any], broken: dict[str, Any]) -> None:
    columns = Columns([HERE])
    assert columns.fits(demanding(**kept)).all()
    assert not columns.fits(demanding(**broken)).any()


@pytest.mark.parametrize(
    ("limit", "beyond"),
    [
        ({"wall_limit": timedelta(days=2)}, {"wall_limit": timedelta(days=2, microseconds=1)}),
        ({"nodes": 4}, {"nodes": 5}),
        ({"cores": 128}, {"cores": 129}),
        ({"cores": 64, "nodes": 2}, {"cores": 65, "nodes": 2}),
        ({"cores_per_task": 32}, {"cores_per_task": 33}),
        ({"memory_per_node_bytes": 64 * GIB}, {"memory_per_node_bytes": 64 * GIB + 1}),
        ({"gpus_per_node": 0}, {"gpus_per_node": 1}),
        ({"queue": "cpu"}, {"queue": "gpu"}),
    ],
)
def test_what_a_job_needs_of_a_queue(limit: dict[str, Any], beyond: dict[str, Any]) -> None:
    for changes in (limit, beyond):
        need = replace(NEED, **changes)
        assert bool(Columns([CPU]).fits(need)[0]) == bool(filter_offers(need, [CPU])[0]) == (changes is limit)
