"""What goes wrong with a part of what is looked at takes nothing else with it."""

import os
import shutil
import subprocess
import sys

import pytest
from tests.paramon.made import Made
from tests.paramon.sensors import trees
from tests.paramon.test_watch import ENVIRONMENT, until_ticked

from paramon.beat import Beat
from paramon.record import NEWCOMERS, Recorder, safely
from paramon.sample.profile import open_profile
from paramon.sensors.sensor import Unavailable
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


class Late:
    """What turns out not to be there, and then is."""

    name = "late"

    def __init__(self) -> None:
        self.is_there = False

    def read(self) -> dict[str, int]:
        if not self.is_there:
            raise Unavailable("nobody is there", "无人")
        return {"late.free": 1}

    def close(self) -> None:
        pass


def test_what_turns_out_not_to_be_there_is_told_once_and_taken_back_when_it_is(tmp_path):
    made, sensor, now = Made(tmp_path / "profile"), Late(), 0.0
    table = Table(Belongs(frozenset(), frozenset({OWN}), (b"MARK", b"here")), str(tmp_path), own=OWN)
    recorder = Recorder(made.spool, table, Beat(1.0, 1.0, lambda: now, lambda: 0.0), [sensor], clock=lambda: now)
    sizes = []
    for sensor.is_there in (False, False, True):
        recorder.tick_if_due()
        now += 1
        (node,) = open_profile(str(tmp_path / "profile"))
        sizes.append(os.path.getsize(made.path))
        told = {} if sensor.is_there else {"late": ["nobody is there", "无人"]}
        assert node.header["unavailable"] == told
    assert sizes[0] == sizes[1]
    recorder.close({}, lambda: 0)
    assert open_profile(str(tmp_path / "profile"))[0].end["failed_reads"] == {}


@pytest.mark.parametrize(("goes_on", "expected"), [(False, "the profile ends here"), (True, "a part of the profile")])
def test_a_defect_is_said_in_one_line_and_whether_the_profile_goes_on(capfd, monkeypatch, goes_on, expected):
    def fails():
        raise ValueError("wrong \udcff")

    monkeypatch.setenv("PARACLOUD_LANGUAGE", "en")
    assert not safely(fails, goes_on=goes_on)
    said = capfd.readouterr().err
    assert expected in said
    assert said.count("\n") == 1
    monkeypatch.setenv("PARACLOUD_LANGUAGE", "zh")
    assert not safely(fails, goes_on=goes_on)
    assert not capfd.readouterr().err.isascii()
    assert safely(lambda: None)


def test_where_nobody_listens_a_defect_does_no_harm():
    script = "import os; from paramon.record import safely; os.close(2); assert not safely(lambda: 1 / 0)"
    subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, check=True, timeout=60)


@pytest.mark.parametrize("mode", [0o111, 0o555])
def test_where_a_program_must_not_be_read_it_is_said_that_its_io_is_not_known(tmp_path, mode):
    """As licensed ones are installed. Root may read all, unless it has given that right away."""
    program, rights = tmp_path / "closed", "-sys_ptrace,-dac_override,-dac_read_search"
    shutil.copy("/bin/cat", program)
    program.chmod(mode)
    before = ("setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}") if os.getuid() == 0 else ()
    folder = str(tmp_path / "profile")
    argv = [*before, sys.executable, "-m", "paramon", "run", "--period", "0.1", "--folder", folder, "--", str(program)]
    with subprocess.Popen(argv, env=ENVIRONMENT, stdin=subprocess.PIPE) as process:
        until_ticked(folder, 2)  # at the first, it may just be becoming that program
        process.communicate()
    (node,) = open_profile(folder)
    assert ("process_io" in node.header["unavailable"]) == (mode == 0o111)
