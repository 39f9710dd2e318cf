"""Logs that sacct wrote: one line a job, columns between bars. Times without a zone are UTC."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from paracloud.dialects.history import HistoryRecord, LeftOut, Told, unreadable
from paracloud.dialects.records import ENDED_PHASES, NativePhase
from paracloud.dialects.slurm.states import accounted_phase
from paracloud.dialects.slurm.text import gpus_of, resources, size_bytes, wall
from paracloud.dialects.text import count, printable
from paracloud.kit.identifiers import NativeId

COLUMNS = (
    "JobID", "JobIDRaw", "Cluster", "Partition", "QOS", "Account", "Group", "GID", "User", "UID", "Submit", "Eligible",
    "Start", "End", "Elapsed", "ExitCode", "State", "NNodes", "NCPUS", "ReqCPUS", "ReqMem", "ReqTRES", "AllocTRES",
    "Timelimit", "NodeList", "JobName",
)  # fmt: skip
"""Of a log without a header line."""
_NEEDED = ("JobID", "Partition", "User", "Submit", "Start", "End", "State", "NNodes", "NCPUS")
_NO_TIME = frozenset({"Unknown", "None", "N/A", ""})
_TASKS_LIMIT = 100_000


def read(lines: Iterable[str]) -> Iterator[Told]:
    """A first line that names columns says which there are and in what order; it needs at least those that say whose
    the job was, where, when, and on how many nodes and cores."""
    columns: Sequence[str] = COLUMNS
    for number, line in enumerate(lines, 1):
        if number == 1 and (named := _header(line)):
            columns = named
            missing = [name for name in _NEEDED if name not in columns]
            if missing:
                names = ", ".join(missing)
                yield unreadable(1, line, ValueError(f"the header lacks {names}", f"表头缺少 {names}"))
                return
            continue
        if not line.strip():
            continue
        try:
            yield from _told(number, _values(line, columns))
        except (ValueError, KeyError) as reason:
            yield unreadable(number, line, reason if isinstance(reason, ValueError) else ValueError(str(reason)))


def _header(line: str) -> tuple[str, ...]:
    """The columns that a header names, in sacct's own spelling; empty where it is none."""
    known = {name.lower(): name for name in (*COLUMNS, "ElapsedRaw", "AllocCPUS", "AllocNodes")}
    words = [word.strip() for word in line.rstrip("\n").rstrip("|").split("|")]
    if words[0].lower() not in known:
        return ()
    same = {"AllocCPUS": "NCPUS", "AllocNodes": "NNodes"}
    found = [known.get(word.lower(), word) for word in words]
    return tuple(same[name] if name in same and same[name] not in found else name for name in found)


def _values(line: str, columns: Sequence[str]) -> dict[str, str]:
    """A job's name may hold bars: where it is the last column, it takes what is left."""
    text = line.rstrip("\n")
    words = text.split("|", len(columns) - 1) if columns[-1] == "JobName" else text.split("|")
    if len(words) == len(columns) + 1 and not words[-1]:
        words.pop()  # sacct -p ends each line with a bar
    if len(words) != len(columns):
        cut = "" if line.endswith("\n") else "; the file ends in the middle of it"
        raise ValueError(
            f"it has {len(words)} columns instead of {len(columns)}{cut}",
            f"应有 {len(columns)} 列，实有 {len(words)} 列{'；文件在此处被截断' if cut else ''}",
        )
    return dict(zip(columns, words, strict=True))


def _told(number: int, value: dict[str, str]) -> Iterator[Told]:
    phase = accounted_phase(value["State"])
    if why := _left_out(value, phase):
        yield LeftOut(number, why)
        return
    native_id, indexes = _id(value)
    for index in indexes:
        yield _record(value, phase, native_id, index)


def _left_out(value: dict[str, str], phase: NativePhase) -> str:
    """XDMoD's rules, so that figures compare: steps, what did not end, and what never had a node."""
    if "." in value["JobID"]:
        return "step"
    if phase is NativePhase.UNKNOWN:
        state = value["State"][:40]
        raise ValueError(f"its state {state!r} is unknown", f"作业状态 {state!r} 未知")
    if value["End"] in _NO_TIME or phase not in ENDED_PHASES:
        return "not ended"
    if value.get("NodeList") == "None assigned" or value["Start"] in _NO_TIME:
        return "never started"
    return ""


def _record(value: dict[str, str], phase: NativePhase, native_id: NativeId, index: int | None) -> HistoryRecord:
    started, ended = _time(value["Start"]), _time(value["End"])
    gpus, memory_bytes = _allocated(value.get("AllocTRES", ""))
    code, _, signal = (value.get("ExitCode") or "0:0").partition(":")
    return HistoryRecord(
        native_id=native_id,
        task_index=index,
        name=printable(value.get("JobName", "")),
        account=printable(value.get("Account", "")),
        user=printable(value["User"], 64),
        group=printable(value.get("Group", ""), 64),
        queue=printable(value["Partition"], 200),
        qos=printable(value.get("QOS", ""), 200),
        phase=phase,
        native_state=printable(value["State"], 64),
        exit_code=count(code),
        exit_signal=count(signal or "0"),
        submitted_at=_time(value["Submit"]),
        started_at=started,
        ended_at=ended,
        elapsed_seconds=_elapsed(value, started, ended),
        cores=count(value["NCPUS"]),
        nodes=count(value["NNodes"]),
        gpus=gpus,
        memory_bytes=memory_bytes,
        node_list=printable(value.get("NodeList", ""), 1000),
    )


@lru_cache(4096)  # a log repeats itself
def _allocated(text: str) -> tuple[int, int]:
    """GPUs, and bytes of memory."""
    found = resources(text)
    return gpus_of(found), size_bytes(found["mem"]) if "mem" in found else 0


def _elapsed(value: dict[str, str], started: datetime, ended: datetime) -> int:
    if raw := value.get("ElapsedRaw"):
        return count(raw)
    if text := value.get("Elapsed"):
        elapsed = wall(text)
        if elapsed is None:
            raise ValueError(f"{text[:40]!r} is no elapsed time", f"{text[:40]!r} 不是有效的运行时长")
        return int(elapsed.total_seconds())
    return max(int((ended - started).total_seconds()), 0)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no time", f"{text[:40]!r} 不是有效的时间") from None


def _id(value: dict[str, str]) -> tuple[NativeId, Sequence[int | None]]:
    """4711; 4711_3; or 4711_[1-3,7%2]: one record stands for each of these tasks."""
    job, underscore, tasks = value["JobID"].partition("_")
    raw = value.get("JobIDRaw") or job
    native_id = NativeId(str(count(raw.partition(".")[0])))
    if not underscore:
        return native_id, (None,)
    if not tasks.startswith("["):
        return native_id, (count(tasks),)
    return native_id, tuple(_listed(tasks))


def _listed(tasks: str) -> Iterator[int]:
    total = 0
    for part in tasks.strip("[]").partition("%")[0].split(","):
        span, _, step = part.partition(":")
        first, dash, last = span.partition("-")
        found = range(count(first), count(last if dash else first) + 1, count(step) if step else 1)
        total += len(found)
        if total > _TASKS_LIMIT:
            raise ValueError("it names too many tasks", "任务数过多")
        yield from found
