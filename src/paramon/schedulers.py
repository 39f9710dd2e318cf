"""How a collector comes to the other nodes of a job: each scheduler's own way of starting something there, in which
nothing that the job itself starts finds less of anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable, Protocol

NODES_MOST = 32
"""That are reached one by one, by a process each."""
OF_A_JOB = (("SLURM_JOB_ID",), ("JOB_ID", "SGE_TASK_ID"), ("PBS_JOBID",), ("LSB_JOBID",))
"""Variables that Slurm, Grid Engine, PBS and LSF set in a job, and nobody else: `JOB_ID` alone may be anything."""


class Scheduler(Protocol):
    """`here`: a variable in the environment of a job's processes that names their node; empty where there is none.
    `why_waiting`: why nothing has been started for a node, in English and in Chinese."""

    here: str
    why_waiting: tuple[str, str]

    @property
    def waiting(self) -> Sequence[str]:
        """Nodes for which nothing has been started."""

    def starts(self, commands: Callable[[], Sequence[str]]) -> Sequence[tuple[str, list[str]]]:
        """What to start now: a node, or several, and the command that the collector's own is to follow. `commands`:
        gives those of the job at this node."""


class Slurm:
    """One step for all of them, that shares what others have and is given no part of it: `--overlap`, as srun(1) of
    22.05 explains it. Releases before do not promise that no step of the job's waits for it, and are not asked. Its
    number is one that a later step does not have."""

    here = "SLURMD_NODENAME"
    why_waiting = "", ""
    waiting: Sequence[str] = ()

    _STEP = r"""
version=$(srun --version 2>&1) || { echo "$version"; exit 1; }
case ${version##* } in
  22.0[5-9]* | 2[3-9].* | [3-9][0-9].*) exec srun "$@" ;;
  *) echo "$version: before 22.05 a step of the job might wait for one that watches"; exit 1 ;;
esac
"""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._job, self._nodes = known.get("SLURM_JOB_ID", ""), known.get("SLURM_JOB_NODELIST", "")
        self._number = _count(known, "SLURM_JOB_NUM_NODES") - 1

    def starts(self, commands: Callable[[], Sequence[str]]) -> Sequence[tuple[str, list[str]]]:
        if self._number < 1:
            return []
        number, self._number = self._number, 0
        step = (
            f"--jobid={self._job}", "--job-name=paramon", "--overlap", "--mem=0", "--cpu-bind=none", "--mpi=none",
            "--relative=1", f"--nodes={number}", f"--ntasks={number}", "--ntasks-per-node=1", "--no-kill", "--wait=0",
            "--kill-on-bad-exit=0", "--input=none", "--chdir=/", "--quiet",
        )  # fmt: skip
        return [(self._nodes, ["/bin/sh", "-c", self._STEP, "srun", *step])]


class GridEngine:
    """A task of the parallel environment on each (qrsh(1), -inherit), where its hosts may start any (sge_pe(5),
    control_slaves).

    A host takes as many tasks as the job has slots there, and no more ("didn't accept task"): the one that the job
    starts next must never be refused for ours. So a host gets one when the job has started a task there and leaves a
    slot of it unused, as an MPI does that starts one daemon a host."""

    here = ""
    why_waiting = (
        "the job has not left a slot unused beside a task of its own there",
        "作业在该节点没有留出自身任务之外的空闲槽位",
    )

    def __init__(self, known: Mapping[str, str]) -> None:
        own = known.get("HOSTNAME", "")
        self._slots: dict[str, int] = {}
        for host, slots in _hosts(known):
            if _short(host) != _short(own):
                self._slots[host] = self._slots.get(host, 0) + slots
        self._left = NODES_MOST

    @property
    def waiting(self) -> Sequence[str]:
        return list(self._slots)

    def starts(self, commands: Callable[[], Sequence[str]]) -> Sequence[tuple[str, list[str]]]:
        if not self._slots:
            return []
        tasks = [words for words in map(str.split, commands()) if _is_task(words)]
        found = []
        for host, slots in list(self._slots.items()):
            begun = sum(any(_short(word) == _short(host) for word in words) for words in tasks)
            if 0 < begun < slots and self._left:
                self._left -= 1
                del self._slots[host]
                found.append((host, ["qrsh", "-inherit", "-nostdin", "-noshell", host]))
        return found


class Pbs:
    """By the task manager, which counts no tasks: OpenPBS's pbs_tmrsh(8B), or pbsdsh(1B) of Torque."""

    here = ""
    why_waiting = f"only {NODES_MOST} nodes are reached", f"最多采集 {NODES_MOST} 个其他节点"

    _TASK = r"""
host=$1; shift
if command -v pbs_tmrsh >/dev/null; then exec pbs_tmrsh "$host" "$@"; else exec pbsdsh -h "$host" "$@"; fi
"""

    def __init__(self, known: Mapping[str, str]) -> None:
        hosts = list(dict.fromkeys(line.strip() for line in _lines(known.get("PBS_NODEFILE", ""))))[1:]
        self._first, self.waiting = hosts[:NODES_MOST], hosts

    def starts(self, commands: Callable[[], Sequence[str]]) -> Sequence[tuple[str, list[str]]]:
        hosts, self._first = self._first, []
        self.waiting = self.waiting[len(hosts) :]
        return [(host, ["/bin/sh", "-c", self._TASK, "pbs", host]) for host in hosts]


SCHEDULERS: Mapping[str, Callable[[Mapping[str, str]], Scheduler]] = {
    "slurm": Slurm,
    "gridengine": GridEngine,
    "pbs": Pbs,
}


def slots_here(known: Mapping[str, str], host: str) -> int | None:
    """How many of Grid Engine's slots the job has at that host; None where it has none, or does not tell. A slot is a
    core that it was given, whatever it is bound to: nothing may keep it from the others."""
    if not known.get("SGE_TASK_ID"):
        return None
    for name in (host, known.get("HOSTNAME", "")):  # as the machine calls itself, and as Grid Engine does
        slots = [slots for row, slots in _hosts(known) if _short(row) == _short(name)]
        if slots:
            return sum(slots)
    return _count(known, "NSLOTS") or None if known.get("NHOSTS", "1") == "1" and "NSLOTS" in known else None


def is_in_job(known: Mapping[str, str]) -> bool:
    """By the environment: nobody is there who could call a command once more."""
    return any(all(known.get(name) for name in names) for names in OF_A_JOB)


def job_here(known: Mapping[str, str]) -> str:
    """As the job's own scheduler names it, a task of an array too: 4711.3 of Grid Engine, 4711[3] of PBS. Slurm's
    variables are asked last: a script may have them so that it runs as it would there. Empty for no job."""
    if known.get("SGE_TASK_ID") and known.get("JOB_ID"):
        task = known["SGE_TASK_ID"]
        return known["JOB_ID"] + (f".{task}" if task.isdigit() else "")
    return known.get("PBS_JOBID", "").partition(".")[0] or known.get("SLURM_JOB_ID") or known.get("JOB_ID") or ""


def _is_task(words: Sequence[str]) -> bool:
    return bool(words) and words[0].rpartition("/")[2] == "qrsh" and "-inherit" in words


def _hosts(known: Mapping[str, str]) -> list[tuple[str, int]]:
    """Of Grid Engine's parallel environment (sge_pe(5)): a row for each queue at a host, and its slots."""
    rows = [row.split() for row in _lines(known.get("PE_HOSTFILE", ""))]
    return [(row[0], int(row[1])) for row in rows if len(row) > 1 and row[1].isdigit()]


def _short(host: str) -> str:
    return host.partition(".")[0]


def _count(known: Mapping[str, str], name: str) -> int:
    text = known.get(name, "")
    return int(text) if text.isdigit() else 1


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
