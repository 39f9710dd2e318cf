"""The whole stage for the stories: real centres, a real server with two workers, customers through the API."""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from demo.stage import Stage, Tenant
from tests.story.hog import Hog

from paralab.inventory import Inventory, default_inventory

NUMBERS = count(1)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/story/" in str(item.path):
            item.add_marker(pytest.mark.story)
            item.add_marker(pytest.mark.xdist_group("story"))


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    if os.getuid() != 0:
        pytest.skip("real centres need root")
    # Every test is a tenant of its own, and takes an account at each centre that it uses.
    lending = [replace(centre, accounts=200) for centre in default_inventory().centres]
    with Stage("story", Inventory(tuple(lending)), patience_seconds=20, spare_accounts=20) as opened:
        yield opened


@pytest.fixture
def tenant(stage: Stage) -> Tenant:
    """A customer of this test alone."""
    return stage.tenant(f"user{next(NUMBERS)}")


@pytest.fixture
def hog(stage: Stage) -> Iterator[Hog]:
    """In the east."""
    made = Hog(stage)
    yield made
    made.gone()
