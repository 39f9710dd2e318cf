"""From ended tasks to the end of a job."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import NativeId

_ENDS: dict[NativePhase, JobState] = {
    NativePhase.COMPLETED: JobState.COMPLETED,
    NativePhase.FAILED: JobState.FAILED,
    NativePhase.NODE_FAILED: JobState.FAILED,
    NativePhase.REQUEUED: JobState.FAILED,
    NativePhase.CANCELLED: JobState.CANCELLED,
    NativePhase.TIMEOUT: JobState.TIMEOUT,
}
_BROUGHT_BACK = frozenset({NativePhase.NODE_FAILED, NativePhase.REQUEUED})
"""After these the scheduler may run the same job again."""
_WORST_FIRST = (JobState.FAILED, JobState.TIMEOUT, JobState.CANCELLED, JobState.COMPLETED)


@dataclass(frozen=True, slots=True)
class TaskEnd:
    state: JobState
    exit_code: int
    exit_signal: int
    started_at: datetime | None
    ended_at: datetime
    native_state: str
    node_list: str


def end_of_task(record: AccountingRecord, alive: Collection[NativeId]) -> JobState | None:
    """None: this record ends no task. Its job runs or ran again, or its state is not understood."""
    if record.phase in _BROUGHT_BACK and record.native_id in alive:
        return None
    return _ENDS.get(record.phase)


def end_of_job(tasks: Sequence[TaskEnd]) -> TaskEnd:
    """The worst task speaks for the job; it began with the first of them and ended with the last. At least one task."""
    worst = min(tasks, key=lambda task: (_WORST_FIRST.index(task.state), task.ended_at))
    started = [task.started_at for task in tasks if task.started_at is not None]
    return TaskEnd(
        state=worst.state,
        exit_code=worst.exit_code,
        exit_signal=worst.exit_signal,
        started_at=min(started) if started else None,
        ended_at=max(task.ended_at for task in tasks),
        native_state=worst.native_state,
        node_list=worst.node_list,
    )
