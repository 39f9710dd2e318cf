"""Processes as they come, run, execute others, and go."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paramon.sample.chunk import ChunkWriter, read_chunk
from paramon.sample.fields import AT
from paramon.sensors.process import GONE, Watched
from paramon.strangers import Strangers
from paramon.table import Belongs, Table
from paramon.there import LISTED_EVERY, pids

ECHO = "import os\nwhile os.read(0, 1): os.write(1, b'x')"
ROOT = Path(__file__).parents[2]


class Watch:
    """A table of this process's children, and all that it says."""

    def __init__(self, root: str = "/proc", own: int | None = None, mark: bytes = b"") -> None:
        parents = frozenset() if mark else frozenset({os.getpid() if own is None else own})
        others = frozenset(pids(root)) if root == "/proc" else frozenset()
        self.table = Table(Belongs(frozenset(), parents, (b"MARK", mark), others), root, own=own)
        self.told = []

    def look(self, *, is_first: bool = False):
        """The rows of it, by pid."""
        chunk = ChunkWriter()
        chunk.tick(0)
        self.table.look(chunk, self.told.extend, is_first=is_first)
        pid_of = {one.number: one.pid for one in self.told}
        return {pid_of[number]: rows[0][1] for number, rows in read_chunk(chunk.finish()).rows.items()}

    def seen_asleep(self, pid: int) -> None:
        """Until it has been looked at twice without anything new."""
        quiet = 0
        while quiet < 2:
            quiet = 0 if pid in self.look() else quiet + 1


@pytest.fixture
def watch():
    one = Watch()
    yield one
    one.table.close()


@pytest.fixture
def echo():
    with subprocess.Popen([sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        answer(process)
        yield process
        process.stdin.close()


def answer(process) -> None:
    """And its call to write has ended: the kernel counts it no earlier."""
    before = calls_to_write(process)
    process.stdin.write(b"?")
    process.stdin.flush()
    assert process.stdout.read(1) == b"x"
    while calls_to_write(process) == before:
        pass


def calls_to_write(process) -> int:
    lines = Path(f"/proc/{process.pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("syscw:"))


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


def copied(root: Path, pid: int, echo) -> Path:
    folder = root / str(pid)
    folder.mkdir()
    for name in ("stat", "status", "schedstat", "io", "cmdline", "environ"):
        shutil.copyfile(f"/proc/{echo.pid}/{name}", folder / name)
    return folder


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
from tests.paramon.test_table_looks import LISTED_EVERY, Watch
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


FEW_FILES = """
import resource, subprocess, sys
sys.path[:0] = sys.argv[1:]
from tests.paramon.test_table_looks import LISTED_EVERY, Watch
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
from tests.paramon.test_table_looks import Watch
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


def started(*argv, **known):
    return subprocess.Popen([*argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **known})


def has_ended(process) -> None:
    """And is not waited for."""
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


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
