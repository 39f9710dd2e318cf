"""What an import is, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from paracloud.dialects.history import HistoryRecord
from paracloud.kit.identifiers import BlobId, CentreName, ImportId, ProjectId

OTHERS = "…"


class ImportState(StrEnum):
    """Checked whole first, then stored batch by batch; an import is refused before anything of it is stored."""

    WAITING = "waiting"
    CHECKING = "checking"
    STORING = "storing"
    DONE = "done"
    REFUSED = "refused"

    @property
    def is_final(self) -> bool:
        return self in (ImportState.DONE, ImportState.REFUSED)


class By(StrEnum):
    """Which names of the log say whose a record is: the Unix user's, or the scheduler's account."""

    USER = "user"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Unmapped:
    """What the log holds of a name that is nobody's."""

    records: int = 0
    core_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """`done` of `records` are stored: `new`, `corrected` and `known` before; `unrated` wait for a price or a contract.
    `left_out` counts lines by why they are no executions, `unmapped` what is of names that are nobody's, those
    beyond the first thousand under OTHERS. What is stored ended from `earliest` to `latest`; None: nothing is,
    or it was before that was kept."""

    id: ImportId
    sha256: BlobId
    name: str
    centre: CentreName
    format: str
    person: str
    by: By
    owners: Mapping[str, ProjectId]
    accept_faults: bool
    leave_out: bool
    state: ImportState
    created_at: datetime
    ended_at: datetime | None = None
    reason_en: str | None = None
    reason_zh: str | None = None
    lines: int = 0
    records: int = 0
    done: int = 0
    new: int = 0
    corrected: int = 0
    known: int = 0
    unrated: int = 0
    faults: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    unmapped: Mapping[str, Unmapped] = field(default_factory=dict)
    earliest: datetime | None = None
    latest: datetime | None = None

    def name_of(self, record: HistoryRecord) -> str:
        """By which its owner is found."""
        return record.user if self.by is By.USER else record.account

    def owner_of(self, record: HistoryRecord) -> ProjectId | None:
        """None: it is nobody's."""
        return self.owners.get(self.name_of(record))


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that could not be read, and how it begins."""

    line: int
    en: str
    zh: str
    text: str
