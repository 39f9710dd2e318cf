"""Whose a process of the node is: which job's, by the control group that its scheduler made or by its environment, and
which user's."""

from __future__ import annotations

import pwd
import re
from typing import NamedTuple

from paramon.owner import environment
from paramon.record import PROCESS_IO
from paramon.sensors.cgroup_place import job_in
from paramon.sensors.file import content

ID = re.compile(r"(?:job[_.]|pbspro-)?(\d+)(?:\.(\d+)(?=\D|$))?")
"""In the name of a job's control group: its number, and that of the task where the scheduler has one."""
BY_GROUP, BY_ENVIRONMENT, BY_USER = "cgroup", "environment", "user"
KTHREADD = "2"
KTHREAD_FLAG, FLAGS = 0x00200000, 6
"""PF_KTHREAD of Linux (include/linux/sched.h), among the flags of proc_pid_stat(5)."""


class Owner(NamedTuple):
    """`by`: how it is known. The environment is what its user says it is; a control group is the scheduler's. Empty
    `job` for what belongs to none."""

    job: str
    task: str
    user: str
    by: str

    @property
    def of_user(self) -> Owner:
        """The user's processes that are no job's."""
        return Owner("", "", self.user, BY_USER)


class Owners:
    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._users: dict[int, str] = {}

    def of(self, pid: int) -> Owner:
        user = self._user(pid)
        job, task = job_by_group(_text(f"{self._proc}/{pid}/cgroup"))
        if job:
            return Owner(job, task, user, BY_GROUP)
        job, task = job_by_environment(environment(pid, self._proc))
        return Owner(job, task, user, BY_ENVIRONMENT if job else BY_USER)

    def _user(self, pid: int) -> str:
        """Its real one: the owner of its files in /proc is root for who must not be traced. Empty when it is gone."""
        _, _, told = _text(f"{self._proc}/{pid}/status").partition("\nUid:")
        if not told:
            return ""
        number = int(told.split(None, 1)[0])
        if number not in self._users:
            self._users[number] = _name(number)
        return self._users[number]


def job_by_group(cgroup: str) -> tuple[str, str]:
    """Of /proc/PID/cgroup (cgroups(7)): a job's number and its task's; empty for none."""
    for line in cgroup.splitlines():
        group = job_in(line.split(":", 2)[-1])
        found = ID.match(group.rpartition("/")[2]) if group else None
        if found is not None:
            return found[1], found[2] or ""
    return "", ""


def job_by_environment(known: dict[bytes, bytes]) -> tuple[str, str]:
    """As Slurm and Grid Engine set it. What is no number is nothing of theirs. Under Grid Engine a script may have
    Slurm's variables besides, so that it runs as it would there."""
    slurm, grid_engine = (b"SLURM_JOB_ID", b""), (b"JOB_ID", b"SGE_TASK_ID")
    for name, of_task in (grid_engine, slurm) if b"SGE_TASK_ID" in known else (slurm, grid_engine):
        job, task = known.get(name, b""), known.get(of_task, b"")
        if job.isdigit() and len(job) < 20:
            return job.decode(), task.decode() if task.isdigit() and len(task) < 20 else ""
    return "", ""


def kernel_threads(proc: str = "/proc") -> frozenset[str]:
    """The pid of their parent, where there is one: in a container another process may have its number."""
    stat = _text(f"{proc}/{KTHREADD}/stat")
    parts = stat.rpartition(") ")[2].split()
    return frozenset({KTHREADD} if parts and int(parts[FLAGS]) & KTHREAD_FLAG else ())


def unreadable(proc: str = "/proc") -> dict[str, tuple[str, str]]:
    """What of other users' processes this one must not read, and why."""
    try:
        content(f"{proc}/1/io")
    except PermissionError:
        return {
            PROCESS_IO: (
                "I/O and environment of other users' processes need the capability CAP_SYS_PTRACE, which root has "
                "(in a container perhaps not): their I/O is not known",
                "读取其他用户进程的 I/O 与环境变量需要 CAP_SYS_PTRACE 权限（root 具备，容器内未必）：其 I/O 未知",
            )
        }
    except OSError:
        pass  # there is no such process, or no such file
    return {}


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _text(path: str) -> str:
    try:
        return content(path).decode("utf-8", "replace")
    except OSError:
        return ""
