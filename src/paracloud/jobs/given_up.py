"""What is left of a job at a centre whose machines were off, by a person's word: an attempt that was given up there,
while the job goes on elsewhere. Pure.

    unreached ──→ fenced ───┐
        └───────→ started ──┴→ over

`unreached`: the centre has not answered since. `fenced`: its run marker is ours, so it never runs there; it is to be
cancelled. `started`: the centre came back before we reached it, and the attempt has its marker: it is to be cancelled,
and what it ran is the platform's cost. `over`: its scheduler has nothing of it any more.

The marker comes first, before anything else is asked of the centre: it needs a login alone, no scheduler.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from paracloud.kit.identifiers import CentreName, JobId, SubmitTag, UnixAccount


class Remains(StrEnum):
    UNREACHED = "unreached"
    FENCED = "fenced"
    STARTED = "started"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """An attempt that is not over. Its native ids are what the listing shows under its tag: whether we were ever told
    one does not matter."""

    job: JobId
    tag: SubmitTag
    account: UnixAccount
    remains: Remains


@dataclass(frozen=True, slots=True)
class Word:
    """That a centre's machines are off, said by a person who knows."""

    id: int
    centre: CentreName
    person: str
    reason: str
    said_at: datetime
