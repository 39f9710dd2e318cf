"""What the worker asks of its book of jobs. One method is one transaction; every one checks the lease's fence inside
that transaction and raises Fenced where another worker has moved on.

Two implementations: PostgreSQL (`jobs/ledgered.py`) and memory (tests/simulation), under one contract suite. Any
method may raise Unreachable, and then may or may not have been committed: all of them can be repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from paracloud.dialects.records import AccountingRecord, Request
from paracloud.jobs.given_up import GivenUp
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.spec import InputFile
from paracloud.jobs.state import JobState
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import CentreName, JobId, NativeId, SubmitTag, UnixAccount
from paracloud.kit.lease import Lease


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A job whose intent to be submitted is committed."""

    job: JobId
    tag: SubmitTag
    account: UnixAccount
    request: Request
    inputs: tuple[InputFile, ...]
    is_first_try: bool = True
    """False: an earlier try left no answer, so the job may be at the centre already."""


@dataclass(frozen=True, slots=True)
class LiveJob:
    """A job with a native id and no end yet. `absent_since`: when the listing first did not show it, if so."""

    job: JobId
    tag: SubmitTag
    native_id: NativeId
    account: UnixAccount
    state: JobState
    native_state: str
    reason: str
    tasks: int
    """1, or the number of tasks of the array."""
    absent_since: datetime | None


@dataclass(frozen=True, slots=True)
class Move:
    """What an observation changes about a job."""

    job: JobId
    to: JobState
    native_state: str
    reason: str
    started_at: datetime | None
    node_list: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants done to a live job: cancel, hold or release; or what its money's end does: signal, with the
    signal's name."""

    job: JobId
    native_id: NativeId
    account: UnixAccount
    kind: str
    signal: str = ""
    moves: int = 0
    """How often the job was moved: its tag says it too."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A live job that is to go to another centre, and how far that has come."""

    job: JobId
    tag: SubmitTag
    native_id: NativeId
    account: UnixAccount
    step: MoveStep


@dataclass(frozen=True, slots=True)
class Settled:
    """`charged` records became new usage, `corrected` changed an earlier one, `known` were counted before,
    `unclaimed` belong to nobody of ours: they bill nobody, and `waiting` carry the tag of a job whose native id is not
    known yet: only when it is can they be judged, so they must be brought again."""

    charged: int
    corrected: int
    known: int
    unclaimed: int
    waiting: int = 0

    def __add__(self, other: "Settled") -> "Settled":
        return Settled(
            self.charged + other.charged,
            self.corrected + other.corrected,
            self.known + other.known,
            self.unclaimed + other.unclaimed,
            self.waiting + other.waiting,
        )


class Book(Protocol):
    async def accounts(self, lease: Lease) -> Sequence[UnixAccount]:
        """Our projects' Unix accounts at this centre: all that observation and accounting ask for."""
        ...

    async def intend(self, lease: Lease, *, limit: int) -> Sequence[Dispatch]:
        """Commit the intent for up to `limit` jobs: accepted ones, and those whose earlier try left no answer."""
        ...

    async def submitted(
        self, lease: Lease, answers: Mapping[JobId, NativeId | Refused], *, postponed: Mapping[JobId, str]
    ) -> None:
        """Keep native ids; a definite refusal ends the job and releases its hold; `postponed` keeps why a job has no
        answer yet, and lets it be intended again a little later."""
        ...

    async def live(self, lease: Lease) -> Sequence[LiveJob]: ...

    async def observed(self, lease: Lease, moves: Sequence[Move]) -> None: ...

    async def wishes(self, lease: Lease) -> Sequence[Wish]:
        """Of live jobs that the listing shows: the id of one that vanished may be another job's now."""
        ...

    async def granted(self, lease: Lease, wishes: Sequence[Wish]) -> None:
        """These wishes were carried out at the centre."""
        ...

    async def departures(self, lease: Lease) -> Sequence[Departure]:
        """Moves of live jobs that are under way from this centre."""
        ...

    async def leave(self, lease: Lease, job: JobId) -> None:
        """It was seen held: take its new place, money included, or let it stay."""
        ...

    async def fenced(self, lease: Lease, ours: Mapping[JobId, bool]) -> None:
        """Whether the run marker is ours: then they never run here and are to be cancelled; otherwise they stay."""
        ...

    async def stay(self, lease: Lease, jobs: Sequence[JobId]) -> None:
        """They have started here."""
        ...

    async def remains(self, lease: Lease) -> Sequence[GivenUp]:
        """What is left here of jobs that were given up while this centre was off."""
        ...

    async def marked(self, lease: Lease, ours: Mapping[SubmitTag, bool]) -> None:
        """Whether the run marker of each of these is ours: then it never runs here; otherwise it has started."""
        ...

    async def cleared(self, lease: Lease, tags: Sequence[SubmitTag]) -> None:
        """Whose run markers were looked at, and of whom the scheduler has nothing any more."""
        ...

    async def accounted_until(self, lease: Lease) -> datetime | None:
        """Up to where accounting windows were read and settled; None before the first."""
        ...

    async def settle(
        self,
        lease: Lease,
        records: Sequence[AccountingRecord],
        *,
        alive: Sequence[NativeId],
        read_until: datetime | None,
    ) -> Settled:
        """Meter, charge and end: for each record new or changed usage, one balanced entry, the task's end; the job's
        end when all its tasks ended, with the rest of its hold released. A record of a node failure or a requeue does
        not end a task whose job is in `alive`: it runs or may have run again. The record of a job whose run marker is
        ours ends nothing: it hands the job over to its new centre."""
        ...

    async def lose(self, lease: Lease, jobs: Sequence[JobId]) -> None:
        """Accounting answered for the whole of the centre's patience and knows nothing of these: lost, not charged. One
        whose run marker is ours is handed over all the same."""
        ...


class Leases(Protocol):
    """The lease rows, on the database's own clock."""

    async def claim(self, centre: CentreName) -> Lease | None:
        """Take a free or expired lease, with the next fence; None while another holds it."""
        ...

    async def renew(self, lease: Lease) -> Lease: ...

    async def release(self, lease: Lease) -> None: ...
