"""When a running job's money must be extended, and when the job must be stopped: pure rules on values.

A job of a project with a slice (`Funding.hold`) starts with a slice and the grace held for each task. Before a slice is
used up the next one is held. Where that cannot be paid the job is warned, gets its signal, and is stopped when the
grace is over; what was held from the beginning pays for the grace, so nothing of it is overdrawn.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from paracloud.billing.funding import SIGNALS, Funding
from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import JobId

MARGIN = timedelta(seconds=30)
"""So much before the grace must begin a job is looked after: for rounds that come late, a command on its way, and a
centre's clock that is ahead of ours."""
TRY_AGAIN = timedelta(seconds=5)
"""Between two looks whether money came for a job that is landing: each locks the project's wallet for a moment."""
STOPPED_EN = "Stopped because the money that the project can spend ended."
STOPPED_ZH = "因课题组可用资金用尽而停止。"
SIGNALLED_EN = "It ended after the signal that it got because the money that the project can spend ended."
SIGNALLED_ZH = "因课题组可用资金用尽，作业收到信号后结束。"
_SIGNAL = re.compile(r"(?:R|B|RB|BR)?(?P<colon>:)?(?:SIG)?(?P<name>[A-Z0-9]+)(?:@[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Funds:
    """How one running job is paid for. `earlier_seconds`: runs of it that were charged before it was requeued;
    `held_seconds` pays for them too. Of those, `free_seconds` are paid by the month, on dedicated nodes: for
    them nothing is held."""

    job: JobId
    limit_seconds: int
    earlier_seconds: int
    slice_seconds: int
    grace_seconds: int
    held_seconds: int
    running_since: datetime
    warned_at: datetime | None
    signalled_at: datetime | None
    stop_at: datetime | None
    stopping_at: datetime | None
    free_seconds: int = 0

    @property
    def most_seconds(self) -> int:
        return self.limit_seconds + self.earlier_seconds

    @property
    def held_until(self) -> datetime:
        """When the longest-running task has used up what is held."""
        return self.running_since + timedelta(seconds=self.held_seconds - self.earlier_seconds)

    @property
    def is_told(self) -> bool:
        """The present run has the signal: one that began later (a requeue) knows nothing of it."""
        return self.signalled_at is not None and self.signalled_at >= self.running_since


def free_seconds(since: datetime, free_until: datetime) -> int:
    """Of a run that goes on past this moment, on nodes that are paid by the month until then."""
    return max((free_until - since) // timedelta(seconds=1), 0)


def is_ending(free_until: datetime | None, seconds: int, now: datetime) -> bool:
    """Whether a job that starts now would have no time to be looked after before it costs its price: its grace and
    what the centre may let it overrun, together `seconds`, with the margin."""
    return free_until is not None and free_until - timedelta(seconds=seconds) - MARGIN <= now


def first_hold(funding: Funding, limit: timedelta) -> timedelta:
    """What is held of a time limit at the beginning."""
    return limit if funding.hold is None else min(limit, funding.hold + funding.grace)


def is_low(funds: Funds, now: datetime) -> bool:
    """Whether more must be held now, so that the grace could still follow."""
    return funds.held_seconds < funds.most_seconds and _needed(funds, now) >= funds.held_seconds


def next_held(funds: Funds, now: datetime) -> int:
    """Seconds to hold for from now on: one slice more, or as many as make up for the time that nobody looked."""
    missing = max(_needed(funds, now) + 1 - funds.held_seconds, 1)
    slices = -(-missing // funds.slice_seconds)
    return min(funds.held_seconds + slices * funds.slice_seconds, funds.most_seconds)


def stop_at(funds: Funds, signalled_at: datetime) -> datetime:
    """When the grace is over, or earlier where no more is held (the centre was not reached in time): the line goes
    before the grace. The signal goes before the stop in any case: they take the same way, so where one cannot be
    delivered, neither can the other."""
    return min(signalled_at + timedelta(seconds=funds.grace_seconds), max(funds.held_until, signalled_at))


def checkpoint_signal(spec: JobSpec, funding: Funding) -> str:
    """The user's own (sbatch --signal), where it is one that a project may choose: "B:" before it means the batch
    script alone. Otherwise the project's, to all that runs."""
    found = _SIGNAL.fullmatch(spec.extra.get("signal", "").upper())
    if found is None or found["name"] not in SIGNALS:
        return funding.signal
    is_batch = found["colon"] is not None and "B" in found[0].partition(":")[0]
    return f"B:{found['name']}" if is_batch else found["name"]


def _needed(funds: Funds, now: datetime) -> int:
    """Seconds that must be held: used by now, with the grace and the margin."""
    used = max(now - funds.running_since, timedelta(0)) + MARGIN
    return funds.earlier_seconds + -(-used // timedelta(seconds=1)) + funds.grace_seconds
