"""Four real centres, one of Grid Engine, for the whole run of the live tests, in boxes that end with this process."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.live.logins import SCHEDULERS, Login

from paralab.inventory import Centre, Inventory, Partition, SchedulerName, default_inventory
from paralab.lab import up
from paralab.running import RunningLab

WHOLE = {"SelectType": "select/linear", "SelectTypeParameters": "CR_Memory", "MaxMemPerCPU": "1000"}


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


@pytest.fixture(params=SCHEDULERS, ids=lambda one: one.CENTRE)
def scheduler(request: pytest.FixtureRequest) -> type[Login]:
    """Every one; a file that is about one names it instead."""
    return request.param


@pytest.fixture
def login(lab: RunningLab, scheduler: type[Login]) -> Iterator[Login]:
    opened = scheduler.of(lab)
    yield opened
    opened.clear()


def _inventory() -> Inventory:
    """The default centres, and one that gives whole nodes alone; Slurm's own commands in the west give up after 3 s
    without a controller, not after 20."""
    east, west = default_inventory().centres
    whole = Centre("whole", 1, (Partition("cpu", 2, 8, 16000, "1-00:00:00", is_default=True),), WHOLE)
    cpu = Partition("cpu", 2, 8, 64000, "2-00:00:00", is_default=True)
    gpu = Partition("gpu", 1, 8, 64000, "0-00:30:00", gpus=2, gpu_model="a100")
    grid = Centre("grid", 2, (cpu, gpu), scheduler=SchedulerName.GRID_ENGINE)
    return Inventory((east, replace(west, slurm={"MessageTimeout": "3"}), whole, grid))
