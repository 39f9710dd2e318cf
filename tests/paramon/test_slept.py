"""A machine that slept while it was looked at: a gap in the profile, and no rate is of it."""

import os
import shutil
import subprocess
import sys

import pytest
from tests.paramon.made import HZ, Made
from tests.paramon.sensors import trees
from tests.paramon.show.pages import shown
from tests.paramon.test_watch import ENVIRONMENT

from paramon.beat import Beat
from paramon.facts.job import JobFacts
from paramon.facts.moment import cores_by_time, node_at
from paramon.facts.window import Window
from paramon.record import Recorder
from paramon.sample.profile import open_profile
from paramon.table import Belongs, Table

OWN, JOB = 2, 10
SLEPT_SECONDS = 3600
NEAR = 0.5
"""What is no sleep stays in the time that passed, and is taken back with the next sleep."""


class Laptop:
    """A job that uses one core, looked at each second that the machine is awake."""

    def __init__(self, folder) -> None:
        self.awake = self.slept = 0.0
        self.root = folder / "proc"
        self.root.mkdir()
        table = Table(Belongs(frozenset(), frozenset({OWN}), (b"MARK", b"here")), str(self.root), own=OWN)
        beat = Beat(1.0, 1.0, lambda: self.awake, lambda: 0.0)
        spool = Made(folder / "profile").spool
        self.recorder = Recorder(
            spool, table, beat, [], clock=lambda: self.awake + self.slept, awake=lambda: self.awake
        )

    def works(self, seconds: int) -> None:
        for _ in range(seconds):
            trees.process(self.root, JOB, OWN, ticks=round(self.awake * HZ))
            self.recorder.tick_if_due()
            self.awake += 1

    def sleeps(self, seconds: float) -> None:
        self.slept += seconds


@pytest.fixture(params=[False, True], ids=["in a minute", "between two"])
def node(tmp_path, request):
    """It slept twice, and for a moment between two questions of its clocks."""
    laptop = Laptop(tmp_path)
    laptop.works(4)
    laptop.sleeps(0.3)
    laptop.works(1)
    if request.param:
        laptop.recorder.end_minute()
    laptop.sleeps(SLEPT_SECONDS - 0.3)
    laptop.works(3)
    laptop.sleeps(SLEPT_SECONDS)
    laptop.works(4)
    laptop.awake -= 1
    laptop.recorder.close({}, lambda: 0)
    (found,) = open_profile(str(tmp_path / "profile"))
    return found


def test_moments_are_those_of_the_clock(node):
    at = [at for chunk in node.chunks() for at in chunk.ticks][:-1]  # the last look is of its end
    slept = SLEPT_SECONDS * 1000
    assert at[:4] == [0, 1000, 2000, 3000]
    assert at[5:] == [
        slept + 5000,
        slept + 6000,
        slept + 7000,
        *(2 * slept + second for second in range(8000, 12000, 1000)),
    ]
    assert node.end["wall_ms"] == 2 * slept + 11000


def test_no_rate_is_of_the_gap(node):
    window = Window(list(node.chunks()))
    for tick in range(1, len(window.ticks) - 1):
        now = node_at(window, window.ticks[tick], node.processes.get, HZ)
        assert now.cores == pytest.approx(1.0, rel=NEAR)
    assert cores_by_time(window, 1, range(len(window.ticks) - 1), HZ) == pytest.approx([1.0] * 11, rel=NEAR)


def test_what_was_there_to_be_used_is_of_the_time_awake(node, tmp_path):
    found = JobFacts([node])
    used = list(found.timeline.cpu_ms)
    assert sum(used) == pytest.approx(11_000, rel=0.1)
    assert not any(used[6 : SLEPT_SECONDS + 3])
    assert not any(used[SLEPT_SECONDS + 9 : 2 * SLEPT_SECONDS + 6])
    assert (found.wall_ms, found.awake_ms) == (node.end["wall_ms"], 11_000)
    assert found.there_ms == found.nodes[0].cores * 11_000
    (course,) = (course for name, course in found.nodes[0].courses.items() if name == "paramon.cpu_us")
    assert course.seconds == 11
    text = shown(tmp_path / "profile")
    assert "asleep for 2 h" in text or "asleep for 2:00" in text


def test_of_a_machine_that_did_not_sleep_nothing_is_said(tmp_path):
    laptop = Laptop(tmp_path)
    laptop.works(5)
    laptop.recorder.close({}, lambda: 0)
    (found,) = open_profile(str(tmp_path / "profile"))
    assert not any("suspended" in series for chunk in found.chunks() for series in chunk.points)
    assert "asleep" not in shown(tmp_path / "profile")


AHEAD = "from paramon.record import boot_seconds\nimport time\nprint(int(boot_seconds() - time.monotonic()))"


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("unshare"), reason="only root may set the clock of its boot")
def test_the_clock_of_a_profile_is_the_one_that_goes_on_while_the_machine_sleeps():
    argv = [sys.executable, "-c", AHEAD]
    now, later = (
        int(subprocess.run([*before, *argv], env=ENVIRONMENT, check=True, capture_output=True, timeout=60).stdout)
        for before in ([], ["unshare", "--time", "--fork", "--boottime", "5000000"])
    )
    assert later - now >= 4_999_999
