"""The most memory that a process had, however short it had it."""

import subprocess
import sys

import pytest

from paramon.sample.fields import AT
from paramon.sensors.process import FAULTS, Watched

TAKEN_KIB = 64 << 10
TAKES = f"""
import mmap, sys
for line in sys.stdin:
    if line == "take\\n":
        with mmap.mmap(-1, {TAKEN_KIB} << 10) as memory:
            memory.madvise(mmap.MADV_NOHUGEPAGE)
            for at in range(0, len(memory), mmap.PAGESIZE):
                memory[at] = 1
    print(flush=True)
"""
PEAK, RSS = AT["peak_rss_kib"], AT["rss_kib"]


class Taker:
    """A process that takes memory and gives it back when it is told so, and how it is looked at."""

    def __init__(self, process) -> None:
        self.process = process
        self.does("nothing")
        self.watched = Watched(process.pid)
        self.watched.look()
        self.first = list(self.watched.values)

    def does(self, word: str) -> None:
        self.process.stdin.write(f"{word}\n".encode())
        self.process.stdin.flush()
        self.process.stdout.readline()

    def seen(self, word: str) -> list[int]:
        """Since the first look, how much the peak and what is there have grown."""
        self.does(word)
        self.watched.look()
        return [self.watched.values[at] - self.first[at] for at in (PEAK, RSS)]


@pytest.fixture
def taker():
    with subprocess.Popen([sys.executable, "-c", TAKES], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Taker(process)
        process.stdin.close()


def test_what_it_took_and_gave_back_between_two_looks_is_known_at_the_second(taker):
    for _ in range(8):  # until then it is looked at closely, as all that came just now
        taker.seen("nothing")
    peak, there = taker.seen("take")
    assert peak >= TAKEN_KIB * 0.9
    assert there < TAKEN_KIB / 2


def test_one_that_takes_and_gives_back_the_same_all_the_time_is_asked_ever_more_seldom(taker):
    for _ in range(30):
        taker.seen("take")
    assert taker.watched._unasked_faults >= 16 * FAULTS
