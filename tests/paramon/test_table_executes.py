"""Processes that execute others: what they are told of as, and what is still theirs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.paramon.looked import Watch, has_ended, started, watch

from paramon.sample.fields import AT

__all__ = ["watch"]


@pytest.fixture
def executes():
    """One that is told to go on with another program, by way of another environment; and how it is told."""
    waits, goes = os.pipe()
    process = subprocess.Popen(["sh", "-c", "read line; MARK=ours PMIX_RANK=3 exec sleep 100"], stdin=waits)

    def go() -> None:
        os.write(goes, b"go\n")
        while Path(f"/proc/{process.pid}/cmdline").read_bytes() != b"sleep\x00100\x00":
            pass

    yield process.pid, go
    process.kill()
    process.wait()
    os.close(goes)
    os.close(waits)


def test_what_it_executes_is_told_of_with_its_rank(watch, executes):
    pid, go = executes
    watch.look()
    first = watch.told[-1]
    assert (first.pid, first.rank) == (pid, -1)
    go()
    watch.look()
    assert watch.told[-1] == first._replace(name="sleep", command="sleep 100", rank=3)


def test_one_that_has_its_mark_from_what_it_executes_only_is_found(executes):
    pid, go = executes
    watch = Watch(mark=b"ours")
    del watch.table._strangers._known[str(pid)]  # it has come just now
    watch.look()
    assert not watch.told
    go()
    watch.look()
    assert [(one.pid, one.rank) for one in watch.told] == [(pid, 3)]
    watch.table.close()


FORKS = """
import os, sys
child = os.fork()
if not child:
    os.read(0, 1)
    os.execve("/bin/sleep", ["sleep", "100"], {"MARK": "ours", "PMIX_RANK": "3"})
print(child, flush=True)
os.wait()
"""


@pytest.mark.parametrize("looks", [1, 7])
def test_one_that_is_long_in_coming_to_its_program_is_found(looks):
    """As a task of Slurm, for which its prologue is run before."""
    watch = Watch(mark=b"ours")
    with started(sys.executable, "-S", "-c", FORKS) as process:
        pid = int(process.stdout.readline())
        for _ in range(looks):
            watch.look()
        process.stdin.write(b"?")
        process.stdin.flush()
        while Path(f"/proc/{pid}/cmdline").read_bytes() != b"sleep\x00100\x00":
            pass
        for _ in range(looks):
            watch.look()
        os.kill(pid, 9)
    watch.table.close()
    assert [(one.pid, one.rank) for one in watch.told] == [(pid, 3)]


def test_one_that_became_another_program_and_ended_since_the_last_look_has_its_new_name_and_its_rank(watch):
    script = "echo; read x; exec cat"
    with started("sh", "-c", script, PMIX_RANK="3") as process:
        process.stdout.read(1)
        watch.look()
        has_ended(process)
        watch.look()
        watch.look()
    told = [(one.name, one.command, one.rank) for one in watch.told if one.pid == process.pid]
    assert told == [("sh", f"sh -c {script}", 3), ("cat", "", 3)]


def test_one_that_ended_as_it_was_is_told_of_once(watch):
    with started("cat") as process:
        process.stdin.write(b"?")
        process.stdin.flush()
        assert process.stdout.read(1) == b"?"
        watch.look()
        has_ended(process)
        watch.look()
    assert [(one.name, one.command) for one in watch.told if one.pid == process.pid] == [("cat", "cat")]


FIRST_THREAD_ENDS = """
import ctypes, os, sys, threading
def work():
    sys.stdin.readline()
    x = b"x" * (64 << 20)
    del x
    os.write(1, b"2")
    sys.stdin.readline()
    os._exit(0)
os.write(1, b"1")
sys.stdin.readline()
threading.Thread(target=work).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_one_whose_first_thread_has_ended_has_not_become_another_and_is_known_by_its_others(watch):
    with started(sys.executable, "-S", "-c", FIRST_THREAD_ENDS, PMIX_RANK="5") as process:
        process.stdout.read(1)
        watch.look()
        process.stdin.write(b"\n")
        process.stdin.flush()
        while b") Z " not in Path(f"/proc/{process.pid}/stat").read_bytes():
            pass
        watch.look()
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.read(1)
        peak = watch.look()[process.pid][AT["peak_rss_kib"]]
        told = [one.rank for one in watch.told if one.pid == process.pid]
        process.stdin.write(b"\n")
        process.stdin.close()
    assert told == [5]
    assert peak > 64 << 10


HAD_MUCH = """
import os, sys
x = b"x" * (64 << 20)
del x
os.write(1, b"1")
os.read(0, 1)
os.execv(sys.executable, [sys.executable, "-S", "-c", "import os; os.write(1, b'2'); os.read(0, 1)"])
"""


def test_another_program_has_its_own_peak(watch):
    with started(sys.executable, "-S", "-c", HAD_MUCH) as process:
        process.stdout.read(1)
        assert watch.look()[process.pid][AT["peak_rss_kib"]] > 64 << 10
        process.stdin.write(b"?")
        process.stdin.flush()
        process.stdout.read(1)
        peak = watch.look()[process.pid][AT["peak_rss_kib"]]
    assert 1024 < peak < 32 << 10
