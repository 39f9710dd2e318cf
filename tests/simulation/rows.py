"""What the memory book keeps: plain rows, changed in place, inside one transaction at a time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from paracloud.billing.rate import Price
from paracloud.jobs.given_up import Remains
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.outcome import TaskEnd
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import CentreName, JobId, NativeId, ProjectId, SubmitTag, UnixAccount, WorkerId


@dataclass(slots=True)
class JobRow:
    id: JobId
    tag: SubmitTag
    project: ProjectId
    centre: CentreName
    account: UnixAccount
    queue: str
    spec: JobSpec
    tasks: int
    retry_at: datetime
    state: JobState = JobState.ACCEPTED
    native_id: NativeId | None = None
    native_state: str = ""
    reason: str = ""
    starts_held: bool = False
    wish: str | None = None
    signal: str = ""
    """What the wish `signal` sends."""
    tries: int = 0
    absent_since: datetime | None = None
    has_started: bool = False
    movable: bool = False
    moves: int = 0
    move: "MoveRow | None" = None
    """The one that is under way."""


@dataclass(slots=True)
class MoveRow:
    to: CentreName
    step: MoveStep = MoveStep.HOLDING


@dataclass(frozen=True, slots=True)
class LeftRow:
    """A job as a centre knew it that it has left."""

    job: JobId
    account: UnixAccount
    native_id: NativeId | None
    tries: int
    cores: int
    remains: Remains | None = None
    """Of one that was given up there."""


class TaskRow(NamedTuple):
    """The newest ended run of a task; `run` orders them."""

    run: tuple[datetime, int]
    end: TaskEnd


@dataclass(slots=True)
class LeaseRow:
    holder: WorkerId
    fence: int
    expires_at: float
    """On the database's own clock, in seconds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a centre's only queue costs, and what the centre gets of it."""

    price: Price
    share_basis_points: int


@dataclass(frozen=True, slots=True)
class Event:
    job: JobId
    at: datetime
    to: JobState


@dataclass(slots=True)
class CentreRow:
    name: CentreName
    terms: Terms
    owners: dict[UnixAccount, ProjectId]
    read_until: datetime | None = None
    lease: LeaseRow | None = None
    jobs: dict[JobId, JobRow] = field(default_factory=dict)
    """In the order of their acceptance, which is that of their ids."""
    left: dict[SubmitTag, LeftRow] = field(default_factory=dict)
