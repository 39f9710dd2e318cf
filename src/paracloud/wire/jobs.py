"""Jobs and files on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from paracloud.wire.base import LongText, Model, MoneyModel, Text, Texts, Time
from paracloud.wire.constraints import NO_CONSTRAINTS, ConstraintsModel

SCRIPT_LIMIT = 1 << 20
BATCH_LIMIT = 200
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class InputModel(Model):
    """A file that was uploaded before, and where it goes below the work directory."""

    path: Text
    sha256: Sha256
    size_bytes: int = Field(ge=0, le=1 << 50)
    is_executable: bool = False


class JobRequest(Model):
    """`script` is an unmodified sbatch script. `options` are sbatch's by long name; they win over the script's. A job
    that is not `movable` waits where it was sent, however long; one that is not `monitored` runs without the collector
    of run-time features beside it."""

    project: UUID
    script: LongText = Field(max_length=SCRIPT_LIMIT, examples=["#!/bin/bash\n#SBATCH -n 4\nsrun hostname\n"])
    options: Texts = Field(default_factory=dict, max_length=100, examples=[{"time": "10", "partition": "cpu"}])
    name: Text = "job"
    centre: Text | None = None
    objective: Text = Field("cheapest", examples=["soonest", "deadline", "balanced"])
    constraints: ConstraintsModel = NO_CONSTRAINTS
    movable: bool = True
    monitored: bool = True
    environment: Texts = Field(default_factory=dict, max_length=500)
    inputs: list[InputModel] = Field(default_factory=list, max_length=10_000)


class JobBatch(Model):
    """Accepted all together, or none of them."""

    jobs: list[JobRequest] = Field(min_length=1, max_length=BATCH_LIMIT)


class NoticeModel(Model):
    field: str
    en: str
    zh: str


class AcceptedModel(Model):
    id: UUID
    state: str
    centre: str
    queue: str
    held: MoneyModel
    why_en: str
    why_zh: str
    notices: list[NoticeModel]


class AcceptedBatch(Model):
    """In the order of the request."""

    items: list[AcceptedModel]


class LeavingModel(Model):
    """Where a job is on its way to, held by the platform itself until it is; one that `stays` is let go where it is."""

    centre: str
    queue: str
    stays: bool


class JobModel(Model):
    """`reason` is the scheduler's own word; of a job that is `leaving` it may be the platform's hold."""

    id: UUID
    project: UUID
    name: str
    centre: str
    queue: str
    state: str
    is_final: bool
    native_id: str | None
    native_state: str
    reason: str
    wish: str | None
    array: str | None
    tasks: int
    tasks_ended: int
    cores: int
    gpus: int
    wall_limit_seconds: int
    node_list: str
    held: MoneyModel
    charged: MoneyModel
    exit_code: int | None
    exit_signal: int | None
    accepted_at: Time
    submitted_at: Time | None
    started_at: Time | None
    ended_at: Time | None
    leaving: LeavingModel | None = None


class EventModel(Model):
    at: Time
    from_state: str | None
    to_state: str
    native_state: str
    reason: str
    note: str


class TaskModel(Model):
    task_index: int
    record_id: str
    state: str
    native_state: str
    exit_code: int
    exit_signal: int
    started_at: Time | None
    ended_at: Time
    core_seconds: int
    node_list: str


class ForecastModel(Model):
    """What was expected of the job where it was sent to, `made_at` then: of half of the jobs like it (`p50`), and of
    nine in ten (`p90`). An array's times are those of one of its tasks."""

    made_at: Time
    centre: str
    queue: str
    start_p50: Time
    start_p90: Time
    finish_p50: Time
    finish_p90: Time
    cost_p50: MoneyModel
    cost_p90: MoneyModel
    model: str


class JobDetailModel(Model):
    """`forecast` is null where nobody foresaw anything."""

    job: JobModel
    forecast: ForecastModel | None
    why_en: str
    why_zh: str
    events: list[EventModel]
    tasks: list[TaskModel]


class JobPage(Model):
    """`next` is the cursor of the next page; null on the last."""

    items: list[JobModel]
    next: str | None


class FileModel(Model):
    """Where `is_exact` is false the name holds characters that cannot be shown, and the file cannot be asked for."""

    name: str
    is_exact: bool
    size_bytes: int
    is_directory: bool
    modified_at: Time


class FileList(Model):
    items: list[FileModel]


class BlobModel(Model):
    sha256: str
    size_bytes: int
