"""The states of a job and the moves between them. Only an accounting record ends a job that reached a centre. One that
is handed over to another centre begins anew there (jobs/hand_over.py)."""

from enum import StrEnum


class JobState(StrEnum):
    """`vanished`: left the queue listing, accounting has not answered yet. `lost`: accounting answered for the whole
    of the centre's patience and knows nothing; reported, not charged, the hold released. A record that comes later
    still ends it properly."""

    ACCEPTED = "accepted"
    STAGING_IN = "staging_in"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    ENDING = "ending"
    """The scheduler says it ended; the bill waits for the accounting record."""
    VANISHED = "vanished"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    """The centre's scheduler said a definite no; nothing ran."""
    LOST = "lost"


FINAL = frozenset(
    {JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED, JobState.TIMEOUT, JobState.REFUSED, JobState.LOST}
)
BEFORE_CENTRE = frozenset({JobState.ACCEPTED, JobState.STAGING_IN, JobState.SUBMITTING})
"""No native id is known yet."""
AT_CENTRE = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.ENDING, JobState.VANISHED})
"""A native id is known, no accounting record has ended it."""

_SEEN_AT_CENTRE = AT_CENTRE | {
    JobState.COMPLETED,
    JobState.FAILED,
    JobState.CANCELLED,
    JobState.TIMEOUT,
    JobState.LOST,
}

MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.ACCEPTED: frozenset({JobState.STAGING_IN, JobState.SUBMITTING, JobState.CANCELLED, JobState.REFUSED}),
    JobState.STAGING_IN: frozenset({JobState.SUBMITTING, JobState.CANCELLED, JobState.REFUSED}),
    JobState.SUBMITTING: frozenset({JobState.REFUSED}) | _SEEN_AT_CENTRE,
    JobState.QUEUED: _SEEN_AT_CENTRE - {JobState.QUEUED},
    JobState.RUNNING: _SEEN_AT_CENTRE - {JobState.RUNNING},
    JobState.ENDING: _SEEN_AT_CENTRE - {JobState.ENDING},
    JobState.VANISHED: _SEEN_AT_CENTRE - {JobState.VANISHED},
    JobState.LOST: frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED, JobState.TIMEOUT}),
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
    JobState.TIMEOUT: frozenset(),
    JobState.REFUSED: frozenset(),
}


def may_move(current: JobState, to: JobState) -> bool:
    return to in MOVES[current]
