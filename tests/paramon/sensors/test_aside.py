"""A sensor whose driver does not answer holds nobody up."""

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from paramon.sensors import aside
from paramon.sensors.aside import Aside
from paramon.sensors.sensor import Unavailable

HERE = Path(__file__).parent


class Driver:
    """What stands behind a sensor: it answers when it `may`."""

    def __init__(self):
        self.may, self.called, self.wrong, self.unmade = threading.Event(), [], None, None
        self.may.set()

    def made(self):
        self.called.append(f"made by {threading.current_thread().name}")
        if self.unmade:
            raise self.unmade
        return self

    def read(self):
        self.called.append("read")
        assert self.may.wait(60)
        if self.wrong:
            raise self.wrong
        return {"driver.reads": self.called.count("read")}

    def hurry(self):
        self.called.append("hurry")

    def close(self):
        self.called.append("close")


@pytest.fixture
def driver():
    return Driver()


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def sensor(driver, clock, monkeypatch):
    monkeypatch.setattr(aside, "stuck", [])
    one = Aside("driver", driver.made, lambda: clock[0])
    yield one
    driver.may.set()
    one.close()


def test_it_is_made_at_its_first_read_in_its_own_thread_and_tells_what_the_sensor_does(sensor, driver):
    assert not driver.called
    assert [sensor.read(), sensor.read()] == [{"driver.reads": 1}, {"driver.reads": 2}]
    sensor.hurry()
    assert sensor.read() == {"driver.reads": 3}
    sensor.close()
    assert driver.called == ["made by driver", "read", "read", "hurry", "read", "close"]
    assert not aside.stuck


def test_what_comes_late_is_the_next_looks(sensor, driver):
    driver.may.clear()
    assert sensor.read() == {}
    driver.may.set()
    assert sensor.read() == {"driver.reads": 1}
    assert sensor.read() == {"driver.reads": 2}


def test_one_that_has_not_answered_for_long_is_said_not_to_until_it_does(sensor, driver, clock):
    driver.may.clear()
    assert sensor.read() == {}
    clock[0] += aside.SILENT_SECONDS
    with pytest.raises(Unavailable, match="does not answer") as caught:
        sensor.read()
    assert "没有应答" in caught.value.zh
    driver.may.set()
    assert sensor.read() == {"driver.reads": 1}  # it was asked once only


def test_what_goes_wrong_there_is_whoever_asks_to_know(sensor, driver):
    driver.wrong = Unavailable("no card", "没有卡")
    with pytest.raises(Unavailable, match="no card"):
        sensor.read()
    driver.wrong = None
    assert sensor.read() == {"driver.reads": 2}


def test_one_that_cannot_be_made_is_made_anew_once_a_minute_as_that_may_be_dear(sensor, driver, clock):
    driver.unmade = Unavailable("no card", "没有卡")
    for _ in range(3):
        with pytest.raises(Unavailable, match="no card") as caught:
            sensor.read()
    assert caught.value.zh == "没有卡"
    assert driver.called == ["made by driver"]
    driver.unmade = None
    clock[0] += aside.ANEW_SECONDS
    assert sensor.read() == {"driver.reads": 1}


def test_it_takes_no_signal_from_who_waits_for_it(sensor, driver):
    sensor.read()
    (thread,) = (one for one in threading.enumerate() if one.name == "driver")
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    (blocked,) = re.findall("SigBlk:\t([0-9a-f]+)", status)
    assert int(blocked, 16) >> (signal.SIGCHLD - 1) & 1
    assert int(blocked, 16) >> (signal.SIGTERM - 1) & 1


def test_a_command_ends_as_it_does_although_the_driver_never_answers_again(tmp_path):
    """Neither its first question nor the end of the process, at which its library waits, too."""
    argv = [sys.executable, str(HERE / "hanging.py"), "run", "--folder", str(tmp_path), "--", "sh", "-c", "exit 7"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (7, "")
    (file,) = tmp_path.iterdir()
    assert file.suffix == ".paramon"  # it was closed: the open minute beside it is gone
