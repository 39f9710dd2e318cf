"""Where the control group of this job is, if a scheduler made one for it (cgroups(7))."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from paramon.sensors.file import content

JOBS = re.compile(
    r".*?/(?:"
    r"(?:slurm[^/]*/(?:[^/]+/)?uid_\d+|[^/]*slurmstepd\.scope)/job_\d+"
    # Slurm: /slurm/uid_1000/job_7/step_0 and /system.slice/slurmstepd.scope/job_7/step_0/…
    r"|(?:GE|UGE|sge|ocs)/\d+\.\d+[^/]*"  # Grid Engine: cell, job and task
    r"|pbs_jobs\.service/jobid/[^/]+|pbspro\.slice/pbspro-[^/]+\.slice"  # PBS
    r"|lsf/[^/]+/job\.[^/]+"  # LSF
    r")(?=/|$)"
)
"""As far as the folder of the whole job: steps and tasks are below it. What a login or a service has is no job's."""
UNIFIED = ""
USERS_OWN = "/user.slice/"
"""Below it users make groups of any name (systemd delegates it to them)."""


class Mount(NamedTuple):
    """`top`: which group is seen at `point`."""

    point: str
    top: str


def places(proc: str = "/proc", process: str = "self") -> dict[str, str]:
    """Folders of the job's groups by controller, such as `memory`; of version 2 by the empty name. Only those that are
    a job's."""
    try:
        told = content(f"{proc}/{process}/cgroup").decode("utf-8", "replace")
        mounts = _mounts(f"{proc}/self/mountinfo")
    except OSError:
        return {}
    found = {}
    for line in told.splitlines():
        _, controllers, path = line.split(":", 2)
        job = job_in(path)
        if not job:
            continue
        for controller in controllers.split(","):
            if controller in mounts:
                found[controller] = _below(mounts[controller], job)
    return {controller: folder for controller, folder in found.items() if os.path.isdir(folder)}


def job_in(path: str) -> str:
    """The part of a group's path that is the whole job's; empty for what is no job's."""
    found = None if USERS_OWN in path else JOBS.match(path)
    return found[0] if found else ""


def _mounts(path: str) -> dict[str, Mount]:
    """By controller. proc_pid_mountinfo(5): `36 35 98:0 /top /point options … - type source options`."""
    found = {}
    for line in content(path).decode("utf-8", "replace").splitlines():
        first, _, second = line.partition(" - ")
        kind, _, options = second.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            parts = first.split()
            mount = Mount(parts[4], parts[3])
            for controller in options.split(",") if kind == "cgroup" else [UNIFIED]:
                found[controller] = mount
    return found


def _below(mount: Mount, path: str) -> str:
    """A container may see a part of the tree alone."""
    if mount.top != "/" and (path + "/").startswith(mount.top + "/"):
        path = path[len(mount.top) :]
    return mount.point + path
