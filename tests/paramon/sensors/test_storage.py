"""Disks, NFS, Lustre."""

import pytest
from tests.paramon.sensors import trees

from paramon.sensors.disks import Disks
from paramon.sensors.lustre import Lustre
from paramon.sensors.nfs import Nfs
from paramon.sensors.sensor import Unavailable


def test_disks_are_whole_devices_each_byte_once(tmp_path):
    trees.disks(tmp_path, tmp_path, "nvme0n1", "loop0", "zram0", "dm-0", "md127", parts=("nvme0n1p1",))
    sensor = Disks(str(tmp_path), str(tmp_path))
    assert sensor.read() == {
        "disk.nvme0n1.reads": 10,
        "disk.nvme0n1.read_bytes": 8192,
        "disk.nvme0n1.read_ms": 5,
        "disk.nvme0n1.writes": 20,
        "disk.nvme0n1.written_bytes": 16384,
        "disk.nvme0n1.write_ms": 7,
        "disk.nvme0n1.busy_ms": 9,
    }
    sensor.close()


def test_a_node_without_disks_says_so(tmp_path):
    trees.disks(tmp_path, tmp_path, "loop0")
    with pytest.raises(Unavailable, match="no disk"):
        Disks(str(tmp_path), str(tmp_path))


def test_nfs_is_told_by_mount_with_what_servers_took(tmp_path):
    trees.mountstats(tmp_path, "home", "work")
    sensor = Nfs(str(tmp_path))
    told = sensor.read()
    assert {series: value for series, value in told.items() if series.startswith("nfs./home.")} == {
        "nfs./home.read_bytes": 5000,
        "nfs./home.written_bytes": 6000,
        "nfs./home.read_requests": 10,
        "nfs./home.read_rtt_ms": 40,
        "nfs./home.read_execute_ms": 50,
        "nfs./home.write_requests": 20,
        "nfs./home.write_rtt_ms": 60,
        "nfs./home.write_execute_ms": 70,
        "nfs./home.other_requests": 101,
        "nfs./home.other_rtt_ms": 80,
        "nfs./home.other_execute_ms": 90,
        "nfs./home.repeated_requests": 3,
        "nfs./home.timeouts": 3,
    }
    assert len(told) == 26
    sensor.close()


def test_no_nfs_is_said(tmp_path):
    trees.mountstats(tmp_path)
    with pytest.raises(Unavailable, match="NFS"):
        Nfs(str(tmp_path))


LUSTRE = {
    "lustre.scratch.reads": 3,
    "lustre.scratch.read_bytes": 1056768,
    "lustre.scratch.writes": 5,
    "lustre.scratch.written_bytes": 8193,
    "lustre.scratch.opens": 7,
    "lustre.scratch.closes": 6,
    "lustre.scratch.getattrs": 11,
    "lustre.scratch.creates": 3,
}


@pytest.mark.parametrize("folder", ["fs/lustre/llite", "kernel/debug/lustre/llite"])
def test_lustre_is_told_by_file_system_wherever_its_release_keeps_it(tmp_path, folder):
    trees.llite(tmp_path / folder, "scratch-ffff9a3d8c7b0000")
    assert Lustre(str(tmp_path), str(tmp_path)).read() == LUSTRE


def test_a_lustre_that_is_mounted_twice_is_the_sum(tmp_path):
    trees.llite(tmp_path / "fs/lustre/llite", "scratch-ffff9a3d8c7b0000", "scratch-ffff9a3d8c7b8800")
    assert Lustre(str(tmp_path), str(tmp_path)).read() == {series: 2 * value for series, value in LUSTRE.items()}


def test_a_lustre_that_is_unmounted_fails_and_the_others_go_on(tmp_path):
    trees.llite(tmp_path / "fs/lustre/llite", "scratch-ffff1", "home-ffff2")
    sensor = Lustre(str(tmp_path), str(tmp_path))
    (tmp_path / "fs/lustre/llite/home-ffff2/stats").unlink()
    assert sensor.read() == LUSTRE
    (tmp_path / "fs/lustre/llite/scratch-ffff1/stats").unlink()
    with pytest.raises(OSError, match="not mounted any more"):
        sensor.read()


def test_no_lustre_is_said(tmp_path):
    with pytest.raises(Unavailable, match="Lustre"):
        Lustre(str(tmp_path), str(tmp_path))
