"""Old logs of Grid Engine: its accounting file."""

from datetime import timedelta

import pytest
from tests.paracloud.dialects.log_lines import grid, one

from paracloud.dialects.gridengine import history as gridengine
from paracloud.dialects.history import LeftOut
from paracloud.dialects.records import NativePhase


def test_a_line_of_grid_engine_is_a_record():
    found = one(gridengine, grid())
    assert (found.native_id, found.task_index, found.cores, found.gpus, found.account) == ("22", 3, 16, 16, "physics")
    assert (found.elapsed_seconds, found.wall_limit) == (3600, timedelta(hours=2))
    assert one(gridengine, grid(submission_time="1780300000000", start_time="1780300600000", end_time="1780304200000"))


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"failed": "37", "exit_status": "137"}, NativePhase.TIMEOUT),
        ({"failed": "24"}, NativePhase.NODE_FAILED),
        ({"exit_status": "1"}, NativePhase.FAILED),
    ],
)
def test_how_grid_engine_says_that_it_ended(changes, phase):
    assert one(gridengine, grid(**changes)).phase is phase


def test_what_grid_engine_tells_besides():
    assert one(gridengine, grid(pe_taskid="1.node7")) == LeftOut(1, "step")
    assert one(gridengine, grid(start_time="0")) == LeftOut(1, "never started")
    assert one(gridengine, grid(end_time="0")) == LeftOut(1, "not ended")
    assert list(gridengine.read(["# Version: 8.1.9\n", "\n"])) == [LeftOut(1, "remark")]
    assert "colon" in one(gridengine, grid(category="-l h=a:b")).en
    assert "no time" in one(gridengine, grid(end_time="9" * 18)).en
    assert "fields" in one(gridengine, "all.q:node7:staff\n").en
