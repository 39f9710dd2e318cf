"""`paramon watch`: beside what runs already, and never in its way."""

import contextlib
import fcntl
import os
import pathlib
import pty
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.paramon.ran import IGNORES, ROOT, everybody, last_rows

from paramon.begin import Wish, begin
from paramon.owner import began
from paramon.sample.errors import Damaged
from paramon.sample.fields import AT
from paramon.sample.file import frames_in
from paramon.sample.frames import CHUNK
from paramon.sample.profile import open_profile
from paramon.table import Belongs
from paramon.there import LISTED_EVERY
from paramon.watch import EndOfMarked, ready_of

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def watching(pid: int, folder, *options: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "paramon", "watch", "--pid", str(pid), "--folder", str(folder), "--period", "0.1"]
    return subprocess.Popen([*argv, *options], env=ENVIRONMENT)


def until_ticked(folder, ticks: int = 1):
    """The profile, when it has so many."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(Damaged, OSError):
            (node,) = open_profile(str(folder))
            if sum(len(chunk.ticks) for chunk in node.chunks()) >= ticks:
                return node
        time.sleep(0.05)
    raise AssertionError("no profile came")


def len_of(folder) -> int:
    (node,) = open_profile(str(folder))
    return sum(len(chunk.ticks) for chunk in node.chunks())


def test_it_sees_the_process_and_its_children_and_ends_with_it(tmp_path):
    with subprocess.Popen(["sh", "-c", "sleep 100 & read line; kill $!; wait"], stdin=subprocess.PIPE) as job:
        watcher = watching(job.pid, tmp_path)
        until_ticked(tmp_path, 2)
        job.communicate(b"\n", timeout=60)
    assert watcher.wait(60) == 0
    (node,) = open_profile(str(tmp_path))
    assert {one.name for one in everybody(node)} == {"sh", "sleep"}
    assert node.end is not None
    assert {chr(values[AT["state"]]) for values in last_rows(node).values()} <= {"X", "Z"}


def test_that_no_file_can_be_opened_for_a_while_is_no_end(tmp_path):
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as job:
        watcher = watching(job.pid, tmp_path)
        until_ticked(tmp_path)
        _, most = resource.prlimit(watcher.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(watcher.pid, resource.RLIMIT_NOFILE, (3, most))
        until_ticked(tmp_path, len_of(tmp_path) + LISTED_EVERY + 1)
        resource.prlimit(watcher.pid, resource.RLIMIT_NOFILE, (most, most))
        job.communicate(b"\n", timeout=60)
    assert watcher.wait(60) == 0
    (node,) = open_profile(str(tmp_path))
    assert node.end is not None


def test_where_ends_of_children_are_ignored_it_can_wait_for_its_own(tmp_path):
    argv = [sys.executable, "-c", IGNORES, sys.executable, "-m", "paramon", "watch", "--folder", str(tmp_path)]
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as job:
        watcher = subprocess.Popen([*argv, "--pid", str(job.pid)], env=ENVIRONMENT)
        until_ticked(tmp_path)
        told = Path(f"/proc/{watcher.pid}/status").read_text()
        job.communicate(timeout=60)
    assert watcher.wait(60) == 0
    assert not int(told.partition("SigIgn:")[2].split()[0], 16) & 1 << signal.SIGCHLD - 1


FIRST_THREAD_ENDS = """
import ctypes, os, sys, threading
def work():
    sys.stdin.readline()
    os._exit(0)
threading.Thread(target=work).start()
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.fixture
def headless():
    """A process of which the first thread has ended."""
    with subprocess.Popen([sys.executable, "-c", FIRST_THREAD_ENDS], stdin=subprocess.PIPE) as process:
        while b") Z " not in Path(f"/proc/{process.pid}/stat").read_bytes():
            pass
        yield process
        process.stdin.close()


def test_a_process_whose_first_thread_has_ended_is_watched_until_the_others_have(headless, tmp_path):
    watcher = watching(headless.pid, tmp_path)
    until_ticked(tmp_path, 3)
    assert watcher.poll() is None
    headless.communicate(b"\n", timeout=60)
    assert watcher.wait(60) == 0
    (node,) = open_profile(str(tmp_path))
    assert node.end["ticks"] >= 3
    values = [values for chunk in node.chunks() for rows in chunk.rows.values() for _, values in rows]
    assert chr(values[0][AT["state"]]) == "S"
    assert values[0][AT["rss_kib"]] > 1024


def test_it_has_ended_when_all_of_it_has(headless):
    assert began(headless.pid)
    headless.stdin.write(b"\n")
    headless.stdin.flush()
    os.waitid(os.P_PID, headless.pid, os.WEXITED | os.WNOWAIT)
    assert began(headless.pid) == b""


def test_what_carries_the_mark_belongs_to_it_wherever_it_was_started(tmp_path):
    marked = {**os.environ, "JOB": "x17"}
    with subprocess.Popen(["sleep", "100"]) as job, subprocess.Popen(["cat"], stdin=subprocess.PIPE, env=marked) as far:
        watcher = watching(job.pid, tmp_path, "--mark", "JOB=x17", "--node", "n1", "--job", "17")
        until_ticked(tmp_path, 2)
        far.stdin.close()
        job.kill()
    assert watcher.wait(60) == 0
    (node,) = open_profile(str(tmp_path))
    assert (node.header["node"], node.header["job"]) == ("n1", "17")
    assert {one.name for one in everybody(node)} == {"sleep", "cat"}


def test_as_many_files_may_be_open_as_the_job_might_have_at_most(tmp_path):
    with subprocess.Popen(["sleep", "100"]) as job:
        options = ["--pid", str(job.pid), "--folder", str(tmp_path)]
        limited = ["sh", "-c", 'ulimit -S -n 200; exec "$@"', "sh", sys.executable, "-m", "paramon", "watch", *options]
        with subprocess.Popen(limited, env=ENVIRONMENT) as watcher:
            until_ticked(tmp_path)
            limits = pathlib.Path(f"/proc/{watcher.pid}/limits").read_text()
            job.kill()
    soft, hard = next(line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files"))
    assert soft == hard != "200"


def test_a_warning_brings_what_was_seen_to_disk_and_it_goes_on(tmp_path):
    with subprocess.Popen(["sleep", "100"]) as job:
        watcher = watching(job.pid, tmp_path)
        until_ticked(tmp_path, 3)
        watcher.send_signal(signal.SIGTERM)
        while not any(one.kind == CHUNK for one in frames_in(open_profile(str(tmp_path))[0].path)):
            time.sleep(0.05)
        assert watcher.poll() is None
        watcher.kill()
        job.kill()
    watcher.wait(60)
    (node,) = open_profile(str(tmp_path))
    assert sum(len(chunk.ticks) for chunk in node.chunks()) >= 3


def beside(folder, *options: str, **variables: str) -> subprocess.Popen[bytes]:
    """On a node where the job's script is not."""
    argv = [sys.executable, "-m", "paramon", "watch", "--mark", "JOB=x18", "--folder", str(folder), "--period", "0.1"]
    return subprocess.Popen([*argv, *options], env={**ENVIRONMENT, **variables}, stderr=subprocess.PIPE)


def test_without_the_script_it_sees_what_carries_the_mark_at_its_node_until_it_is_told_and_that_is_gone(tmp_path):
    marked = {**os.environ, "JOB": "x18"}
    watcher = beside(tmp_path, "--scheduler", "slurm", SLURMD_NODENAME="n1")
    until_ticked(tmp_path, 2)
    here = subprocess.Popen(["sleep", "100"], env={**marked, "SLURMD_NODENAME": "n1"})
    there = subprocess.Popen(["cat"], stdin=subprocess.PIPE, env={**marked, "SLURMD_NODENAME": "n2"})
    until_ticked(tmp_path, len_of(tmp_path) + 12)
    watcher.send_signal(signal.SIGTERM)
    until_ticked(tmp_path, len_of(tmp_path) + 3)
    assert watcher.poll() is None, "a warning, while there is something to see"
    here.kill()
    here.wait()
    _, said = watcher.communicate(timeout=60)
    assert (watcher.returncode, said) == (0, b"")
    there.communicate()
    (node,) = open_profile(str(tmp_path))
    assert (node.header["node"], node.header["attached"]) == ("n1", True)
    assert [one.name for one in everybody(node)] == ["sleep"]
    assert node.end is not None


def test_of_a_mark_alone_it_waits_for_the_first_and_ends_a_while_after_the_last(tmp_path, monkeypatch):
    monkeypatch.setenv("JOB", "x19")  # the collector may carry it, too
    recorder = begin(Wish(str(tmp_path), 0.01, 1.0), Belongs(frozenset(), frozenset(), (b"JOB", b"x19")), [])
    end = EndOfMarked(recorder, patience_seconds=0.2)

    def has_come(within_seconds: float) -> bool:
        until = time.monotonic() + within_seconds
        while not end.has_come() and time.monotonic() < until:
            recorder.tick_if_due()
            time.sleep(recorder.wait_seconds())
        return end.has_come()

    assert not has_come(0.6)
    with subprocess.Popen(["sleep", "100"], env={**os.environ, "JOB": "x19"}) as marked:
        assert not has_come(0.6)
        assert recorder.has_living()
        marked.kill()
    assert has_come(60)
    recorder.close({}, lambda: 0)


def test_a_collector_is_heard_however_many_files_are_open():
    ours, theirs = os.pipe()
    high = fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, 2000)
    try:
        assert ready_of([high], 0) == []
        os.close(theirs)
        assert ready_of([high], 60) == [high]
    finally:
        os.close(ours)
        os.close(high)


def test_a_step_of_the_job_does_not_fail_because_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    watcher = beside(tmp_path / "file")
    _, said = watcher.communicate(timeout=60)
    assert (watcher.returncode, b"cannot be written" in said) == (0, True)


def test_what_is_to_be_watched_must_be_said(tmp_path):
    argv = [sys.executable, "-m", "paramon", "watch", "--folder", str(tmp_path)]
    done = subprocess.run(argv, check=False, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "--pid" in done.stderr) == (2, True)


def test_a_process_that_is_not_there_is_refused(tmp_path):
    argv = [sys.executable, "-m", "paramon", "watch", "--pid", "99999999", "--folder", str(tmp_path)]
    done = subprocess.run(argv, check=False, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "99999999" in done.stderr
    assert not list(tmp_path.iterdir())


def test_who_watches_at_a_terminal_ends_it_by_ctrl_c(tmp_path):
    with subprocess.Popen(["sleep", "1000"]) as watched:
        argv = [sys.executable, "-m", "paramon", "watch", "--pid", str(watched.pid), "--folder", str(tmp_path)]
        child, terminal = pty.fork()
        if not child:
            os.execve(argv[0], argv, ENVIRONMENT)  # noqa: S606  # as a shell would
        until_ticked(tmp_path)
        os.write(terminal, b"\x03")
        end = time.monotonic() + 20
        while (told := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
            time.sleep(0.05)
        os.close(terminal)
        watched.kill()
    assert told == (child, 0)
    (profile,) = open_profile(str(tmp_path))
    assert profile.end is not None
