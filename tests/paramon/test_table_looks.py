"""Processes as they come, run and go."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.paramon.looked import ROOT, Watch, answer, copied, echo, watch

from paramon.sample.fields import AT
from paramon.sensors.process import GONE, Watched
from paramon.strangers import Strangers
from paramon.there import LISTED_EVERY

__all__ = ["echo", "watch"]


def test_one_that_slept_is_seen_as_soon_as_it_does_anything(watch, echo):
    before = watch.look()[echo.pid]
    for _ in range(3):
        watch.seen_asleep(echo.pid)
        answer(echo)
        after = watch.look()[echo.pid]
        assert after[AT["write_calls"]] == before[AT["write_calls"]] + 1
        before = after


def test_one_that_sleeps_still_has_a_row_at_the_start_of_each_minute(watch, echo):
    watch.look()
    watch.seen_asleep(echo.pid)
    assert watch.look(is_first=True)[echo.pid][AT["write_calls"]] >= 1


def test_one_that_came_is_there_at_the_next_look_and_one_that_went_has_a_last_row(watch):
    assert watch.look() == {}
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        assert process.pid in watch.look()
        process.stdin.close()
    assert watch.look()[process.pid][AT["state"]] == GONE
    assert len(watch.table) == 0


CHILD = "import os\nos.write(os.open(os.devnull, 1), bytes(1 << 20))\nprint(os.getpid(), flush=True)\nos.read(0, 1)"
WAITS = "import os, subprocess, sys\nsubprocess.run([sys.executable, *sys.argv[1:]])\nprint(flush=True)\nos.read(0, 1)"


def test_what_a_child_wrote_is_not_its_waiting_parents_where_nobody_came_since(tmp_path):
    """Then there is no list of all: that the child has ended is found only when it is looked at."""
    (tmp_path / "loadavg").write_text("0.00 0.00 0.00 1/1 77\n")
    argv = [sys.executable, "-c", WAITS, "-c", CHILD]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        for pid in (parent.pid, child):
            (tmp_path / str(pid)).symlink_to(f"/proc/{pid}")
        watch = Watch(str(tmp_path), own=os.getpid())
        assert watch.look()[child][AT["write_chars"]] >= 1 << 20
        parent.stdin.write(b".")
        parent.stdin.flush()
        parent.stdout.readline()
        rows = watch.look()
        assert rows[child][AT["state"]] == GONE
        assert rows[parent.pid][AT["write_chars"]] < 1 << 20
        watch.table.close()
        parent.stdin.close()


def test_strangers_are_asked_twice_and_those_that_executed_nothing_ever_more_seldom_until_they_did():
    strangers = Strangers({"1": 10})
    there, asked = {"1": 10, "2": 20, "3": 30}, {"2": [], "3": []}
    for look in range(1, 200):
        for name in strangers.to_ask(there, (), look) if look % 5 == 1 else strangers.due((), look):
            asked[name].append(look)
            strangers.was_asked(name, there[name], look, is_copy=name == "3" and look < 150)
    assert asked["2"] == [1, 2]
    assert asked["3"] == [1, 2, 4, 8, 16, 32, 64, 128, 192, 193]
    assert strangers.to_ask({**there, "2": 21}, (), 200) == ["2"], "another of that number"
    assert strangers.to_ask({**there, "2": 21}, ("2",), 200) == []


def changed(stat: Path, field: int) -> None:
    """`field`: counted from the state on."""
    head, _, tail = stat.read_text().rpartition(") ")
    parts = tail.split()
    parts[field] = str(int(parts[field]) + 1)
    stat.write_text(f"{head}) {' '.join(parts)}")


@pytest.mark.parametrize("latest", ["0", "77"])
def test_where_the_machine_does_not_tell_of_new_processes_they_are_found_all_the_same(tmp_path, echo, latest):
    (tmp_path / "loadavg").write_text(f"0.00 0.00 0.00 1/1 {latest}\n")
    watch = Watch(str(tmp_path), own=os.getpid())
    watch.look()
    copied(tmp_path, 4711, echo)
    assert any(4711 in watch.look() for _ in range(1 if latest == "0" else LISTED_EVERY))
    watch.table.close()


@pytest.mark.parametrize(("run", "is_trusted"), [("12 3 4", True), ("0 0 0", False)])
def test_a_kernel_that_does_not_count_runs_is_not_believed(tmp_path, echo, run, is_trusted):
    folder = copied(tmp_path, 5, echo)
    (folder / "schedstat").write_text(run + "\n")
    watched = Watched(5, str(tmp_path))
    watched.keep(1 << 20)
    while watched.look():
        pass
    watched.look()
    changed(folder / "stat", 11)
    assert watched.look() is not is_trusted
    watched.close()


@pytest.mark.parametrize("files_most", [0, 1 << 20])
def test_a_number_that_is_anothers_now_is_not_the_same_process(tmp_path, echo, files_most):
    folder = copied(tmp_path, 5, echo)
    watched = Watched(5, str(tmp_path))
    watched.keep(files_most)
    assert watched.look()
    changed(folder / "stat", 19)
    with pytest.raises(ProcessLookupError):
        watched.look()
    watched.close()


NUMBER_COMES_AGAIN = """
import os, subprocess, sys
sys.path[:0] = sys.argv[1:]
from pathlib import Path
from paramon.there import LISTED_EVERY
from tests.paramon.looked import Watch
pipe = subprocess.PIPE
job = subprocess.Popen(["sh", "-c", "read line; sleep 100 & wait"], stdin=pipe)
pid = os.fork()
if not pid:
    if os.fork():
        os._exit(0)
    os.execvp("sleep", ["sleep", "101"])
os.waitpid(pid, 0)
def sleeper(seconds):
    while True:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if path.read_bytes() == b"sleep\\0%d\\0" % seconds:
                    return int(path.parent.name)
            except OSError:
                continue
foreign = sleeper(101)
watch = Watch("/proc/.", own=job.pid)
watch.table._strangers._known.clear()
for _ in range(4):
    watch.look()
assert foreign not in {one.pid for one in watch.told}, "it is none of the job's"
os.kill(foreign, 9)
while Path(f"/proc/{foreign}").exists():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        pass
Path("/proc/sys/kernel/ns_last_pid").write_text(str(foreign - 1))
job.stdin.write(b"\\n"); job.stdin.flush()
assert sleeper(100) == foreign, "its number is another's now"
assert any(foreign in watch.look() for _ in range(LISTED_EVERY)), "and that is the job's"
os.kill(foreign, 9)
job.wait()
"""


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("unshare"), reason="only root may say which number comes next")
def test_a_number_that_was_somebody_elses_may_be_the_jobs_later(tmp_path):
    argv = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", NUMBER_COMES_AGAIN]
    done = subprocess.run([*argv, str(ROOT / "src"), str(ROOT)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_another_folder_of_the_same_number_is_another_process(tmp_path, echo):
    copied(tmp_path, 4711, echo)
    watch = Watch(str(tmp_path), own=1)
    for _ in range(4):
        assert watch.look() == {}
    watch.table.close()
    (tmp_path / "4711").rename(tmp_path / "gone")
    stat = copied(tmp_path, 4711, echo) / "stat"
    head, _, tail = stat.read_text().rpartition(") ")
    state, _, rest = tail.split(None, 2)
    stat.write_text(f"{head}) {state} 1 {rest}")
    assert 4711 in watch.look()
    watch.table.close()


FEW_FILES = """
import resource, subprocess, sys
sys.path[:0] = sys.argv[1:]
from paramon.there import LISTED_EVERY
from tests.paramon.looked import Watch
watch = Watch()
many = [subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(40)]
resource.setrlimit(resource.RLIMIT_NOFILE, (130, 130))
assert set(watch.look()) == {one.pid for one in many}, "all of them"
for _ in range(3):
    watch.look()
for one in many:
    one.stdin.write(b"x"); one.stdin.flush(); one.stdout.read(1)
assert set(watch.look()) == {one.pid for one in many}, "whether their files are kept or not"
open("/dev/null")
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 130))
assert watch.table.has_living(), "who cannot be asked has not ended"
for one in many:
    one.kill(); one.wait()
for _ in range(LISTED_EVERY):
    watch.look()
resource.setrlimit(resource.RLIMIT_NOFILE, (130, 130))
watch.look()
assert len(watch.table) == 0 and watch.table.denied == 0
"""


def test_more_processes_than_files_may_be_open_are_looked_at(tmp_path):
    argv = [sys.executable, "-c", FEW_FILES, str(ROOT / "src"), str(ROOT)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


HIDDEN = """
import os, subprocess, sys
sys.path[:0] = sys.argv[1:]
from tests.paramon.looked import Watch
pipe = subprocess.PIPE
script = "read line; sleep 100 & echo; read line; kill $!; wait $!; echo; read line"
hidden = [subprocess.Popen(["sh", "-c", script], stdin=pipe, stdout=pipe) for _ in range(2)]
os.setgid(65534), os.setuid(65534)
watch = Watch("/proc/.", own=os.getpid(), mark=b"none")  # those that are there too
for known in (2, 4, 4):  # one more of each comes, and goes
    for _ in range(3):
        watch.look()
    assert watch.table.denied == known, watch.table.denied
    for one in hidden:
        one.stdin.write(b"\\n"); one.stdin.flush(); one.stdout.readline()
"""


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("unshare"), reason="only root may hide processes")
def test_one_that_must_not_be_looked_at_is_counted_once_however_often_it_is_met(tmp_path):
    hide = 'mount -o remount,hidepid=1 /proc && exec "$@"'
    argv = ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", hide, "sh", sys.executable, "-c", HIDDEN]
    done = subprocess.run([*argv, str(ROOT / "src"), str(ROOT)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
