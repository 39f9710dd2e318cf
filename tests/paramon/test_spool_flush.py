"""A disk that says at the flush that it has not kept what was written."""

import errno
import os

import pytest
from tests.paramon.made import begun
from tests.paramon.test_spool import read, ticks

from paramon import spool as spools
from paramon.sample.profile import Process

NEW = Process(1, 77, 5, 1, "a.out", "./a.out", -1)


class Quota:
    """As NFS tells of a quota: nothing that came since the last time is kept, and the kernel forgets it (fsync(2))."""

    def __init__(self, path: str) -> None:
        self.path, self.kept, self.is_over, self.asked = path, 0, False, 0

    def flush(self, file: int) -> None:
        self.asked += 1
        if self.is_over:
            os.ftruncate(file, self.kept)
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        self.kept = os.path.getsize(self.path)


@pytest.fixture
def spool(tmp_path):
    one = begun(tmp_path, "node-1", {"node": "n1"})
    one.processes([NEW])
    return one


@pytest.fixture
def quota(spool, monkeypatch):
    one = Quota(spool.path)
    monkeypatch.setattr(os, "fdatasync", one.flush)
    return one


def minutes(spool, some) -> None:
    for minute in some:
        ticks(spool, range(minute * 3, minute * 3 + 3))
        spool.end_chunk()


@pytest.mark.parametrize("first", [0, 2])
def test_what_was_lost_is_written_again_when_there_is_room_also_the_header_and_who_came(spool, tmp_path, quota, first):
    minutes(spool, range(first))
    quota.is_over = True
    minutes(spool, range(first, 4))
    assert spool.trouble
    quota.is_over = False
    minutes(spool, [4])
    assert not spool.trouble
    spool.close({})
    node, found = read(tmp_path)
    assert found == list(range(15))
    assert (node.lost_bytes, node.end["given_up_frames"]) == (0, 0)
    assert node.header["node"] == "n1"
    assert node.processes[1].name == "a.out"


def test_nothing_is_twice_where_the_disk_had_kept_it_all_the_same(spool, tmp_path, monkeypatch):
    def fails(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", fails)
    minutes(spool, range(3))
    monkeypatch.undo()
    spool.close({})
    assert read(tmp_path)[1] == list(range(9))


def test_what_waits_is_bounded_and_what_was_given_up_is_counted_but_the_header_is_kept(
    spool, tmp_path, quota, monkeypatch
):
    monkeypatch.setattr(spools, "WAITING_MOST", 200)
    quota.is_over = True
    minutes(spool, range(20))
    assert spool._waiting_bytes <= 200 + len(spool._header)
    quota.is_over = False
    spool.close({})
    node, found = read(tmp_path)
    assert node.header["node"] == "n1"
    assert found[-3:] == [57, 58, 59]
    assert node.end["given_up_frames"] == 1 + 20 - len(found) // 3  # who came, too


def test_the_open_minute_stays_where_the_disk_lost_it_at_the_end(spool, tmp_path, quota):
    minutes(spool, [0])
    quota.is_over = True
    ticks(spool, range(3, 6))
    spool.close({})
    assert read(tmp_path)[1] == list(range(6))


def test_what_is_kept_to_be_written_again_is_little_however_many_come(spool, quota):
    for _ in range(5000):
        spool.processes([NEW._replace(command="x" * 200)])
        assert spool._unsure_bytes <= spools.UNSURE_MOST
    assert 3 <= quota.asked <= 20


def test_a_file_system_that_knows_no_flush_has_lost_nothing(spool, tmp_path, monkeypatch):
    def knows_none(_):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fdatasync", knows_none)
    minutes(spool, range(3))
    assert not spool.trouble
    assert not spool._waiting
    assert read(tmp_path)[1] == list(range(9))
