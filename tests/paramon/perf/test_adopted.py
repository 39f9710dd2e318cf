"""Counters of what runs already: nothing that it does from then on is counted twice, and none of it is missed. With
events of the kernel's own, which every machine has."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.paramon.perf.obedient import program
from tests.paramon.perf.test_call import GROUP, needs_events

from paramon.owner import began
from paramon.perf.adopted import Adopted, OfAll
from paramon.perf.call import INHERIT, SOFTWARE, Event, Scope
from paramon.perf.counters import Counters, counting
from paramon.perf.sleep import ran_ns
from paramon.sample.profile import Process
from paramon.sensors.sensor import Unavailable

pytestmark = needs_events
BURNT = 0.3


def seen(pid: int, parent: int | None = None) -> Process:
    """As the table tells of it. `parent`: as it is known there, where that is not so any more."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        parts = file.read().rpartition(b")")[2].split()
    return Process(0, pid, int(parts[19]), int(parts[1]) if parent is None else parent, "", "", -1)


def files() -> int:
    return len(os.listdir("/proc/self/fd"))


def a_tick_later() -> None:
    """What begins now begins in another tick of the clock by which the kernel says when."""
    time.sleep(2 / os.sysconf("SC_CLK_TCK"))


@contextmanager
def adopted(*processes: Process, **how: int) -> Iterator[Adopted]:
    counters = Adopted([GROUP], **how)
    counters.came(processes)
    a_tick_later()
    try:
        yield counters
    finally:
        counters.close()


def spent(counters: Adopted) -> float:
    return counters.read().get("counter.task_clock_ns", 0) / 1e9


def test_what_it_did_before_is_not_counted_and_what_it_does_then_is():
    with program() as one:
        one.do(f"burn({BURNT})")
        with adopted(seen(one.process.pid)) as counters:
            one.do(f"burn({BURNT})")
            assert BURNT <= spent(counters) < 1.5 * BURNT
            assert counters.read()["counter.running_permille"] == 1000


def test_a_child_that_came_later_is_counted_once_in_its_parents():
    with program() as one, adopted(seen(one.process.pid)) as counters:
        one.do("other = child()")
        one.do("tell(other, 'pass')")
        before = spent(counters)
        counters.came([seen(one.ask("other.pid"))])
        one.do(f"tell(other, 'burn({BURNT})')")
        assert BURNT <= spent(counters) - before < 1.5 * BURNT
        one.do("other.kill(); other.wait()")
        assert spent(counters) - before >= BURNT  # and stays so


def test_a_child_that_was_there_before_is_counted_by_itself_and_what_it_starts_in_that():
    with program() as one:
        one.do("other = child()")
        other = one.ask("other.pid")
        with adopted(seen(one.process.pid), seen(other)) as counters:
            one.do("tell(other, 'third = child()')")
            one.do("tell(other, 'tell(third, \"pass\")')")
            third = one.ask("int(tell(other, 'print(third.pid)'))")
            one.do("other.stdout.readline()")
            counters.came([seen(third)])
            before = spent(counters)
            one.do(f"tell(other, 'tell(third, \"burn({BURNT})\")')")
            one.do(f"tell(other, 'burn({BURNT})')")
            assert 2 * BURNT <= spent(counters) - before < 3 * BURNT


def test_a_child_that_is_older_than_its_parents_counters_has_its_own_however_late_it_is_seen_and_so_has_its_child():
    with program() as one:
        one.do("other = child()")
        one.do("tell(other, 'pass')")
        a_tick_later()
        with adopted(seen(one.process.pid)) as counters:
            one.do("tell(other, 'third = child()')")
            third = one.ask("int(tell(other, 'print(third.pid)'))")
            one.do("other.stdout.readline()")
            counters.came([seen(one.ask("other.pid")), seen(third)])
            before = spent(counters)
            one.do(f"tell(other, 'tell(third, \"burn({BURNT})\"); burn({BURNT})')")
            assert 2 * BURNT <= spent(counters) - before < 3 * BURNT


def test_a_child_of_the_tick_in_which_its_parents_counters_began_has_its_own_if_it_was_there_before():
    with program() as one:
        one.do("there, here = os.pipe(); back, forth = os.pipe()")
        for _ in range(20):
            one.do("other = os.fork() or (os.read(there, 1), burn(0.02), os.write(forth, b'.'), time.sleep(60))")
            counters = Adopted([GROUP])
            counters.came([seen(one.process.pid)])
            other = one.ask("other")
            counters.came([seen(other)])
            one.do("os.write(here, b'.'); os.read(back, 1)")
            assert 0.02 <= spent(counters) < 0.04
            counters.close()
            one.do("os.kill(other, 9); os.waitpid(other, 0)")


def test_threads_that_were_there_before_count_too():
    with program() as one:
        one.do("gate = threading.Event()")
        one.do(f"thread = threading.Thread(target=lambda: (gate.wait(), burn({BURNT}))); thread.start()")
        with adopted(seen(one.process.pid)) as counters:
            one.do("gate.set(); thread.join()")
            assert spent(counters) >= BURNT


def test_whose_parent_has_ended_is_known_by_its_session():
    with program() as one, adopted(seen(one.process.pid)) as counters:
        # Between two looks its parent came and went: it descends from nobody whom the table knows.
        one.do("os.pipe(); there, here = os.pipe(); back, forth = os.pipe()")
        orphan = "os.write(forth, b'%d ' % os.getpid()), os.read(there, 1), burn(0.3), os.write(forth, b'.')"
        one.do(f"first = os.fork(); first or (os.fork() and os._exit(0)) or ({orphan}, time.sleep(60))")
        one.do("os.waitpid(first, 0)")
        orphan = one.ask("int(os.read(back, 32))")
        counters.came([seen(orphan, parent=1)])
        before = spent(counters)
        one.do("os.write(here, b'.'); os.read(back, 1)")
        assert BURNT <= spent(counters) - before < 1.5 * BURNT
        os.kill(orphan, 9)


def test_what_somebody_else_starts_for_the_job_is_counted_from_when_it_comes():
    with program() as script, program() as rank, adopted(seen(script.process.pid)) as counters:
        rank.do(f"burn({BURNT})")
        counters.came([seen(rank.process.pid)])
        before = spent(counters)
        rank.do(f"burn({BURNT})")
        assert BURNT <= spent(counters) - before < 1.5 * BURNT


def test_one_that_became_another_program_is_counted_on_and_what_it_has_started():
    with program() as one, adopted(seen(one.process.pid)) as counters:
        one.do("other = child()")
        one.do("tell(other, 'pass')")
        counters.came([seen(one.process.pid)])
        before = spent(counters)
        one.do(f"burn({BURNT}); tell(other, 'burn({BURNT})')")
        assert 2 * BURNT <= spent(counters) - before < 3 * BURNT


def test_a_number_that_is_anothers_by_now_is_counted_anew_and_what_was_counted_stays():
    before = files()
    with program() as one, adopted(seen(one.process.pid)._replace(start_ticks=1)) as counters:
        one.do(f"burn({BURNT})")
        counters.came([seen(one.process.pid)])
        one.do(f"burn({BURNT})")
        assert 2 * BURNT <= spent(counters) < 3 * BURNT
    assert files() == before


def test_counters_of_whom_nobody_is_left_are_closed_and_what_they_counted_stays():
    before = files()
    with adopted() as counters:
        total = 0.0
        for _ in range(40):  # more than are kept without a look for who is left
            with program() as one:
                counters.came([seen(one.process.pid)])
                one.do("burn(0.01)")
            total += 0.01
            assert spent(counters) >= total
        assert files() - before < 2 * 40
    assert files() == before


@contextmanager
def one_that_stays(line: str) -> Iterator[tuple[Adopted, int, Callable[[], object]]]:
    """Counters, the pid of one whose parent, the leader of its session, is long gone, and how it is told to go on: with
    that line, which may read a byte from `gate` to be told again."""
    with adopted() as counters:
        with program() as one:
            counters.came([seen(one.process.pid)])
            a_tick_later()
            one.do("there, here = os.pipe()")
            one.do("other = child(pass_fds=(there,))")
            one.do("tell(other, 'pass')")
            other = one.ask("other.pid")
            counters.came([seen(other)])
            then = f"gate = %d; os.read(gate, 1); {line}; time.sleep(60)"
            one.do(f"print({then!r} % there, file=other.stdin, flush=True)")
            held = os.open(f"/proc/{one.process.pid}/fd/{one.ask('here')}", os.O_WRONLY)
        for _ in range(40):
            with program() as passing:
                counters.came([seen(passing.process.pid)])
        try:
            yield counters, other, lambda: os.write(held, b".")
        finally:
            os.close(held)
            os.kill(other, 9)


def until(is_it: Callable[[], object], living: int) -> None:
    while not is_it():
        assert began(living), "it is still to come"
        time.sleep(0.02)


def test_who_is_left_of_one_that_ended_goes_on_being_counted():
    with one_that_stays(f"burn({BURNT})") as (counters, other, go_on):
        before = spent(counters)
        go_on()
        until(lambda: spent(counters) - before >= BURNT, other)


def test_a_session_is_known_when_its_leader_is_long_gone():
    orphan = f"os.read(gate, 1), burn({BURNT}), time.sleep(60)"
    with one_that_stays(f"os.fork() or (os.fork() and os._exit(0)) or ({orphan})") as (counters, other, go_on):
        session, found = os.getsid(other), []
        go_on()
        until(lambda: found.extend(orphans_of(session, other)) or found, other)
        counters.came([seen(found[0], parent=1)])
        before = spent(counters)
        go_on()
        until(lambda: ran_ns(found[0], found[0]) >= BURNT * 1e9, found[0])
        assert BURNT <= spent(counters) - before < 1.5 * BURNT
        os.kill(found[0], 9)


def orphans_of(session: int, parent: int) -> list[int]:
    """Who is left in it but that one and its children."""
    found = []
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        with suppress(OSError):
            if os.getsid(pid) == session and pid != parent and began(pid) and seen(pid).parent != parent:
                found.append(pid)
    return found


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
            assert spent(counters) >= BURNT
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


def test_of_who_ended_long_ago_nothing_is_kept():
    with program() as one, adopted(seen(one.process.pid)) as counters:
        start = seen(one.process.pid).start_ticks + 10
        for first in range(1 << 23, (1 << 23) + 20_000, 1000):  # numbers that no process has
            counters.came([Process(0, first + at, start, one.process.pid, "", "", -1) for at in range(1000)])
        assert len(counters._known) < 5000


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
