"""How long a process's threads waited for processors, and their context switches: of threads that come and end."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.paramon.sensors.trees import process, put

from paramon.sample.fields import AT
from paramon.sensors.process import OFTEN, SELDOM, Watched

PID = 77
VOLUNTARY, FORCED, WAITED = AT["voluntary_switches"], AT["forced_switches"], AT["run_wait_us"]
SLEEPS = 20
THREADS = f"""
import sys, threading, time
ready, over = threading.Semaphore(0), threading.Event()
def work():
    for _ in range({SLEEPS}):
        time.sleep(0.001)
    ready.release()
    over.wait()
print(flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=work) for _ in range(int(sys.argv[1]))]
for one in threads:
    one.start()
for _ in threads:
    ready.acquire()
print(flush=True)
sys.stdin.readline()
over.set()
"""


class Tree:
    """A process of which each thread is what the test says."""

    def __init__(self, root: Path) -> None:
        self.root, self.ticks, self.there = root, 0, set()

    def thread(self, number: int, switches: int, waited_ns: int = 0) -> None:
        folder = f"{PID}/task/{number}"
        put(self.root, f"{folder}/schedstat", f"5 {waited_ns} 5")
        put(self.root, f"{folder}/status", told(switches))
        self.there.add(number)

    def ends(self, number: int) -> None:
        shutil.rmtree(self.root / f"{PID}/task/{number}")
        self.there.discard(number)

    def runs(self) -> None:
        """A tick more, so that there is something new."""
        self.ticks += 1
        process(self.root, PID, 1, ticks=self.ticks)
        stat = self.root / f"{PID}/stat"
        head, _, tail = stat.read_text().rpartition(") ")
        parts = tail.split()
        parts[17] = str(len(self.there))
        stat.write_text(f"{head}) {' '.join(parts)}\n")


def told(switches: int, groups: str = "") -> str:
    return f"Name:\ta\nGroups:\t{groups}\nvoluntary_ctxt_switches:\t{switches}\nnonvoluntary_ctxt_switches:\t0\n"


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    made.thread(PID, 1)
    made.thread(78, 500_000, waited_ns=9_000_000_000)
    made.runs()
    return made


def looked(watched: Watched, tree: Tree, looks: int = 1) -> list[int]:
    """The switches at each look."""
    found = []
    for _ in range(looks):
        tree.runs()
        watched.look()
        found.append(watched.values[VOLUNTARY])
    return found


def test_a_thread_whose_number_comes_again_is_another(tree):
    watched = Watched(PID, str(tree.root))
    assert looked(watched, tree) == [500_001]
    tree.ends(78)
    tree.thread(78, 3, waited_ns=1_000)
    assert looked(watched, tree, OFTEN)[-1] == 500_004
    assert watched.values[WAITED] == 9_000_001


def test_what_threads_did_that_ended_stays_and_they_are_forgotten(tree):
    watched = Watched(PID, str(tree.root))
    looked(watched, tree)
    for number in range(1000, 1200):
        tree.thread(number, 3)
        looked(watched, tree, OFTEN + 1)
        tree.ends(number)
    looked(watched, tree, 2 * OFTEN)
    assert watched.values[VOLUNTARY] == 500_001 + 200 * 3
    assert len(watched._waits._living) == 2


def test_one_that_has_a_thread_more_at_each_look_is_not_asked_of_all_of_them_each_time(tree):
    watched = Watched(PID, str(tree.root))
    seen = set()
    for number in range(1000, 1000 + SELDOM):
        tree.thread(number, 1)
        seen.update(looked(watched, tree))
    assert 2 < len(seen) < SELDOM / 3


def test_one_whose_status_begins_with_thousands_of_groups_is_read_to_its_end(tmp_path):
    groups = " ".join(map(str, range(1_000_000_000, 1_000_002_000)))
    process(tmp_path, PID, 1)
    (tmp_path / f"{PID}/status").write_text(told(4711, groups).replace("voluntary", "VmHWM:\t800 kB\nvoluntary", 1))
    watched = Watched(PID, str(tmp_path))
    watched.look()
    assert (watched.values[VOLUNTARY], watched.values[AT["peak_rss_kib"]]) == (4711, 800)


def test_those_that_sleep_take_turns_with_what_is_dear(tmp_path):
    for pid in range(100, 110):
        process(tmp_path, pid, 1)
    sleeping = [Watched(pid, str(tmp_path)) for pid in range(100, 110)]
    for watched in sleeping:
        watched.look()
        (tmp_path / f"{watched.pid}/status").write_text(told(5))
    asked_at = {}
    for look in range(SELDOM + OFTEN):
        for watched in sleeping:
            watched.look()
            if watched.values[VOLUNTARY]:
                asked_at.setdefault(watched.pid, look)
    assert len(set(asked_at.values())) == len(sleeping)


@pytest.fixture
def threads(request):
    """A process that has one thread until it is told, and then so many more; each has slept before it says so."""
    argv = [sys.executable, "-c", THREADS, str(request.param)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        one.stdout.readline()
        yield one, request.param


def waits_of(pid: int) -> int:
    """Of all its threads."""
    told = [one.read_text() for one in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(one.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for one in told)


@pytest.mark.parametrize(("threads", "exact"), [(16, True), (300, False)], indirect=["threads"])
def test_of_threads_that_began_since_it_is_known_one_look_later(threads, exact):
    """Of very many, from what some of them did."""
    one, count = threads
    watched = Watched(one.pid)
    watched.look()
    one.stdin.write(b"\n")
    one.stdin.flush()
    one.stdout.readline()
    least = waits_of(one.pid)
    watched.look()
    watched.look()
    told, most = watched.values[VOLUNTARY], waits_of(one.pid)
    few, many = (1, 1) if exact else (0.7, 1.4)
    assert count * SLEEPS < least
    assert least * few <= told <= most * many


LAST = f"""
import sys, time
for line in sys.stdin:
    print(flush=True)
for _ in range({SLEEPS}):
    time.sleep(0.001)
"""


def test_one_that_has_ended_and_is_not_waited_for_yet_tells_the_last_of_it():
    with subprocess.Popen([sys.executable, "-c", LAST], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        watched = Watched(one.pid)
        for _ in range(9):  # until then it is looked at closely, as all that came just now
            one.stdin.write(b"\n")
            one.stdin.flush()
            one.stdout.readline()
            watched.look()
        before = watched.values[VOLUNTARY]
        one.stdin.close()
        os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
        watched.look()
        assert watched.values[VOLUNTARY] - before >= SLEEPS
