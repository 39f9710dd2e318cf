"""Logs that sacct wrote: one line a job, columns between bars. Times without a zone are UTC."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import chain

from paracloud.dialects.history import RAW_LIMIT, HistoryRecord, LeftOut, Told, each, unreadable
from paracloud.dialects.records import ENDED_PHASES, NativePhase
from paracloud.dialects.slurm.log_times import elapsed_of, time_of
from paracloud.dialects.slurm.states import accounted_phase
from paracloud.dialects.slurm.text import wall
from paracloud.dialects.slurm.tres import allocated
from paracloud.dialects.text import count, few, printable
from paracloud.kit.identifiers import NativeId

COLUMNS = (
    "JobID", "JobIDRaw", "Cluster", "Partition", "QOS", "Account", "Group", "GID", "User", "UID", "Submit", "Eligible",
    "Start", "End", "Elapsed", "ExitCode", "State", "NNodes", "NCPUS", "ReqCPUS", "ReqMem", "ReqTRES", "AllocTRES",
    "Timelimit", "NodeList", "JobName",
)  # fmt: skip
"""Of a log without a header line."""
_NEEDED = ("JobID", "Partition", "User", "Submit", "Start", "End", "State", "NNodes", "NCPUS", "AllocTRES")
"""Without AllocTRES nobody knows how many GPUs there were: ReqTRES is what was asked for, and what AllocGRES counts, a
node's or the job's, depends on the version."""
_TOLD_BY = {
    "QOS": ("qos",),
    "ExitCode": ("exit_code", "exit_signal"),
    "NodeList": ("node_list",),
}
"""Columns that may be missing, and what nobody knows then."""
_SAME = {"AllocCPUS": "NCPUS", "AllocNodes": "NNodes"}
_KNOWN = {name.lower(): name for name in (*COLUMNS, "ElapsedRaw", *_SAME)}
_NO_TIME = frozenset({"Unknown", "None", "N/A", ""})
_ID = re.compile(r"(\d{1,18})(?:_(?:(\d{1,9})|\[([^\]]*)\]))?(?:\+\d{1,9})?", re.ASCII)
"""4711; 4711_3; 4711_[1-3,7%2]; each with +1 where it is one of a heterogeneous job's."""
_TASKS_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class _Layout:
    columns: Sequence[str] = COLUMNS
    closing_bar: bool = False
    """sacct -p ends each line with a bar, -P does not."""
    unsaid: frozenset[str] = frozenset()


def read(lines: Iterable[str]) -> Iterator[Told]:
    """A first line that names columns says which there are and in what order; it needs at least those that say whose
    the job was, where, when, and on how many nodes, cores and GPUs. It may come again, where logs were joined."""
    rest = iter(lines)
    first = next(rest, "")
    header = first.rstrip("\r\n")
    layout = _header(header)
    if layout is None:
        return each(chain((first,), rest), lambda number, text: _told(number, text, _Layout()))
    missing = [name for name in _NEEDED if name not in layout.columns]
    if missing:
        names = ", ".join(missing)
        return iter((unreadable(1, first, ValueError(f"the header lacks {names}", f"表头缺少 {names}")),))
    columns = layout
    return each(chain(("\n",), rest), lambda number, text: () if text == header else _told(number, text, columns))


def _header(line: str) -> _Layout | None:
    """What a header names, in sacct's own spelling; None where it is none."""
    words = [word.strip() for word in line.removesuffix("|").split("|")]
    if words[0].lower() not in _KNOWN and "jobid" not in line.lower().split("|"):
        return None
    found = [_KNOWN.get(word.lower(), word) for word in words]
    columns = tuple(_SAME[name] if name in _SAME and _SAME[name] not in found else name for name in found)
    return _Layout(columns, line.endswith("|"), _unsaid(columns))


def _unsaid(columns: Sequence[str]) -> frozenset[str]:
    found = {name for column, names in _TOLD_BY.items() if column not in columns for name in names}
    return frozenset(found if {"Elapsed", "ElapsedRaw"} & {*columns} else found | {"elapsed_seconds"})


def _told(number: int, text: str, layout: _Layout) -> Iterator[Told]:
    value = _values(text, layout)
    phase = accounted_phase(value["State"])
    if why := _left_out(value, phase):
        yield LeftOut(number, why)
        return
    native_id, indexes = _id(value["JobID"])
    for index in indexes:
        yield _record(value, phase, (native_id, index), text, layout.unsaid)


def _values(text: str, layout: _Layout) -> dict[str, str]:
    """A job's name may hold bars: it takes what is more than the columns."""
    columns = layout.columns
    words = (text.removesuffix("|") if layout.closing_bar else text).split("|")
    more = len(words) - len(columns)
    if more > 0 and "JobName" in columns:
        at = columns.index("JobName")
        words[at : at + more + 1] = ["|".join(words[at : at + more + 1])]
    if len(words) != len(columns):
        raise ValueError(
            f"it has {len(words)} columns instead of {len(columns)}", f"应有 {len(columns)} 列，实有 {len(words)} 列"
        )
    return dict(zip(columns, words, strict=True))


def _left_out(value: dict[str, str], phase: NativePhase) -> str:
    """XDMoD's rules, so that figures compare: steps, what did not end, and what never had a node. A state that is not
    known is refused, with its text: it may have been an end."""
    job = value["JobID"]
    if "." in job and "[" not in job:  # tasks that are listed never started, and a list that was cut ends with dots
        return "step"
    if phase is NativePhase.UNKNOWN:
        state = value["State"][:40]
        raise ValueError(f"its state {state!r} is unknown", f"作业状态 {state!r} 未知")
    if value["End"] in _NO_TIME or phase not in ENDED_PHASES:
        return "not ended"
    if value.get("NodeList") == "None assigned" or value["Start"] in _NO_TIME:
        return "never started"
    return ""


def _record(
    value: dict[str, str], phase: NativePhase, job: tuple[NativeId, int | None], text: str, unsaid: frozenset[str]
) -> HistoryRecord:
    record_id = _record_id(value)
    started, ended = time_of(value["Start"]), time_of(value["End"])
    had = _allocated(value.get("AllocTRES", ""))
    elapsed, cores = elapsed_of(value, started, ended), few(value["NCPUS"])
    if elapsed and not cores:
        raise ValueError("it ran, and on no core: NCPUS is 0", "该作业运行过，但 NCPUS 为 0")
    code, _, signal = (value.get("ExitCode") or "0:0").partition(":")
    eligible = value.get("Eligible", "")
    return HistoryRecord(
        native_id=job[0],
        record_id=record_id,
        usage_id=NativeId(f"{job[0]}_{job[1]}") if "[" in value["JobID"] else record_id,
        task_index=job[1],
        cluster=printable(value.get("Cluster", ""), 200),
        name=printable(value.get("JobName", "")),
        account=printable(value.get("Account", "")),
        user=printable(value["User"], 64),
        group=printable(value.get("Group", ""), 64),
        queue=printable(value["Partition"], 200),
        qos=printable(value.get("QOS", ""), 200),
        phase=phase,
        native_state=printable(value["State"], 64),
        exit_code=few(code),
        exit_signal=few(signal or "0"),
        submitted_at=time_of(value["Submit"]),
        eligible_at=None if eligible in _NO_TIME else time_of(eligible),
        started_at=started,
        ended_at=ended,
        elapsed_seconds=elapsed,
        wall_limit=_limit(value.get("Timelimit", "")),
        requested_cores=few(value.get("ReqCPUS") or value["NCPUS"]),
        cores=cores,
        nodes=few(value["NNodes"]),
        gpus=few(str(had.gpus)),
        memory_bytes=had.memory_bytes,
        node_list=printable(value.get("NodeList", ""), 1000),
        raw=printable(text, RAW_LIMIT),
        unsaid=unsaid | had.unsaid,
        resources=had.resources,
    )


def _record_id(value: dict[str, str]) -> NativeId:
    """A line about several tasks has an id that is none of theirs; any other task or part is known by JobIDRaw alone:
    under another id it would count a second time."""
    if raw := value.get("JobIDRaw"):
        return NativeId(str(count(raw)))
    job = value["JobID"]
    if not job.isdigit() and "[" not in job:
        raise ValueError(f"{job[:40]!r} needs its JobIDRaw", f"{job[:40]!r} 缺少 JobIDRaw")
    return NativeId(job)


_allocated = lru_cache(4096)(allocated)
"""A log repeats itself."""


@lru_cache(4096)
def _limit(text: str) -> timedelta | None:
    return wall(text)


def _id(text: str) -> tuple[NativeId, Sequence[int | None]]:
    """The job, and its tasks: one record stands for each of these."""
    match = _ID.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no job id", f"{text[:40]!r} 不是作业编号")
    job, index, tasks = match.groups()
    if tasks is not None:
        return NativeId(job), tuple(_listed(tasks))
    return NativeId(job), (None if index is None else int(index),)


def _listed(tasks: str) -> Iterator[int]:
    total = 0
    for part in tasks.partition("%")[0].split(","):
        span, _, step = part.partition(":")
        first, dash, last = span.partition("-")
        found = range(count(first), count(last if dash else first) + 1, count(step) if step else 1)
        total += len(found)
        if total > _TASKS_LIMIT:
            raise ValueError("it names too many tasks", "任务数过多")
        yield from found
