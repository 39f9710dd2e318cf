"""What jobs and users do on the node, and where it is wanted each process, as metrics."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Callable, NamedTuple

from paramon.agent.group import Group
from paramon.agent.job_cpu import JobCpu
from paramon.agent.openmetrics import COUNTER, GAUGE, Family, family, labels
from paramon.agent.whose import Owner
from paramon.owner import NO_RANK
from paramon.sample.fields import AT

HZ = os.sysconf("SC_CLK_TCK")


class Counted(NamedTuple):
    """Fields of processes that are one metric, told apart by a label. `worth`: of one in the metric's unit."""

    name: str
    unit: str
    label: str
    fields: tuple[tuple[str, str], ...]
    worth: float
    help: str


MODES = (("user", "user_ticks"), ("system", "system_ticks"))
WAYS = ("read", "write")
COUNTED = (
    Counted("cpu", "seconds", "mode", MODES, 1 / HZ, "CPU time of processes that were seen, since each was started."),
    Counted("io", "bytes", "way", tuple((way, f"{way}_chars") for way in WAYS), 1, "Read and written, to any target."),
    Counted("io_calls", "", "way", tuple((way, f"{way}_calls") for way in WAYS), 1, "Read and write system calls."),
    Counted("storage", "bytes", "way", tuple((way, f"{way}_bytes") for way in WAYS), 1, "Moved by storage devices."),
    Counted("run_wait", "seconds", "", (("", "run_wait_us"),), 1e-6, "Time that threads could run and had no CPU."),
    Counted("block_wait", "seconds", "", (("", "block_wait_ticks"),), 1 / HZ, "Waiting for devices, if kernels count."),
    Counted(
        "context_switches", "", "why", (("waited", "voluntary_switches"), ("forced", "forced_switches")), 1,
        "Because a thread waited, or because others were due.",
    ),
    Counted(
        "page_faults", "", "kind", (("minor", "minor_faults"), ("major", "major_faults")), 1, "Major ones with a read."
    ),
)  # fmt: skip
OF_IO = frozenset({"io", "io_calls", "storage"})
OF_PROCESSES = ("cpu", "io", "io_calls", "storage", "run_wait")


def job_families(
    groups: Mapping[Owner, Group],
    jobs: Mapping[tuple[str, str], JobCpu | None],
    counted: dict[int, int],
    *,
    is_any_closed: bool = False,
) -> list[Family]:
    """`jobs`: by job and task. `counted`: as for Group.unseen_ticks. `is_any_closed`: I/O of some processes must not be
    read."""
    unseen = family(
        "paramon_job_unseen_children_cpu", COUNTER, "CPU time of children that came and went unseen.", "seconds"
    )
    memory = family("paramon_job_memory", GAUGE, "Resident now; what its processes share counts once.", "bytes")
    peak = family("paramon_job_memory_peak", GAUGE, "The most of it at one moment, since it was seen.", "bytes")
    processes = family("paramon_job_processes", GAUGE, "Processes now.")
    threads = family("paramon_job_threads", GAUGE, "Threads now.")
    blocked = family("paramon_job_blocked_processes", GAUGE, "Processes that wait for a device now, in state D.")
    waited = family("paramon_job_blocked", COUNTER, "Of processes, time in which a look found them in D.", "seconds")
    sums = [_family("paramon_job_", one) for one in COUNTED]
    for owner, group in groups.items():
        whose = labels(_named(owner))
        _add(zip(COUNTED, sums), group.total, whose, is_any_closed=is_any_closed)
        unseen.add(group.unseen_ticks(counted) / HZ, whose)
        memory.add(group.memory_kib * 1024, whose)
        peak.add(group.peak_kib * 1024, whose)
        processes.add(len(group.members), whose)
        threads.add(group.threads, whose)
        blocked.add(group.blocked, whose)
        waited.add(round(group.blocked_seconds, 3), whose)
    return [*sums, unseen, memory, peak, processes, threads, blocked, waited, *_held_against(jobs)]


def _held_against(jobs: Mapping[tuple[str, str], JobCpu | None]) -> list[Family]:
    whole = family("paramon_job_cgroup_cpu", COUNTER, "CPU time of the job by its control group.", "seconds")
    part = family(
        "paramon_job_completeness", GAUGE, "Its processes' part of the CPU time of its control group.", "ratio"
    )
    for (job, task), cpu in jobs.items():
        if cpu is None:
            continue
        named = labels({"jobid": job, "task": task})
        whole.add(cpu.us / 1e6, named)
        if cpu.completeness is not None:
            part.add(round(cpu.completeness, 4), named)
    return [whole, part]


def process_families(groups: Mapping[Owner, Group], *, is_any_closed: bool = False) -> list[Family]:
    wanted = [one for one in COUNTED if one.name in OF_PROCESSES]
    sums = [_family("paramon_process_", one) for one in wanted]
    memory = family("paramon_process_resident_memory", GAUGE, "Resident now.", "bytes")
    peak = family("paramon_process_resident_memory_peak", GAUGE, "The most until now.", "bytes")
    threads = family("paramon_process_threads", GAUGE, "Threads now.")
    for owner, group in groups.items():
        for member in group.members.values():
            process, values = member.process, member.values
            rank = "" if process.rank == NO_RANK else str(process.rank)
            whose = labels({**_named(owner), "pid": str(process.pid), "rank": rank, "name": process.name})
            of = dict(zip(AT, values)).__getitem__
            _add(zip(wanted, sums), of, whose, is_any_closed=is_any_closed)
            memory.add(values[AT["rss_kib"]] * 1024, whose)
            peak.add(values[AT["peak_rss_kib"]] * 1024, whose)
            threads.add(values[AT["threads"]], whose)
    return [*sums, memory, peak, threads]


def _add(sums: Iterable[tuple[Counted, Family]], of: Callable[[str], int], whose: str, *, is_any_closed: bool) -> None:
    """`of`: a field's value. Every program reads itself at least: where some may be closed and this one has no I/O at
    all, it is not known, which is no 0."""
    is_io_known = not is_any_closed or any(of(field) for one in COUNTED if one.name in OF_IO for _, field in one.fields)
    for one, into in sums:
        if is_io_known or one.name not in OF_IO:
            for told, field in one.fields:
                into.add(_worth(of(field), one), _with(whose, one.label, told))


def _named(owner: Owner) -> dict[str, str]:
    """Not `job`: Prometheus has that for itself."""
    return {"jobid": owner.job, "task": owner.task, "user": owner.user, "by": owner.by}


def _family(start: str, one: Counted) -> Family:
    return family(start + one.name, COUNTER, one.help, one.unit)


def _worth(value: int, one: Counted) -> float:
    return value if one.worth == 1 else round(value * one.worth, 6)


def _with(whose: str, label: str, told: str) -> str:
    return f'{whose},{label}="{told}"' if label else whose
