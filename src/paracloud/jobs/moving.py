"""How a waiting job moves to another centre, exactly once. Each step is committed, and any worker goes on from it.

    holding ──→ leaving ──→ cancelling ──→ moved
       │           │            └────────→ stayed   its user cancelled it
       └───────────┴→ releasing ─────────→ stayed   it had started, or the place was not to be had

`holding`: its scheduler is asked to hold it, until a listing shows that it is held and has not started. `leaving`: the
new place is taken (account, price, money beside what is held already), and we try to take the job's run marker: either
the job has it, and stays, or we have it, and it can never run there. `cancelling`: its scheduler is asked to cancel it.
Only the old centre's accounting ends this step: its record hands the job over, in the transaction that settles it.
`releasing`: it stays, and a hold of ours that may still be on its way is undone until it starts.

The marker and the record are two locks: the record alone would do, were it not for a controller that forgets what it
was told last, and the marker alone, were it not for the queue that would be left behind.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from paracloud.kit.identifiers import CentreName, JobId, PriceVersionId, UnixAccount


class MoveStep(StrEnum):
    HOLDING = "holding"
    LEAVING = "leaving"
    CANCELLING = "cancelling"
    RELEASING = "releasing"
    MOVED = "moved"
    STAYED = "stayed"


HOLDING_MOST = timedelta(minutes=10)
"""A job that its scheduler does not show as held for so long is to stay."""


AT_ONCE = 20
"""Moves under way from a centre: the picture of the queues is a minute old, and each changes it."""
COMMANDS_A_MOVE, BUDGET_PART = 3, 4
"""Hold, marker and cancel, in about a minute; a part of the centre's commands is for them: the others' jobs are to be
submitted and watched at the same time."""


def moves_at_once(commands_per_minute: int) -> int:
    """How many moves may be under way from a centre that bears so many commands; at least one."""
    return min(max(commands_per_minute // (COMMANDS_A_MOVE * BUDGET_PART), 1), AT_ONCE)


@dataclass(frozen=True, slots=True)
class TakenPlace:
    """What waits for a job at its new centre; its money is held already."""

    account: UnixAccount
    price: PriceVersionId


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where a job is on its way to; one that `stays` is not any more, and waits until our own hold is undone."""

    centre: CentreName
    queue: str
    stays: bool


@dataclass(frozen=True, slots=True)
class OpenMove:
    """A move that has no end yet; `taken` from the step `leaving` on."""

    id: int
    job: JobId
    attempt: int
    step: MoveStep
    began_at: datetime
    from_place: tuple[CentreName, str]
    to_place: tuple[CentreName, str]
    why_en: str
    why_zh: str
    taken: TakenPlace | None = None
