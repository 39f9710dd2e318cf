"""Counters of what runs already: nothing that it does from then on is counted twice, and none of it is missed. With
events of the kernel's own, which every machine has."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.paramon.perf.adopting import BURNT, SEEN, a_tick_later, adopted, files, seen, spent
from tests.paramon.perf.obedient import program
from tests.paramon.perf.test_call import GROUP, needs_events

from paramon.owner import began
from paramon.perf.adopted import Adopted
from paramon.perf.sleep import ran_ns
from paramon.sample.profile import Process

pytestmark = needs_events


def test_what_it_did_before_is_not_counted_and_what_it_does_then_is():
    with program() as one:
        one.do(f"burn({BURNT})")
        with adopted(seen(one.process.pid)) as counters:
            one.do(f"burn({BURNT})")
            assert SEEN <= spent(counters) < 1.5 * BURNT
            assert counters.read()["counter.running_permille"] == 1000


def test_a_child_that_came_later_is_counted_once_in_its_parents():
    with program() as one, adopted(seen(one.process.pid)) as counters:
        one.do("other = child()")
        one.do("tell(other, 'pass')")
        before = spent(counters)
        counters.came([seen(one.ask("other.pid"))])
        one.do(f"tell(other, 'burn({BURNT})')")
        assert SEEN <= spent(counters) - before < 1.5 * BURNT
        one.do("other.kill(); other.wait()")
        assert spent(counters) - before >= SEEN  # and stays so


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
            assert 2 * SEEN <= spent(counters) - before < 3 * BURNT


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
            assert 2 * SEEN <= spent(counters) - before < 3 * BURNT


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
            assert 0.0194 <= spent(counters) < 0.04
            counters.close()
            one.do("os.kill(other, 9); os.waitpid(other, 0)")


def test_threads_that_were_there_before_count_too():
    with program() as one:
        one.do("gate = threading.Event()")
        one.do(f"thread = threading.Thread(target=lambda: (gate.wait(), burn({BURNT}))); thread.start()")
        with adopted(seen(one.process.pid)) as counters:
            one.do("gate.set(); thread.join()")
            assert spent(counters) >= SEEN


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
        assert SEEN <= spent(counters) - before < 1.5 * BURNT
        os.kill(orphan, 9)


def test_what_somebody_else_starts_for_the_job_is_counted_from_when_it_comes():
    with program() as script, program() as rank, adopted(seen(script.process.pid)) as counters:
        rank.do(f"burn({BURNT})")
        counters.came([seen(rank.process.pid)])
        before = spent(counters)
        rank.do(f"burn({BURNT})")
        assert SEEN <= spent(counters) - before < 1.5 * BURNT


def test_one_that_became_another_program_is_counted_on_and_what_it_has_started():
    with program() as one, adopted(seen(one.process.pid)) as counters:
        one.do("other = child()")
        one.do("tell(other, 'pass')")
        counters.came([seen(one.process.pid)])
        before = spent(counters)
        one.do(f"burn({BURNT}); tell(other, 'burn({BURNT})')")
        assert 2 * SEEN <= spent(counters) - before < 3 * BURNT


def test_a_number_that_is_anothers_by_now_is_counted_anew_and_what_was_counted_stays():
    before = files()
    with program() as one, adopted(seen(one.process.pid)._replace(start_ticks=1)) as counters:
        one.do(f"burn({BURNT})")
        counters.came([seen(one.process.pid)])
        one.do(f"burn({BURNT})")
        assert 2 * SEEN <= spent(counters) < 3 * BURNT
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
            assert spent(counters) >= 0.97 * total
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
        until(lambda: spent(counters) - before >= SEEN, other)


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
        assert SEEN <= spent(counters) - before < 1.5 * BURNT
        os.kill(found[0], 9)


def orphans_of(session: int, parent: int) -> list[int]:
    """Who is left in it but that one and its children."""
    found = []
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        with suppress(OSError):
            if os.getsid(pid) == session and pid != parent and began(pid) and seen(pid).parent != parent:
                found.append(pid)
    return found


def test_of_who_ended_long_ago_nothing_is_kept():
    with program() as one, adopted(seen(one.process.pid)) as counters:
        start = seen(one.process.pid).start_ticks + 10
        for first in range(1 << 23, (1 << 23) + 20_000, 1000):  # numbers that no process has
            counters.came([Process(0, first + at, start, one.process.pid, "", "", -1) for at in range(1000)])
        assert len(counters._known) < 5000
