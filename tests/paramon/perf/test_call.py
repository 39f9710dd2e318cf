"""The system call and what it refuses: with events of the kernel's own, which every machine has."""

import errno
import os
import subprocess
import sys
import time

import pytest

from paramon.perf.call import (
    CONTEXT_SWITCHES,
    CPU_CLOCK,
    EXCLUDE_KERNEL,
    INHERIT,
    PAGE_FAULTS,
    SOFTWARE,
    TASK_CLOCK,
    Event,
    Scope,
    attributes,
    open_event,
    paranoid,
    why_not,
)
from paramon.perf.counters import Alone, Counters, counting
from paramon.perf.group import Group
from paramon.sensors.sensor import Unavailable

level = paranoid()
needs_events = pytest.mark.skipif(
    level is None or (level > 2 and os.getuid() != 0), reason="no perf events for us here"
)
GROUP = {"task_clock_ns": Event(SOFTWARE, TASK_CLOCK), "page_faults": Event(SOFTWARE, PAGE_FAULTS)}


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "kernel.perf_event_paranoid is 4"),
        (errno.EPERM, "kernel.perf_event_paranoid is 4"),
        (errno.ENOENT, "without a PMU"),
        (errno.ENODEV, "without a PMU"),
        (errno.EOPNOTSUPP, "without a PMU"),
        (errno.ENOSYS, "no perf events"),
        (errno.EINVAL, os.strerror(errno.EINVAL)),
    ],
)
def test_what_is_refused_is_said_with_its_cause_in_both_languages(number, told):
    why = why_not(number, 4)
    assert isinstance(why, Unavailable)
    assert told in why.en
    assert why.zh
    assert not why.zh.isascii()


def test_a_process_that_is_gone_is_no_defect_of_the_machine():
    assert isinstance(why_not(errno.ESRCH, 2), ProcessLookupError)
    assert why_not(errno.EMFILE, 2).errno == errno.EMFILE


def test_a_kernel_without_events_says_so_whatever_it_answers():
    assert "no perf events" in why_not(errno.EACCES, None).en
    assert paranoid("/no/such/file") is None


def test_attributes_are_as_long_as_they_say():
    described = attributes(Event(4, 0x1C7, 2, 3), EXCLUDE_KERNEL)
    assert len(described) == 112
    assert described[:16] == b"\x04\0\0\0\x70\0\0\0\xc7\x01\0\0\0\0\0\0"
    assert described[40:48] == b"\x20\0\0\0\0\0\0\0"
    assert described[56:72] == b"\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0"


@needs_events
def test_an_event_that_does_not_exist_and_a_process_that_does_not_are_told_apart():
    with pytest.raises(Unavailable):
        open_event(attributes(Event(SOFTWARE, 999), EXCLUDE_KERNEL), Scope(0))
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    with pytest.raises(ProcessLookupError):
        open_event(attributes(Event(SOFTWARE, CPU_CLOCK), EXCLUDE_KERNEL), Scope(gone.pid))


@needs_events
def test_a_group_counts_what_the_job_did_its_ended_children_included():
    counters = Counters("counter", counting([GROUP], Scope(0), INHERIT))
    before = counters.read()
    script = "import time\nbytearray(8 << 20)\nwhile time.process_time() < 0.4: pass"
    subprocess.run([sys.executable, "-S", "-c", script], check=True)
    after = counters.read()
    counters.close()
    assert after["counter.task_clock_ns"] - before["counter.task_clock_ns"] >= 300_000_000
    assert after["counter.page_faults"] > before["counter.page_faults"] or os.getuid() != 0  # kernel's own for others
    assert after["counter.running_permille"] == 1000


@needs_events
def test_a_group_is_read_while_those_that_count_in_it_end():
    group = Group(tuple(GROUP.values()), Scope(0), INHERIT | EXCLUDE_KERNEL)
    script = "import os\nfor _ in range(400):\n  one = os.fork()\n  one or os._exit(0)\n  os.waitpid(one, 0)"
    last = group.read()
    with subprocess.Popen([sys.executable, "-S", "-c", script]) as process:
        while process.poll() is None:
            before, last = last, group.read()
            assert all(map(int.__le__, before.values, last.values))
    group.close()
    assert process.returncode == 0


@needs_events
def test_where_one_of_a_group_cannot_be_had_nothing_stays_open():
    files = set(os.listdir("/proc/self/fd"))
    with pytest.raises(Unavailable):
        Group([Event(SOFTWARE, CONTEXT_SWITCHES), Event(SOFTWARE, 999)], Scope(0), EXCLUDE_KERNEL)
    assert set(os.listdir("/proc/self/fd")) == files


@needs_events
def test_groups_that_cannot_be_had_are_left_out_until_none_is_left():
    nothing = {"what": Event(SOFTWARE, 999)}
    (place,) = counting([nothing, GROUP], Scope(0), 0)
    assert place.names == tuple(GROUP)
    place.group.close()
    with pytest.raises(Unavailable):
        counting([nothing], Scope(0), 0)


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@needs_events
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU")
def test_a_group_that_never_ran_tells_no_values_and_when_it_is_sure_why(cpus):
    """It waits for its turn as long as what it counts runs on another CPU."""
    group = {"task_clock_ns": Event(SOFTWARE, TASK_CLOCK)}
    here, there = cpus
    os.sched_setaffinity(0, {here})
    places = counting([group], Scope(0, there), 0)
    alone, both = Alone("counter", places), Counters("counter", [*places, *counting([GROUP], Scope(0, here), 0)])
    assert alone.read() == {}  # it may come to run
    burn(1.1)
    with pytest.raises(Unavailable, match="never came to run") as why:
        alone.read()
    assert not why.value.zh.isascii()
    told = both.read()
    assert set(told) == {"counter.page_faults", "counter.running_permille"}  # of the one clock nothing is known
    assert told["counter.running_permille"] == 0
    os.sched_setaffinity(0, {there})
    burn(0.1)
    assert alone.read()["counter.task_clock_ns"] > 50_000_000
    both.close()


@pytest.fixture
def cpus():
    """Two that this process may run on."""
    before = os.sched_getaffinity(0)
    yield sorted(before)[:2]
    os.sched_setaffinity(0, before)
