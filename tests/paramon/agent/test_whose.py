"""Whose a process is: the scheduler's control group says it, else its environment, else it is its user's alone."""

import os
import pwd

import pytest
from tests.paramon.sensors import trees

from paramon.agent.whose import Owner, Owners, job_by_environment, job_by_group, kernel_threads, unreadable

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(
    ("path", "job"),
    [
        ("0::/system.slice/slurmstepd.scope/job_71/step_0/user/task_3", ("71", "")),
        ("9:name=systemd:/\n4:memory:/slurm/uid_1000/job_8/step_batch\n0::/", ("8", "")),
        ("3:cpuset:/GE/512.7", ("512", "7")),
        ("3:cpuset:/sge/512.1-mem", ("512", "1")),
        ("0::/pbs_jobs.service/jobid/19.server", ("19", "")),
        ("0::/lsf/cluster/job.33.12345", ("33", "12345")),
        ("0::/user.slice/user-1000.slice/session-3.scope", ("", "")),
        ("0::/user.slice/job_x7", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_control_group_names_the_job(path, job):
    assert job_by_group(path) == job


@pytest.mark.parametrize(
    ("known", "job"),
    [
        ({b"SLURM_JOB_ID": b"7", b"JOB_ID": b"8"}, ("7", "")),
        ({b"JOB_ID": b"8", b"SGE_TASK_ID": b"undefined"}, ("8", "")),
        ({b"JOB_ID": b"8", b"SGE_TASK_ID": b"3"}, ("8", "3")),
        ({b"SLURM_JOB_ID": b"80000003", b"JOB_ID": b"8", b"SGE_TASK_ID": b"3"}, ("8", "3")),
        ({b"JOB_ID": b"build-8"}, ("", "")),
        ({b"SLURM_JOB_ID": b"9" * 20}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_the_environment_names_the_job_where_it_is_a_number(known, job):
    assert job_by_environment(known) == job


def test_the_scheduler_is_believed_before_the_environment_and_the_user_is_the_real_one(tmp_path):
    trees.put(tmp_path, "5/status", f"Name:\tx\nUid:\t{os.getuid()}\t99\t99\t99\nGid:\t1")
    trees.put(tmp_path, "5/environ", "A=b\0SLURM_JOB_ID=8\0")
    assert Owners(str(tmp_path)).of(5) == Owner("8", "", ME, "environment")
    trees.put(tmp_path, "5/cgroup", "0::/slurm/uid_0/job_7/step_0")
    assert Owners(str(tmp_path)).of(5) == Owner("7", "", ME, "cgroup")
    trees.put(tmp_path, "6/status", "Name:\tx\nUid:\t3999999999\t0\t0\t0")
    assert Owners(str(tmp_path)).of(6) == Owner("", "", "3999999999", "user")
    assert Owners(str(tmp_path)).of(7) == Owner("", "", "", "user")


def test_what_only_root_may_read_is_said_to_be_missing(tmp_path):
    file = trees.put(tmp_path, "1/io", "rchar: 1")
    assert unreadable(str(tmp_path)) == unreadable(str(tmp_path / "none")) == {}
    file.chmod(0)
    before = os.geteuid()
    tmp_path.chmod(0o755)
    if before == 0:
        assert _as_nobody(str(tmp_path)) == ["process_io"]
    else:
        assert list(unreadable(str(tmp_path))) == ["process_io"]


def _as_nobody(root: str) -> list[str]:
    """Root may read whatever it is. It enters the folder first: others may not enter those above it."""
    there = os.open(root, os.O_RDONLY)
    before = os.getcwd()
    os.fchdir(there)
    os.seteuid(65534)
    try:
        return list(unreadable("."))
    finally:
        os.seteuid(0)
        os.chdir(before)
        os.close(there)


@pytest.mark.parametrize(("flags", "expected"), [(0x208040, {"2"}), (0x400000, set())])
def test_kernel_threads_are_known_by_their_flag_not_their_number(tmp_path, flags, expected):
    trees.put(tmp_path, "2/stat", f"2 (kthreadd) S 0 0 0 0 -1 {flags} 0 0")
    assert kernel_threads(str(tmp_path)) == expected
    assert kernel_threads(str(tmp_path / "none")) == set()
