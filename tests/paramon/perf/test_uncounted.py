"""What runs already and cannot be counted is told, and why: wholly, or not at all."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.paramon.perf.adopting import BURNT, SEEN, adopted, files, seen, spent
from tests.paramon.perf.obedient import program
from tests.paramon.perf.test_call import GROUP, needs_events

from paramon.perf.adopted import Adopted, OfAll
from paramon.perf.call import INHERIT, SOFTWARE, Event, Scope
from paramon.perf.counters import Counters, counting
from paramon.sensors.sensor import Unavailable

pytestmark = needs_events


def test_more_threads_than_may_be_are_not_counted_and_that_is_said():
    with program() as one, program() as two, adopted(seen(one.process.pid), threads_most=1) as counters:
        counters.came([seen(two.process.pid)])
        two.do(f"burn({BURNT})")
        assert counters.read()["counter.uncounted"] == 1
        assert spent(counters) < BURNT
        with pytest.raises(Unavailable, match="not counted: the most threads at once are 1"):
            OfAll(counters).read()


def test_one_of_which_not_all_threads_can_be_counted_is_not_and_that_is_said_with_its_cause():
    line = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    for left in (0, 1, 4):  # its threads cannot be listed, its first not be opened, nor its third
        with program() as one, program() as two, adopted(seen(one.process.pid)) as counters:
            two.do(f"{line}; {line}")
            assert OfAll(counters).read() == {}
            before, of_two = files(), seen(two.process.pid)
            with files_left(left):
                counters.came([of_two])
            assert files() == before
            two.do(f"burn({BURNT})")
            assert counters.read()["counter.uncounted"] == 1
            assert spent(counters) < BURNT
            with pytest.raises(Unavailable, match="not counted: Too many open files") as why:
                OfAll(counters).read()
            assert not why.value.zh.isascii()


@contextmanager
def files_left(count: int) -> Iterator[None]:
    """So many more may be open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 8, before[1]))
    with suppress(OSError):
        while True:
            held.append(os.dup(2))
    for file in held[len(held) - count :]:
        os.close(file)
    try:
        yield
    finally:
        for file in held[: len(held) - count]:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


FIRST_THREAD_ENDS = f"""
import ctypes, sys, threading, time
def work():
    sys.stdin.readline()
    until = time.thread_time() + {BURNT}
    while time.thread_time() < until: pass
    print("done", flush=True)
    sys.stdin.readline()
threading.Thread(target=work).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_of_one_whose_first_thread_has_ended_the_others_count():
    argv = [sys.executable, "-S", "-c", FIRST_THREAD_ENDS]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        while b") Z " not in Path(f"/proc/{process.pid}/stat").read_bytes():
            pass
        with adopted(seen(process.pid)) as counters:
            process.stdin.write(b"go on\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"done\n"
            assert spent(counters) >= SEEN
            assert "counter.uncounted" not in counters.read()
        process.communicate(b"\n", timeout=60)


def test_what_one_that_is_not_counted_starts_is_not_counted_in_its_sessions_leader():
    with program() as one:
        one.do("other = child()")
        one.do("tell(other, 'threading.Thread(target=time.sleep, args=(60,), daemon=True).start()')")
        other = one.ask("other.pid")
        with adopted(seen(one.process.pid), seen(other), threads_most=1) as counters:
            one.do("tell(other, 'third = child()')")
            third = one.ask("int(tell(other, 'print(third.pid)'))")
            counters.came([seen(third)])
            assert counters.read()["counter.uncounted"] == 2


def test_where_nobody_can_be_asked_whether_he_is_there_he_is_counted_on():
    with program() as one, adopted(seen(one.process.pid)) as counters:
        with files_left(0):
            counters._tidy()
        before = spent(counters)
        one.do(f"burn({BURNT})")
        assert spent(counters) - before >= SEEN


def test_counters_that_cannot_be_read_in_the_end_are_closed_all_the_same():
    before = files()
    with program() as one, adopted() as counters:
        one.do("threading.Thread(target=time.sleep, args=(60,), daemon=True).start()")
        counters.came([seen(one.process.pid)])
        group = counters._open[one.process.pid][0]._places[0].group
        with open(os.devnull, "wb") as unreadable:
            os.dup2(unreadable.fileno(), group._files[0], inheritable=False)
        with pytest.raises(OSError, match="Bad file"):
            counters._end(one.process.pid)
    assert files() == before


def test_who_is_gone_is_not_missed():
    with program() as one:
        gone = seen(one.process.pid)
    with adopted(gone) as counters:
        assert counters.read() == {}


def test_where_nothing_can_be_counted_that_is_said_at_once():
    with pytest.raises(Unavailable):
        Adopted([{"what": Event(SOFTWARE, 999)}])


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU")
def test_where_nothing_ever_came_to_be_counted_it_is_said_why_once_it_is_sure():
    """As where others hold all of the processor's counters: it is asked for on a CPU on which it never runs."""
    here, there = sorted(os.sched_getaffinity(0))[:2]
    with program() as one, adopted(seen(one.process.pid)) as counters:
        pid = one.process.pid
        os.sched_setaffinity(pid, {here})
        counters._end(pid)
        counters._ended.clear()
        counters._open[pid] = [Counters("counter", counting([GROUP], Scope(pid, there), INHERIT))]
        one.do("burn(0.1)")
        assert counters.read() == {}  # it may come to run
        one.do("burn(1.1)")
        with pytest.raises(Unavailable, match="never came to run"):
            counters.read()
        os.sched_setaffinity(pid, {there})
        one.do("burn(0.1)")
        assert spent(counters) > 0.05
        os.sched_setaffinity(pid, {here})
        counters._end(pid)
        assert spent(counters) > 0.05
