"""Old accounting logs: what each line tells, as full values. No line is skipped silently: it is a record, it is left
out by a rule that has a name, or it cannot be read and says why."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from paracloud.dialects.records import NativePhase
from paracloud.kit.identifiers import NativeId


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """One ended execution of one job or array task. Times are aware UTC; `memory_bytes` is what was allocated, 0 where
    the log does not say. `elapsed_seconds` is the scheduler's own figure where it gives one."""

    native_id: NativeId
    task_index: int | None
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
    started_at: datetime
    ended_at: datetime
    elapsed_seconds: int
    cores: int
    nodes: int
    gpus: int
    memory_bytes: int
    node_list: str


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
TEXT_LIMIT = 120


def unreadable(line: int, text: str, reason: ValueError) -> Unreadable:
    """`reason` may carry a Chinese text as its second argument."""
    en = str(reason.args[0]) if reason.args else "it is not understood"
    zh = str(reason.args[1]) if len(reason.args) > 1 else f"无法理解（{en}）"
    return Unreadable(line, en, zh, text.rstrip("\n")[:TEXT_LIMIT])
