"""Files that are kept open, and what is known of one that is not."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.paramon.sensors import trees

from paramon.sensors.file import NOT_KEPT, NOT_THERE, kept
from paramon.sensors.process import Watched


@contextmanager
def no_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_one_that_is_not_there_is_not_looked_for_again_though_it_could_not_be_opened(tmp_path):
    (tmp_path / "there").touch()
    with no_files():
        assert kept(str(tmp_path / "there"), 1000) == NOT_KEPT
        assert kept(str(tmp_path / "missing"), 1000) == NOT_THERE


@pytest.mark.parametrize("missing", ["io", "schedstat"])
def test_what_a_kernel_does_not_tell_of_a_process_is_not_its_end(tmp_path, missing):
    """It came where no more files could be opened."""
    trees.process(tmp_path, 7, 1, ticks=3)
    os.unlink(tmp_path / "7" / missing)
    watched = Watched(7, str(tmp_path))
    with no_files():
        watched.keep(1000)
    for _ in range(3):
        watched.look()
    watched.close()
