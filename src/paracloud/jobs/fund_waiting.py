"""Before dedicated nodes end, hold the price of what still waits for them; call off what that cannot be held for."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_funds
from paracloud.jobs.hold_more import hold_more
from paracloud.jobs.land import give_up, lack_of
from paracloud.jobs.landing import is_ending
from paracloud.jobs.store_funds import WAITING
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.wish import CANCEL
from paracloud.kit.errors import NotEnoughFunds
from paracloud.kit.identifiers import CentreName, JobId


def is_unpaid(row: AnyRow, free_until: datetime | None, now: datetime) -> bool:
    """Whether the job, if it starts from now on, could cost what is not held. Once it was told so, it is cancelled."""
    if row.state not in WAITING or row.wish == CANCEL or row.held_seconds or row.warned_at is not None:
        return False
    return is_ending(free_until, row.grace_seconds + row.overrun_seconds, now)


async def fund_waiting(
    session: AsyncSession, centre: CentreName, job: JobId, *, free_until: datetime | None, now: datetime
) -> None:
    """Hold what would be held for a new job; where that cannot be paid, it is not to start. `free_until` is when its
    nodes end."""
    row = (await store_funds.lock(session, centre, [job])).get(job)
    if row is None or free_until is None or not is_unpaid(row, free_until, now):
        return
    first = min(row.wall_limit_seconds, row.slice_seconds + row.grace_seconds)
    try:
        await hold_more(session, row, first, now)
    except NotEnoughFunds as missing:
        await give_up(session, row, free_until, lack_of(missing), now)
