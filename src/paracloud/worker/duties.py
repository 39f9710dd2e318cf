"""What a worker does for a centre beside its jobs' own rounds: handed in by the composition root."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from paracloud.jobs.dispatch import Equip, Stage, no_collector
from paracloud.jobs.outpost import Outpost
from paracloud.kit.errors import ParacloudError
from paracloud.kit.identifiers import JobId
from paracloud.kit.lease import Lease
from paracloud.worker.tenure import HeldLease


async def keep_none(_lease: Lease) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Duties:
    """What the composition root hands in: how to stage inputs, where health and queue pictures go, how running jobs
    are paid for (with when each began), where jobs that wait too long should go, how jobs that are kept back are drawn
    here (and whether there are any), how days that are over are reconciled
    (one a call, while there are any), and how the collector is laid into an account."""

    stage: Stage
    report: Callable[[Outpost, ParacloudError | None], Awaitable[None]]
    probe: Callable[[Outpost, HeldLease], Awaitable[None]]
    fund: Callable[[Lease, Mapping[JobId, datetime]], Awaitable[None]]
    reconcile: Callable[[Outpost, HeldLease], Awaitable[bool]]
    reroute: Callable[[Lease], Awaitable[None]]
    equip: Equip = no_collector
    draw: Callable[[Lease], Awaitable[bool]] = keep_none
