"""What happens to collectors: they are stopped, killed, and given clocks that jump and numbers of processes anew."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.paramon.ran import everybody
from tests.paramon.test_watch import ENVIRONMENT, len_of, until_ticked

from paramon.facts.moment import cores_by_time
from paramon.facts.window import Window
from paramon.sample.profile import open_profile

PARAMON = (sys.executable, "-m", "paramon", "run", "--period", "0.1", "--budget", "20", "--folder")
BURN = "import os, select\nwhile not select.select([0], [], [], 0)[0]: pass"
STOPPED_TICKS = 200
"""Clock ticks of CPU time that the job uses while the collector is stopped: two seconds at least."""


def burning(folder: Path) -> subprocess.Popen[bytes]:
    """It has been seen some times; it ends when its input does."""
    argv = [*PARAMON, str(folder), "--", sys.executable, "-S", "-c", BURN]
    process = subprocess.Popen(argv, env=ENVIRONMENT, stdin=subprocess.PIPE)
    until_ticked(folder, 3)
    return process


def ticks_used(pid: int) -> int:
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(parts[11]) + int(parts[12])


def job_of(collector: int) -> int:
    return int(Path(f"/proc/{collector}/task/{collector}/children").read_text())


def test_one_that_was_stopped_says_what_it_missed_and_no_rate_is_wrong(tmp_path):
    process = burning(tmp_path)
    job = job_of(process.pid)
    process.send_signal(signal.SIGSTOP)
    before, seen = ticks_used(job), len_of(tmp_path)
    while ticks_used(job) < before + STOPPED_TICKS:
        os.sched_yield()
    process.send_signal(signal.SIGCONT)
    until_ticked(tmp_path, seen + 1)  # else the job may be gone before it looks again
    process.communicate(timeout=60)
    (node,) = open_profile(str(tmp_path))
    assert node.end["missed_ticks"] >= 15
    window = Window(list(node.chunks()))
    ticks = range(len(window.ticks))
    passed = [window.ticks[tick] - window.ticks[tick - 1] for tick in ticks[1:]]
    assert max(passed) >= 2000
    cores = [cores_by_time(window, number, ticks, node.header["ticks_a_second"]) for number in window.processes()]
    # CPU time is told in hundredths of a second: of the last look, right behind another, it is a matter of chance.
    rates = [sum(one) for *one, ms in zip(*cores, passed, strict=True) if ms >= 50]
    assert max(rates) < 2, "one that burns cannot be two"


def test_a_job_whose_collector_was_killed_goes_on_and_what_was_seen_is_there(tmp_path):
    process = burning(tmp_path)
    job = job_of(process.pid)
    process.kill()
    process.wait(60)
    used = ticks_used(job)
    while ticks_used(job) <= used:
        os.sched_yield()
    process.stdin.close()
    (node,) = open_profile(str(tmp_path))
    assert node.end is None
    assert sum(len(chunk.ticks) for chunk in node.chunks()) >= 3


def test_a_run_of_three_seconds_has_a_profile_with_the_usual_period(tmp_path):
    argv = [sys.executable, "-m", "paramon", "run", "--folder", str(tmp_path), "--", "sleep", "3"]
    subprocess.run(argv, env=ENVIRONMENT, check=True, timeout=60)
    (node,) = open_profile(str(tmp_path))
    assert node.end["ticks"] >= 3
    assert [one.name for one in everybody(node)][-1] == "sleep"


JUMPS = """
import itertools, sys, time
true, jumps = time.time, itertools.cycle([0, -86400, 30 * 86400])
time.time = lambda: true() + next(jumps)
from paramon.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_clock_that_is_set_to_and_fro_changes_no_time_of_a_sample(tmp_path):
    argv = [sys.executable, "-c", JUMPS, *PARAMON[3:], str(tmp_path), "--", "sleep", "1"]
    subprocess.run(argv, env=ENVIRONMENT, check=True, timeout=60)
    (node,) = open_profile(str(tmp_path))
    at = [at for chunk in node.chunks() for at in chunk.ticks]
    assert at == sorted(set(at))
    assert at[0] < 1000 <= at[-1] <= node.end["wall_ms"] < 60_000
    show = subprocess.run([*PARAMON[:3], "show", str(tmp_path)], env=ENVIRONMENT, check=True, capture_output=True)
    assert b"sleep" in show.stdout


SET = """
import sys, time
true = time.time
time.time = lambda: true() - 3600
from paramon.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_whose_clock_is_set_by_an_hour_while_it_is_written_is_still_running(tmp_path):
    argv = [sys.executable, "-c", SET, *PARAMON[3:], str(tmp_path), "--", *PARAMON[:3], "show", str(tmp_path)]
    show = subprocess.run(argv, env=ENVIRONMENT, check=True, capture_output=True, timeout=60)
    assert b"still running" in show.stdout, show


SAME_NUMBER = """
import os, subprocess
from paramon.sample.chunk import ChunkWriter, read_chunk
from paramon.sample.fields import AT
from paramon.sensors.process import GONE
from paramon.table import Belongs, Table

told, chunk = [], ChunkWriter()
table = Table(Belongs(frozenset(), frozenset({os.getpid()}), (b"MARK", b"none")))

def look():
    chunk.tick(chunk.ticks)
    table.look(chunk, told.extend, is_first=chunk.ticks == 1)
    chunk.end_tick()

first = subprocess.Popen(["sh", "-c", "while :; do :; done"])
while int(open(f"/proc/{first.pid}/stat").read().split()[13]) < 50:
    pass
look()
first.kill()
first.wait()
with open("/proc/sys/kernel/ns_last_pid", "w") as last:
    last.write(str(first.pid - 1))
second = subprocess.Popen(["sleep", "100"])
look()
look()
second.kill()
assert second.pid == first.pid, "this namespace has nobody else"
earlier, later = {one.number: one for one in told}.values()
assert (earlier.pid, earlier.name, later.pid, later.name) == (first.pid, "sh", first.pid, "sleep")
assert earlier.start_ticks < later.start_ticks
rows = {number: rows[-1][1] for number, rows in read_chunk(chunk.finish()).rows.items()}
assert rows[earlier.number][AT["state"]] == GONE and rows[earlier.number][AT["user_ticks"]] >= 50
assert rows[later.number][AT["state"]] != GONE and rows[later.number][AT["user_ticks"]] < 10
"""


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("unshare"), reason="only root may choose a process's number")
def test_a_number_that_comes_again_is_another_process():
    argv = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", SAME_NUMBER]
    done = subprocess.run(argv, env=ENVIRONMENT, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_where_the_folder_was_taken_away_who_is_there_is_told_again(tmp_path):
    folder = tmp_path / "profile"
    process = burning(folder)
    shutil.rmtree(folder)
    process.communicate(timeout=60)
    (node,) = open_profile(str(folder))
    assert {one.name for one in everybody(node)} & {Path(sys.executable).resolve().name, Path(sys.executable).name}
    assert {number for chunk in node.chunks() for number in chunk.rows} <= set(node.processes)


LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_an_end_that_a_limit_of_files_leaves_no_room_for_is_said_and_the_command_is_itself(tmp_path):
    command = ["--", "sh", "-c", "echo out; exit 3"]
    subprocess.run([*PARAMON, str(tmp_path / "whole"), *command], env=ENVIRONMENT, check=False, stdout=-1, timeout=60)
    (whole,) = (tmp_path / "whole").iterdir()
    limit = str(whole.stat().st_size - 100)
    argv = [sys.executable, "-c", LIMITED, limit, *PARAMON, str(tmp_path / "cut"), *command]
    known = {**ENVIRONMENT, "LC_ALL": "zh_CN.UTF-8", "PARACLOUD_LANGUAGE": ""}
    done = subprocess.run(argv, env=known, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "out\n")
    en, zh = done.stderr.splitlines()
    assert "end of the profile could not be written (File too large)" in en
    assert "未能写入" in zh
    (node,) = open_profile(str(tmp_path / "cut"))
    assert [one.name for one in everybody(node)] == ["sh"]
    assert node.end is None
