"""What is written stays readable, whatever happens to the disk, the folder or the collector."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.paramon.made import begun

from paramon.sample.fields import COUNT
from paramon.sample.profile import LIVE, Process, open_profile
from paramon.spool import Spool

SRC = str(Path(__file__).parents[2] / "src")


def ticks(spool: Spool, numbers) -> None:
    for number in numbers:
        spool.chunk.tick(number * 1000)
        spool.chunk.row(1, (number + 1,) * COUNT)
        spool.end_tick()


def read(folder: Path):
    (node,) = open_profile(str(folder))
    return node, [at // 1000 for chunk in node.chunks() for at in chunk.ticks]


@pytest.fixture
def spool(tmp_path):
    one = begun(tmp_path, "node-1", {"node": "n1"})
    one.processes([Process(1, 77, 5, 1, "a.out", "./a.out", -1)])
    return one


def test_minutes_and_the_open_one_are_read_in_order(spool, tmp_path):
    ticks(spool, range(3))
    spool.end_chunk()
    ticks(spool, range(3, 5))
    node, found = read(tmp_path)
    assert found == list(range(5))
    assert node.header["node"] == "n1"
    assert node.processes[1].name == "a.out"
    spool.close({"exit_code": 0})
    node, found = read(tmp_path)
    assert (found, node.end["given_up_frames"]) == (list(range(5)), 0)
    assert not os.path.exists(spool.path + LIVE)


def test_an_open_minute_that_was_written_by_then_is_not_read_twice(spool, tmp_path):
    ticks(spool, range(3))
    left = Path(spool.path + LIVE).read_bytes()
    spool.end_chunk()
    Path(spool.path + LIVE).write_bytes(left)  # as where it was killed in between
    assert read(tmp_path)[1] == [0, 1, 2]


def test_one_that_is_killed_loses_nothing_that_was_seen(tmp_path):
    script = f"""
import os, sys, signal
sys.path[:0] = [{SRC!r}, {str(Path(__file__).parents[2])!r}]
from tests.paramon.test_spool import Spool, ticks
spool = Spool({str(tmp_path)!r}, "node-1", {{"node": "n1"}})
ticks(spool, range(60)); spool.end_chunk(); ticks(spool, range(60, 75))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == -9
    node, found = read(tmp_path)
    assert found == list(range(75))
    assert node.end is None


def test_where_the_disk_is_full_minutes_wait_and_are_written_when_there_is_room(tmp_path):
    script = f"""
import os, resource, sys
sys.path[:0] = [{SRC!r}, {str(Path(__file__).parents[2])!r}]
from tests.paramon.test_spool import Spool, ticks
spool = Spool({str(tmp_path)!r}, "node-1", {{"node": "n1"}})
ticks(spool, range(3)); spool.end_chunk()
size = os.path.getsize(spool.path)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
ticks(spool, range(3, 6)); spool.end_chunk()
assert spool.trouble and os.path.getsize(spool.path) == size, (spool.trouble, size)
ticks(spool, range(6, 9))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
spool.end_chunk()
assert not spool.trouble
spool.close({{}})
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    node, found = read(tmp_path)
    assert found == list(range(9))
    assert (node.lost_bytes, node.end["given_up_frames"]) == (0, 0)


def test_a_tick_that_finds_no_room_ends_the_open_minute_and_the_minute_comes_whole(tmp_path):
    script = f"""
import os, resource, sys
sys.path[:0] = [{SRC!r}, {str(Path(__file__).parents[2])!r}]
from tests.paramon.test_spool import LIVE, Spool, read, ticks
spool = Spool({str(tmp_path)!r}, "node-1", {{"node": "n1"}})
ticks(spool, range(3))
size = os.path.getsize(spool.path + LIVE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
ticks(spool, range(3, 4))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ticks(spool, range(4, 7))
assert spool.trouble and os.path.getsize(spool.path + LIVE) == size + 10
import pathlib
assert read(pathlib.Path({str(tmp_path)!r}))[1] == [0, 1, 2]
spool.end_chunk()
spool.close({{}})
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path)[1] == list(range(7))


def test_ticks_behind_damaged_ones_are_not_made_up(spool, tmp_path):
    ticks(spool, range(3))
    with open(spool.path + LIVE, "ab") as file:
        file.write(b"rubbish")
    ticks(spool, range(3, 5))
    assert read(tmp_path)[1] == [0, 1, 2]


def test_a_minute_is_on_the_disk_before_its_ticks_are_taken_away(spool, tmp_path, monkeypatch):
    """A node that loses power keeps what was synchronised, and of what was not some zeros at most."""
    ticks(spool, range(3))
    synchronised = []
    monkeypatch.setattr(os, "fdatasync", lambda file: synchronised.append((os.fstat(file), os.stat(spool.path + LIVE))))
    spool.end_chunk()
    ((there, live),) = synchronised
    assert there.st_size == os.path.getsize(spool.path)
    assert live.st_size > 0
    ticks(spool, range(3, 6))
    with open(spool.path, "ab") as file:
        file.write(bytes(500))
    Path(spool.path + LIVE).write_bytes(bytes(300))
    assert read(tmp_path)[1] == [0, 1, 2]


def test_what_waits_for_a_disk_is_bounded_and_what_was_given_up_is_counted(spool, tmp_path, monkeypatch):
    monkeypatch.setattr("paramon.spool.WAITING_MOST", 200)
    os.close(spool._file)
    spool._file = os.open(spool.path, os.O_RDONLY)  # nothing can be written to it
    for minute in range(20):
        ticks(spool, range(minute * 3, minute * 3 + 3))
        spool.end_chunk()
    assert spool._waiting_bytes <= 200
    os.close(spool._file)
    spool._file = os.open(spool.path, os.O_WRONLY | os.O_APPEND)
    spool.close({})
    node, found = read(tmp_path)
    assert node.end["given_up_frames"] == 20 + 0 - len(found) // 3
    assert found[-3:] == [57, 58, 59]


def test_a_folder_that_was_taken_away_is_made_again_and_the_rest_is_kept(spool, tmp_path):
    ticks(spool, range(3))
    spool.end_chunk()
    shutil.rmtree(tmp_path)
    ticks(spool, range(3, 6))
    spool.end_chunk()
    ticks(spool, range(6, 8))
    node, found = read(tmp_path)
    assert found == [3, 4, 5, 6, 7]
    assert node.header["node"] == "n1"
    spool.close({})
    assert read(tmp_path)[1] == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("put", [lambda path, theirs: os.symlink(theirs, path), lambda path, _: os.mkfifo(path)])
@pytest.mark.timeout(30)  # who opens a pipe waits for its other end
def test_what_another_put_in_the_place_of_a_file_is_neither_followed_nor_waited_for(spool, tmp_path, put):
    theirs = tmp_path / "theirs"
    theirs.write_text("export IMPORTANT=1\n")
    for path in (spool.path, spool.path + LIVE):
        os.unlink(path)
        put(path, theirs)
    ticks(spool, range(3))
    spool.end_chunk()
    ticks(spool, range(3, 5))
    assert theirs.read_text() == "export IMPORTANT=1\n"
    assert spool.trouble
    os.unlink(spool.path)
    spool.close({})
    assert theirs.read_text() == "export IMPORTANT=1\n"
    assert read(tmp_path)[1] == list(range(5))


def test_another_puts_no_file_of_its_own_in_the_place_but_a_copy_of_ours_is_gone_on_with(spool, tmp_path):
    ticks(spool, range(3))
    spool.end_chunk()
    whole = Path(spool.path).read_bytes()
    os.unlink(spool.path)
    Path(spool.path).write_bytes(b"mine")
    ticks(spool, range(3, 6))
    spool.end_chunk()
    assert Path(spool.path).read_bytes() == b"mine"
    Path(spool.path).write_bytes(whole)
    spool.close({})
    assert read(tmp_path)[1] == list(range(6))


def test_one_that_cannot_be_begun_leaves_nothing_behind(tmp_path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            Spool(str(tmp_path), "node-1", {"node": "n1"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert list(tmp_path.iterdir()) == []


def test_two_collectors_never_write_one_file(spool, tmp_path):
    with pytest.raises(FileExistsError):
        Spool(str(tmp_path), "node-1", {})
