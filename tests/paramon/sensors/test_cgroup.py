"""The control group that a scheduler made for a job, and no other."""

import shutil

import pytest
from tests.paramon.sensors import trees

from paramon.sensors.cgroup import Cgroup, job_cpu_us
from paramon.sensors.sensor import Unavailable
from paramon.total import Total

SLURM_2 = "/system.slice/slurmstepd.scope/job_71"
FILES_2 = {
    "cpu.stat": "usage_usec 9000\nuser_usec 6000\nsystem_usec 3000\nnr_periods 5\nnr_throttled 2\nthrottled_usec 77",
    "memory.current": 4096 * 1024,
    "memory.peak": 8192 * 1024,
    "memory.max": 16384 * 1024,
    "memory.events": "low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 0",
    "io.stat": "8:0 rbytes=100 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2 rios=1 wios=1",
}
TOLD = {
    "cgroup.cpu_us": 9000,
    "cgroup.cpu_user_us": 6000,
    "cgroup.cpu_system_us": 3000,
    "cgroup.throttled_periods": 2,
    "cgroup.throttled_us": 77,
    "cgroup.memory_kib": 4096,
    "cgroup.memory_peak_kib": 8192,
    "cgroup.memory_limit_kib": 16384,
    "cgroup.oom_kills": 1,
    "cgroup.read_bytes": 101,
    "cgroup.written_bytes": 22,
}


def slurm_2(root, below="/step_batch/user/task_0", **files):
    folder = trees.cgroup_2(root, SLURM_2, {**FILES_2, **files})
    (folder / below.strip("/")).mkdir(parents=True, exist_ok=True)
    trees.put(root, "self/cgroup", f"0::{SLURM_2}{below}")
    return folder


def test_of_version_2_the_whole_jobs_group_is_read_not_the_steps(tmp_path):
    slurm_2(tmp_path)
    assert Cgroup(str(tmp_path)).read() == TOLD


def test_what_a_kernel_or_a_site_does_not_count_is_left_out(tmp_path):
    folder = slurm_2(tmp_path, **{"memory.max": "max", "io.stat": ""})
    (folder / "memory.peak").unlink()
    (folder / "memory.events").unlink()
    trees.put(folder, "cpu.stat", "usage_usec 9000\nuser_usec 6000\nsystem_usec 3000")
    told = Cgroup(str(tmp_path)).read()
    kept = ("cpu_us", "cpu_user_us", "cpu_system_us", "memory_kib")
    assert told == {
        **{f"cgroup.{what}": TOLD[f"cgroup.{what}"] for what in kept},
        "cgroup.read_bytes": 0,
        "cgroup.written_bytes": 0,
    }


def test_what_is_gone_later_takes_nothing_else_with_it_and_is_counted(tmp_path):
    folder = slurm_2(tmp_path)
    group = Cgroup(str(tmp_path))
    trees.put(folder, "memory.max", "max")  # a limit that was lifted is no failure
    told = group.read()
    assert told == {name: value for name, value in TOLD.items() if name != "cgroup.memory_limit_kib"}
    trees.put(folder, "cpu.stat", "usage_usec 9001\nuser_usec 6000\nsystem_usec 3001")
    (folder / "io.stat").unlink()
    for times in (1, 2):
        told = group.read()
        assert (told["cgroup.cpu_us"], told["cgroup.failed_reads"]) == (9001, 2 * times)
        assert {"cgroup.throttled_us", "cgroup.read_bytes"} & set(told) == set()
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError):
        group.read()


PATHS_1 = {
    "cpu,cpuacct": "/slurm/uid_1000/job_71/step_0/task_0",
    "memory": "/slurm/uid_1000/job_71/step_0/task_0",
    "blkio": "/slurm/uid_1000/job_71/step_0",
    "devices": "/",
}
FILES_1 = {
    "cpu,cpuacct": {
        "cpuacct.usage": 9_000_999,
        "cpuacct.stat": "user 6\nsystem 3",
        "cpu.stat": "nr_periods 5\nnr_throttled 2\nthrottled_time 77000",
    },
    "memory": {
        "memory.usage_in_bytes": 4096 * 1024,
        "memory.max_usage_in_bytes": 8192 * 1024,
        "memory.limit_in_bytes": 16384 * 1024,
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1",
    },
    "blkio": {
        "blkio.throttle.io_service_bytes_recursive": "8:0 Read 100\n8:0 Write 20\n8:0 Sync 5\n8:0 Total 120\n"
        "8:16 Read 1\n8:16 Write 2\n8:16 Total 3\nTotal 123"
    },
}


def of_job(paths, job="/slurm/uid_1000/job_71"):
    return {controllers: (job if path != "/" else path) for controllers, path in paths.items()}


@pytest.mark.parametrize("top", ["/", "/slurm"])
def test_of_version_1_each_controllers_group_is_read_in_a_container_too(tmp_path, top):
    trees.cgroup_1(tmp_path, of_job(PATHS_1), FILES_1, top=top)
    assert Cgroup(str(tmp_path)).read() == {**TOLD, "cgroup.cpu_user_us": 60_000, "cgroup.cpu_system_us": 30_000}


def test_of_version_1_no_limit_is_none(tmp_path):
    none = {**FILES_1["memory"], "memory.limit_in_bytes": 9223372036854771712}
    trees.cgroup_1(tmp_path, of_job(PATHS_1), {**FILES_1, "memory": none})
    assert "cgroup.memory_limit_kib" not in Cgroup(str(tmp_path)).read()


@pytest.mark.parametrize(
    "path",
    [
        "/slurm/uid_1000/job_71",
        "/slurm/node7/uid_1000/job_71",
        "/system.slice/slurmstepd.scope/job_71",
        "/system.slice/node7_slurmstepd.scope/job_71",
        "/GE/71.1",
        "/UGE/71.3",
        "/pbs_jobs.service/jobid/71.server",
        "/pbspro.slice/pbspro-71.server.slice",
        "/lsf/cluster1/job.71.4242.1700000000",
    ],
)
def test_the_jobs_of_schedulers_are_known_by_their_paths(tmp_path, path):
    trees.cgroup_2(tmp_path, path, FILES_2)
    trees.put(tmp_path, "self/cgroup", f"0::{path}/something/below")
    assert Cgroup(str(tmp_path)).read() == TOLD
    assert job_cpu_us(str(tmp_path)) == 9000


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/user.slice/user-1000.slice/session-4.scope",
        "/system.slice/sshd.service",
        "/docker/0123456789ab",
        "/user.slice/user-1000.slice/user@1000.service/app.slice/slurmstepd.scope/job_71",
        "/system.slice/job_71",
        "/user.slice/my_job_7x",
        "/system.slice/slurmd.service",
    ],
)
def test_what_a_login_or_a_service_has_is_no_jobs(tmp_path, path):
    trees.cgroup_2(tmp_path, path, FILES_2)
    with pytest.raises(Unavailable, match="no scheduler made") as caught:
        Cgroup(str(tmp_path))
    assert "cgroup" in caught.value.zh
    assert job_cpu_us(str(tmp_path)) is None
    assert Total(str(tmp_path)).source == "rusage"


def test_a_group_that_is_not_seen_from_here_is_none(tmp_path):
    trees.cgroup_2(tmp_path, SLURM_2, FILES_2).rename(tmp_path / "away")
    with pytest.raises(Unavailable):
        Cgroup(str(tmp_path))


def test_the_total_is_what_the_group_used_from_now_on(tmp_path):
    def used(hours):
        us = hours * 3600 * 10**6
        return f"usage_usec {us}\nuser_usec 0\nsystem_usec {us}"

    folder = slurm_2(tmp_path, **{"cpu.stat": used(2)})
    total = Total(str(tmp_path))
    assert total.source == "cgroup"
    trees.put(folder, "cpu.stat", used(5))
    assert 3 * 3600 * 100 - 60 * 100 < total.ticks() <= 3 * 3600 * 100  # the collector's own time is not the job's


def test_a_group_that_is_gone_at_the_end_leaves_what_was_waited_for(tmp_path):
    folder = slurm_2(tmp_path)
    total = Total(str(tmp_path))
    (folder / "cpu.stat").unlink()
    assert total.ticks() >= 0
