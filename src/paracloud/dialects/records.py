"""What a scheduler tells us, as full values. Times are aware UTC; memory is bytes; usage is whole seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from paracloud.dialects.resources import NOTHING
from paracloud.kit.identifiers import NativeId, SubmitTag, UnixAccount


class NativePhase(StrEnum):
    """The scheduler's state, reduced to what the platform acts upon. UNKNOWN is never final."""

    QUEUED = "queued"
    HELD = "held"
    RUNNING = "running"
    ENDING = "ending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    NODE_FAILED = "node_failed"
    REQUEUED = "requeued"
    UNKNOWN = "unknown"


ENDED_PHASES = frozenset(
    {
        NativePhase.COMPLETED,
        NativePhase.FAILED,
        NativePhase.CANCELLED,
        NativePhase.TIMEOUT,
        NativePhase.NODE_FAILED,
        NativePhase.REQUEUED,
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a dialect needs to write a job's script. `script` is the user's, or the command wrapped as one."""

    tag: SubmitTag
    name: str
    script: str
    work_directory: str
    """Absolute, or relative to the account's home."""
    queue: str
    tasks: int
    cores_per_task: int
    wall_limit: timedelta
    nodes: int | None = None
    tasks_per_node: int | None = None
    memory_per_node_bytes: int | None = None
    memory_per_core_bytes: int | None = None
    gpus_per_node: int = 0
    gpu_model: str | None = None
    exclusive: bool = False
    array: str | None = None
    """Slurm's own notation, such as "0-9%4"."""
    depends_on: tuple[tuple[str, NativeId], ...] = ()
    """Pairs of kind (after, afterok, afternotok, afterany) and native id at the same centre."""
    output: str = "slurm-%j.out"
    error: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    requeue: bool = False
    hold: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)
    """Directives that pass through under their long name: qos, constraint, reservation, signal, nice, begin…"""
    is_monitored: bool = False
    collector: str = ""
    """The file that watches the job, among those of its account; empty where nothing does."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One task of a live job as the queue listing shows it."""

    native_id: NativeId
    task_index: int | None
    """None: the job itself, or all tasks of an array that have not started yet."""
    tag: SubmitTag | None
    account: UnixAccount
    phase: NativePhase
    native_state: str
    reason: str
    submitted_at: datetime | None
    started_at: datetime | None
    node_list: str


@dataclass(frozen=True, slots=True)
class AccountingRecord:
    """One execution of one task, from the centre's accounting. Only this ends a job and charges it."""

    native_id: NativeId
    """The job's, for an array the array's own id: what submit returned."""
    record_id: NativeId
    """The id of this very task (Slurm's JobIDRaw)."""
    task_index: int | None
    restart_count: int
    tag: SubmitTag | None
    """What the job name carries; a claim of the tenant's, to be checked against our own book."""
    name: str
    account: UnixAccount
    queue: str
    phase: NativePhase
    native_state: str
    exit_code: int
    exit_signal: int
    submitted_at: datetime
    started_at: datetime | None
    """None: it never ran, and its usage is zero."""
    ended_at: datetime
    elapsed_seconds: int
    cores: int
    nodes: int
    gpus: int
    memory_bytes: int
    node_list: str
    raw: str
    """The row as the centre wrote it: evidence."""
    qos: str = ""
    """The quality of service that it ran under; empty where the scheduler has none."""
    resources: Mapping[str, int] = field(default_factory=lambda: NOTHING, hash=False)
    """What it had beside cores, nodes, GPUs and memory, sorted by names such as licence.matlab; never to be changed."""
    unsaid: frozenset[str] = frozenset()
    """Figures that the source does not tell; as in an old log's record."""
    unstarted: str | None = None
    """Where one record is about all tasks of an array that never started: which they are, as "7-8,11". None there: the
    centre did not say."""

    @property
    def core_seconds(self) -> int:
        return self.cores * self.elapsed_seconds

    @property
    def gpu_seconds(self) -> int:
        return self.gpus * self.elapsed_seconds


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """A queue's limits and its state now. None as a limit means that the centre sets none."""

    name: str
    is_up: bool
    is_default: bool
    nodes: int
    cores: int
    free_cores: int
    free_nodes: int
    cores_per_node: int
    memory_per_node_bytes: int
    gpus_per_node: int
    gpu_model: str | None
    free_gpus: int
    max_wall: timedelta | None
    max_nodes: int | None
    threads_per_core: int = 1
    """How many of its cores share a real one, of which jobs get whole ones: more than 1 where the scheduler counts
    hardware threads; where sockets are given whole, how many share one."""
    gives_whole_nodes: bool = False
    """Every job has its nodes alone, whether it asks for that or not."""
    gives_each_task_cores: bool = False
    """No two tasks share the threads of one core, unless the job says that they may."""
    max_memory_per_core_bytes: int | None = None
    """A job that asks for more is given more cores."""
    default_memory_per_core_bytes: int | None = None
    default_memory_per_node_bytes: int | None = None
    """What a job asks for that says nothing of memory; with neither, all that a node has."""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    name: str
    native_state: str
    cores: int
    free_cores: int
    memory_bytes: int
    gpus: int
    gpu_model: str | None
    queues: tuple[str, ...]
