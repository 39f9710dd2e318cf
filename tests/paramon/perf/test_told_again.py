"""A rank that is told of again: as it got another parent or name, or executed another program."""

import ctypes.util
import os
from collections.abc import Iterator

import pytest
from tests.paramon.perf.adopting import seen
from tests.paramon.perf.obedient import Program, program

from paramon.perf.call import paranoid
from paramon.perf.mpi import Mpi

level = paranoid()
pytestmark = [
    pytest.mark.skipif(not ctypes.util.find_library("mpi"), reason="no Open MPI here (openmpi-bin)"),
    pytest.mark.skipif(level is None or (level > 2 and os.getuid() != 0), reason="no samples for us here"),
]
LOADS = "import ctypes; ctypes.CDLL('libmpi.so.40')"


@pytest.fixture
def rank() -> Iterator[Program]:
    with program() as one:
        one.do(LOADS)
        yield one


@pytest.fixture
def mpi(rank) -> Iterator[Mpi]:
    made = Mpi(1.0)
    told(made, rank)
    made.read()
    assert list(made._ranks) == [rank.process.pid]
    yield made
    made.close()


def told(mpi: Mpi, rank: Program, **how: object) -> None:
    mpi.came([seen(rank.process.pid)._replace(rank=3, **how)])


def test_one_that_lost_its_parent_or_got_another_name_is_followed_on(mpi, rank):
    followed = mpi._ranks[rank.process.pid].rank
    told(mpi, rank, parent=1)
    mpi.read()
    rank.do("open('/proc/self/comm', 'w').write('other')")
    told(mpi, rank, name="other")
    mpi.read()
    assert mpi._ranks[rank.process.pid].rank is followed


def test_what_it_executes_is_no_rank_before_it_speaks_mpi_itself(mpi, rank):
    rank.do("print('did it', flush=True); os.execv(argv[0], argv)")
    rank.do("pass")
    told(mpi, rank)
    mpi.read()
    assert not mpi._ranks
    rank.do(LOADS)
    rank.do("burn(0.1)")
    mpi.read()
    rank.do("burn(0.3)")
    assert mpi.read()["mpi.3.application_us"] >= 250_000
