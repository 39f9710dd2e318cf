"""Labs of these tests' own, small and short: each test that builds one ends it."""

import os
from itertools import count

import pytest

NUMBERS = count(1)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that build centres run in one worker, one after another."""
    for item in items:
        if "/tests/paralab/" in str(item.path) and item.get_closest_marker("live"):
            item.add_marker(pytest.mark.xdist_group("paralab"))


@pytest.fixture
def lab_name() -> str:
    """One that no other test run uses."""
    if os.getuid() != 0:
        pytest.skip("real centres need root")
    return f"paralab-{os.getpid()}-{next(NUMBERS)}"
