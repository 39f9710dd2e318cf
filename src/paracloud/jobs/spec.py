"""What a user wants to run, complete and checked: the value that every entrance ends in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from paracloud.kit.identifiers import BlobId, CentreName, JobId
from paracloud.placement.constraints import NOTHING_DEMANDED, Constraints


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to lay into the work directory before the job is submitted. `path` is relative, without ".."."""

    path: str
    blob: BlobId
    size_bytes: int
    is_executable: bool = False


@dataclass(frozen=True, slots=True)
class Dependency:
    """`kind` is one of after, afterok, afternotok, afterany; `job` belongs to the same project."""

    kind: str
    job: JobId


@dataclass(frozen=True, slots=True)
class JobSpec:
    """`script` is a whole batch script; its own directives are already folded into the fields here (the command line
    wins over the script). None means that the user did not say, and the queue's default holds."""

    name: str
    script: str
    wall_limit: timedelta
    tasks: int = 1
    cores_per_task: int = 1
    nodes: int | None = None
    tasks_per_node: int | None = None
    memory_per_node_bytes: int | None = None
    memory_per_core_bytes: int | None = None
    gpus_per_node: int = 0
    gpu_model: str | None = None
    exclusive: bool = False
    centre: CentreName | None = None
    queue: str | None = None
    objective: str = "cheapest"
    constraints: Constraints = NOTHING_DEMANDED
    """Without licences: the script's `--licenses` says them."""
    array: str | None = None
    depends_on: tuple[Dependency, ...] = ()
    output: str | None = None
    error: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()
    requeue: bool = False
    hold: bool = False
    movable: bool = True
    """Whether it may go to another centre while it waits, where that would start it sooner."""
    monitored: bool = True
    """Whether the collector runs beside it."""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def cores(self) -> int:
        """Cores of one task of the array (of the job, where it is no array)."""
        return self.tasks * self.cores_per_task
