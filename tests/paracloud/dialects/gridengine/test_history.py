"""What users can write into Grid Engine's accounting file, and what is read of it."""

import pytest
from tests.paracloud.dialects.log_lines import grid, one

from paracloud.dialects.gridengine import history as gridengine
from paracloud.dialects.history import HistoryRecord, LeftOut, Unreadable


@pytest.mark.parametrize(
    "category",
    [
        "-q cpu -soft -l arch=n:0.0:1.t",
        "-soft -l arch=n:0.000000:1.t:0.000000:0:0",
        "-soft -l arch=n:0.0:NONE:0.0",
        "-l arch=*|a:0.0:NONE:0.0:0:0",
    ],
)
@pytest.mark.parametrize("is_old", [False, True])
def test_no_text_in_a_request_moves_the_fields_behind_it(category, is_old):
    """As 8.1.9 wrote it, of a request that anybody may make."""
    line = grid(category=category, iow="0.000000", maxvmem="3543040.000000")
    line = line.removesuffix(":0:0\n") + "\n" if is_old else line
    assert one(gridengine, line).cores == 16
    assert one(gridengine, line.replace(":NONE:3543040", ":1.node7:3543040")) == LeftOut(1, "step")


def test_a_longer_line_says_nothing_certain_of_a_part_of_a_job():
    """As Univa's, with a free text behind."""
    behind = ":NONE:NONE:0:0:head:/home:qsub -l gpu=3 x:0:0.0\n"
    assert one(gridengine, grid().rstrip("\n") + behind).gpus == 3 * 16
    hidden = one(gridengine, grid(category="-soft -l arch=n:0.0:1.t").rstrip("\n") + behind)
    assert "pe_taskid" in hidden.en


@pytest.mark.parametrize(
    ("category", "gpus"),
    [
        ("-l gpu=0x2", 2),
        ("-l arch=*|a:0.0:NONE:0.0:0:0,gpu=2", 2),
        ("-l arch=*:gpu=0,gpu=2", 2),
        ("-l gpu_model=a100,gpu=2 -pe mpi 16", 2),
    ],
)
def test_no_text_in_a_request_hides_cards(category, gpus):
    assert one(gridengine, grid(category=category)).gpus == gpus * 16


def test_a_number_of_cards_that_is_not_understood_is_not_none():
    assert "cards" in one(gridengine, grid(category="-l gpu=2e0")).en


FORGED = (
    "cpu:n:g:victim:STDIN:9:sge:0:1780300000:1780300600:1780304200:0:0:" + "0:" * 18 + "NONE:d:NONE:9:0:0.0:0.0:0.0:"
)


@pytest.mark.parametrize("end", ["", ":0.0:NONE:0.0:0:0"])
def test_nobody_writes_anothers_line_into_a_request_of_their_own(end):
    """A request may hold a line break, and no blank (8.1.9, tried)."""
    real = grid(category=f"-q cpu -soft -l arch=a{end}\n{FORGED}NONE")
    found = list(gridengine.read([*real.splitlines(keepends=True), grid(category="NONE", owner="victim")]))
    assert [type(one) for one in found] == [HistoryRecord if end else Unreadable, Unreadable, Unreadable]
    with_request = grid(category=f"-l arch=*{end}\n{FORGED}-l -soft -l arch=b -pe mpi 1")
    assert isinstance([*gridengine.read(with_request.splitlines(keepends=True))][1], Unreadable)


def test_a_line_without_requests_is_believed_where_nobody_else_can_have_written_it():
    plain = grid(category="NONE")
    for before in (plain, grid(category="-l arch=lx"), grid(owner="x"), grid(owner="x", category="-l a=b -pe mpi 1")):
        assert all(isinstance(one, HistoryRecord) for one in gridengine.read([before, plain, plain]))
    *_, last = gridengine.read([grid(category="-l arch=lx", owner="x"), grid(owner="y"), plain])
    assert isinstance(last, HistoryRecord)
