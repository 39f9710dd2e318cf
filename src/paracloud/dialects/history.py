"""Old accounting logs: what each line tells, as full values. No line is skipped silently: it is a record, it is left
out by a rule that has a name, or it cannot be read and says why."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.dialects.resources import NOTHING
from paracloud.kit.identifiers import NativeId, SubmitTag, UnixAccount


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """One ended execution of one job or array task. Times are aware UTC; `memory_bytes` is what was allocated, 0 where
    the log does not say. `elapsed_seconds` is the scheduler's own figure where it gives one."""

    native_id: NativeId
    """The job's, for an array the array's own id."""
    record_id: NativeId
    """The id of this very execution where the log has one besides (Slurm's JobIDRaw), else the job's."""
    usage_id: NativeId
    """Tells this execution from every other that was submitted with it: what usage is metered under. Where the
    scheduler's accounting has such an id this is it, so that usage which was collected before is known again."""
    task_index: int | None
    cluster: str
    """Empty where the log does not say."""
    name: str
    account: str
    """The scheduler's account or project."""
    user: str
    group: str
    queue: str
    qos: str
    phase: NativePhase
    native_state: str
    exit_code: int
    exit_signal: int
    submitted_at: datetime
    eligible_at: datetime | None
    """None: it never was, or the log does not say."""
    started_at: datetime
    ended_at: datetime
    elapsed_seconds: int
    wall_limit: timedelta | None
    """None: there was no limit, or the log does not say."""
    requested_cores: int
    cores: int
    nodes: int
    gpus: int
    memory_bytes: int
    node_list: str
    raw: str
    """The line as the scheduler wrote it: evidence."""
    unsaid: frozenset[str] = frozenset()
    """Figures that the log does not tell, by name: what stands in them is no news to whoever knows them.
    `elapsed_seconds` there: reckoned from start to end, as if it had never been suspended."""
    resources: Mapping[str, int] = field(default_factory=lambda: NOTHING, hash=False)
    """As of an `AccountingRecord`."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that is understood and is no ended execution: `why` is one of a few words, such as "step"."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is not understood: its number from 1, the reason, and how it begins."""

    line: int
    en: str
    zh: str
    text: str


Told: TypeAlias = HistoryRecord | LeftOut | Unreadable
Reader: TypeAlias = Callable[[Iterable[str]], Iterator[Told]]
Tell: TypeAlias = Callable[[int, str], Iterable[Told]]
"""What a line says, given its number and its text without the line's end. ValueError: it is not understood; its first
argument says why in English, a second one in Chinese."""
TEXT_LIMIT = 120
RAW_LIMIT = 4096


def each(lines: Iterable[str], tell: Tell) -> Iterator[Told]:
    """Every scheduler ends each line that it writes. A last line without an end was cut, even where what is left of it
    could be read: an end of 1780304200 may have become 17803."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if not line.endswith("\n"):
                raise ValueError(
                    "the file ends in the middle of this line; if it is whole, add a line break",
                    "文件在此行中间被截断；若内容完整，请在末尾补一个换行",
                )
            yield from tell(number, line.rstrip("\r\n"))
        except ValueError as reason:
            yield unreadable(number, line, reason)


def unreadable(line: int, text: str, reason: ValueError) -> Unreadable:
    """`reason` may carry a Chinese text as its second argument."""
    return Unreadable(line, *why(reason), text.rstrip("\r\n")[:TEXT_LIMIT])


def why(reason: Exception) -> tuple[str, str]:
    """In English and Chinese."""
    en = str(reason.args[0]) if reason.args else "it is not understood"
    return en, str(reason.args[1]) if len(reason.args) > 1 else f"无法理解（{en}）"


def accounted(record: HistoryRecord, *, tag: SubmitTag | None = None) -> AccountingRecord:
    """The record as a centre's accounting would have told it. `tag` is what the dialect reads from the job's name."""
    return AccountingRecord(
        native_id=record.native_id,
        record_id=record.usage_id,
        task_index=record.task_index,
        restart_count=0,
        tag=tag,
        name=record.name,
        account=UnixAccount(record.user),
        queue=record.queue,
        phase=record.phase,
        native_state=record.native_state,
        exit_code=record.exit_code,
        exit_signal=record.exit_signal,
        submitted_at=record.submitted_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        elapsed_seconds=record.elapsed_seconds,
        cores=record.cores,
        nodes=record.nodes,
        gpus=record.gpus,
        memory_bytes=record.memory_bytes,
        node_list=record.node_list,
        raw=record.raw,
        qos=record.qos,
        unsaid=record.unsaid,
        resources=record.resources,
    )
