"""Old accounting logs that are taken in, and sums of usage, on the wire."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from paracloud.wire.base import Model, Text, Time

LogFormat = Literal["sacct", "gridengine", "pbs"]


class ImportRequest(Model):
    """A log that was uploaded. `owners` maps the log's users (or its accounts) to projects."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    name: Text
    centre: Text
    format: LogFormat
    by: Literal["user", "account"] = "user"
    owners: dict[Text, UUID] = Field(max_length=1_000_000)
    accept_faults: bool = False
    leave_out: bool = False


class UnmappedModel(Model):
    records: int
    core_hours: Decimal


class ImportModel(Model):
    """`done` of `records` are stored. `left_out` counts lines by why they are no executions of others, `unmapped`
    records by whose they are."""

    id: UUID
    name: str
    centre: str
    format: str
    state: Literal["waiting", "checking", "storing", "done", "refused"]
    is_final: bool
    lines: int
    records: int
    done: int
    new: int
    corrected: int
    known: int
    unrated: int
    faults: int
    left_out: dict[str, int]
    unmapped: dict[str, UnmappedModel]
    reason_en: str | None
    reason_zh: str | None
    created_at: Time
    ended_at: Time | None


class ImportList(Model):
    items: list[ImportModel]


class FaultModel(Model):
    line: int
    en: str
    zh: str
    text: str


class FaultList(Model):
    """The next page begins after `next`."""

    items: list[FaultModel]
    next: int | None


class LogModel(Model):
    sha256: str
    size_bytes: int
