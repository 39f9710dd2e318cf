"""Jobs as a simulated scheduler knows them, and the rows that its accounting keeps."""

from dataclasses import dataclass, field

ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"})


@dataclass(slots=True)
class NativeTask:
    """One task of an array, or all of a job that is none. Times are seconds since the epoch on the centre's clock."""

    index: int | None
    raw_id: int
    submitted_at: int
    state: str = "PENDING"
    started_at: int | None = None
    ended_at: int | None = None
    run: int = 0
    """Counts starts and stops: a timer that was set for an earlier run does nothing."""


@dataclass(slots=True)
class NativeJob:
    id: int
    name: str
    account: str
    array: str | None
    cores: int
    limit_seconds: int
    may_requeue: bool
    is_held: bool
    submitted_at: int
    needs: tuple["NativeJob", ...] = ()
    """Jobs that have to end well before it may start. What is not known any more is not waited for."""
    tasks: list[NativeTask] = field(default_factory=list)
    is_forgotten: bool = False
    is_in_doubt: bool = False
    """The client that asked for it had given up before."""
    accepted_at: float = 0.0
    """On the loop's clock."""


@dataclass(slots=True)
class Row:
    """One row of accounting. `visible_at` and `whole_at` are on the loop's clock: from when it is there, and from when
    it has heard of the job's submission too."""

    native_id: int
    raw_id: int
    job_id: str
    covers: tuple[int, ...]
    """The indexes of an array's tasks that never started, where it is about them."""
    index: int | None
    user: str
    name: str
    state: str
    exit_code: int
    submitted_at: int
    started_at: int | None
    ended_at: int
    cores: int
    elapsed_seconds: int
    visible_at: float
    whole_at: float
    is_eligible: bool = True
    """Not, where it was cancelled while held: such a row is in no window of time."""
    changes_at: float | None = None
    changed_elapsed_seconds: int = 0
