"""What goes wrong with a part of what is looked at takes nothing else with it."""

import pytest
from tests.paramon.made import Made
from tests.paramon.sensors import trees

from paramon.beat import Beat
from paramon.record import NEWCOMERS, Recorder
from paramon.sample.profile import open_profile
from paramon.table import Belongs, Table

OWN, JOB = 2, 10


class Odd:
    """A sensor of a kernel unlike those we know: it fails from the second read on."""

    name = "odd"

    def __init__(self, wrong: Exception) -> None:
        self.wrong, self.reads = wrong, 0

    def read(self) -> dict[str, int]:
        self.reads += 1
        if self.reads > 1:
            raise self.wrong
        return {"odd.free": 1}

    def close(self) -> None:
        raise self.wrong


class Even:
    name = "even"

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> dict[str, int]:
        self.reads += 1
        return {"even.reads": self.reads}

    def close(self) -> None:
        pass


@pytest.mark.parametrize("wrong", [KeyError("nr_throttled"), OSError(5, "I/O error"), TypeError("None")], ids=repr)
def test_what_a_sensor_or_a_follower_does_not_expect_is_counted_and_the_profile_goes_on(tmp_path, wrong):
    def follow(_):
        raise wrong

    trees.process(tmp_path / "proc", JOB, OWN)
    table = Table(Belongs(frozenset(), frozenset({OWN}), (b"MARK", b"here")), str(tmp_path / "proc"), own=OWN)
    told = []
    now = 0.0
    recorder = Recorder(
        Made(tmp_path / "profile").spool, table, Beat(1.0, 1.0, lambda: now, lambda: 0.0), [Odd(wrong), Even()],
        [follow, told.extend], clock=lambda: now,
    )  # fmt: skip
    for _ in range(3):
        recorder.tick_if_due()
        now += 1
    recorder.close({}, lambda: 0)
    assert [one.pid for one in told] == [JOB]
    (node,) = open_profile(str(tmp_path / "profile"))
    (chunk,) = node.chunks()
    assert [value for _, value in chunk.points["even.reads"]] == [1, 2, 3, 4]
    assert node.end["failed_reads"] == {"odd": 4, NEWCOMERS: 1}  # three reads, and where it is closed
