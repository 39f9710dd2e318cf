"""A centre as the platform knows it: where it is, what it lends, what was last seen of it. Values only."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from paracloud.dialects.records import QueueInfo
from paracloud.kit.identifiers import CentreName, ProjectId, UnixAccount


@dataclass(frozen=True, slots=True)
class Centre:
    """`host_key` is the pinned public key, one line as in known_hosts, without host. `patience`: how long a job may
    be missing from queue and accounting before it is reported lost. `overrun`: how far past its time limit the centre
    lets a job run before it is killed; a hold covers it. An empty `host`: only its history is kept, and nobody goes
    there."""

    name: CentreName
    title_en: str
    title_zh: str
    host: str
    port: int
    host_key: str
    dialect: str
    service_account: UnixAccount
    commands_per_minute: int
    patience: timedelta
    overrun: timedelta
    region: str
    is_enabled: bool

    @property
    def is_reached(self) -> bool:
        return bool(self.host)

    @property
    def tended_by(self) -> tuple[object, ...]:
        """All that whoever tends it must know of it: with anything else of this, it is tended anew."""
        return (
            self.host, self.port, self.host_key, self.dialect, self.service_account, self.commands_per_minute,
            self.patience,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """To a machine: its address, and of its host key the part that is the key itself; empty where it is not known."""

    host: str
    port: int
    key: str

    @classmethod
    def to(cls, host: str, port: int, host_key: str) -> Self:
        """`host_key`: one line as in ssh_host_ed25519_key.pub, or empty."""
        return cls(host, port, "".join(host_key.split()[1:2]))


@dataclass(frozen=True, slots=True)
class Lending:
    """An account that a centre lends; `is_taken`: a project has it."""

    centre: CentreName
    account: UnixAccount
    is_taken: bool


TRUST_MOST = 5


@dataclass(frozen=True, slots=True)
class Provision:
    """What the operator says that a centre has. `applications`: only what is said is there. `licences` None: nothing is
    said of them, and its scheduler decides. `trust`: 0 where nobody looked at it, up to TRUST_MOST.
    `bytes_per_second`: how fast files come there; None where nobody measured it."""

    applications: frozenset[str] = field(default_factory=frozenset)
    licences: frozenset[str] | None = None
    trust: int = 0
    bytes_per_second: int | None = None


NOTHING_SAID = Provision()


@dataclass(frozen=True, slots=True)
class Health:
    """`failures` counts the rounds that failed since it was last well; a centre is well when it is zero. `good_rounds`
    in a row since `good_since` are on the way back there. `sick_since`: since then it takes no new jobs. `relapses`:
    how often it fell sick soon after it had `recovered_at` that time."""

    checked_at: datetime
    failures: int
    failing_since: datetime | None
    error_en: str | None
    error_zh: str | None
    good_rounds: int = 0
    good_since: datetime | None = None
    sick_since: datetime | None = None
    recovered_at: datetime | None = None
    relapses: int = 0


@dataclass(frozen=True, slots=True)
class SeenQueue:
    """A queue of a centre as the last probe saw it."""

    centre: CentreName
    info: QueueInfo
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Owner:
    """The project that a Unix account was lent to, and when."""

    project: ProjectId
    since: datetime

    def had(self, submitted_at: datetime) -> bool:
        """Whether what was submitted then, by the centre's clock, was this project's. Centres keep whole seconds."""
        return submitted_at >= self.since.replace(microsecond=0)
