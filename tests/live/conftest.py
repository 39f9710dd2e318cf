"""Two real centres for the whole run of the live tests, in boxes that end with this process."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from paralab.inventory import Inventory, default_inventory
from paralab.lab import up
from paralab.running import RunningLab


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All live tests run in one worker, one after another: they share the centres."""
    for item in items:
        if "/tests/live/" in str(item.path):
            item.add_marker(pytest.mark.live)
            item.add_marker(pytest.mark.xdist_group("live"))


@pytest.fixture(scope="session")
def lab() -> Iterator[RunningLab]:
    if os.getuid() != 0:
        pytest.skip("real centres need root")
    running = up(_inventory(), name=f"live-{os.getpid()}", attached=True)
    yield running
    running.down()


def _inventory() -> Inventory:
    """The default centres; Slurm's own commands in the west give up after 3 s without a controller, not after 20."""
    east, west = default_inventory().centres
    return Inventory((east, replace(west, slurm={"MessageTimeout": "3"})))
