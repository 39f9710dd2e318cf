"""Keep the running jobs of one centre paid for, a slice at a time; land those that cannot be."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.funding import NOTHING
from paracloud.billing.rule import Unrated
from paracloud.centres.leases import under
from paracloud.jobs import store_funds
from paracloud.jobs.free import Past, pasts_of
from paracloud.jobs.fund_waiting import fund_waiting, is_unpaid
from paracloud.jobs.hold_more import hold_more
from paracloud.jobs.land import call_off, funds_of, lack_of, stop, warn, wish_signal
from paracloud.jobs.landing import TRY_AGAIN, Funds, is_low, next_held
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.wish import CANCEL
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Fenced, NotEnoughFunds, ParacloudError
from paracloud.kit.identifiers import CentreName, JobId
from paracloud.kit.lease import Lease
from paracloud.kit.money import Money

log = structlog.get_logger()


@dataclass(slots=True)
class Funder:
    """Remembers when it last asked for money for a job that lands; a restart only asks once more."""

    database: Database
    clock: Clock
    _tried: dict[JobId, datetime] = field(default_factory=dict)
    _kept: dict[CentreName, Mapping[JobId, datetime]] = field(default_factory=dict)

    async def round(self, lease: Lease, since: Mapping[JobId, datetime]) -> None:
        """`since`: when the longest task of each job that runs began, as the centre showed last; a job that is left out
        keeps what was seen before, so what runs at a silent centre is paid for on. A job is one transaction of its own:
        whoever needs its project's wallet waits for no other."""
        centre, now = CentreName(lease.name), self.clock.now()
        async with under(self.database, lease) as session:
            if self._kept.get(centre) != since:
                await store_funds.keep_since(session, since)
            rows, waiting = await store_funds.running(session, centre), await store_funds.unpaid(session, centre)
            pasts = await pasts_of(session, [*rows, *waiting], now)
        self._kept[centre] = dict(since)
        self._tried = {job: at for job, at in self._tried.items() if now - at < TRY_AGAIN}
        for row in rows:
            job, past = JobId(row.id), pasts[JobId(row.id)]
            if self._is_due(funds_of(row, past), now):
                self._tried[job] = now
                await self._one(lease, job, partial(fund, past=past, now=now))
        for row in waiting:
            job, end = JobId(row.id), pasts[JobId(row.id)].free_until
            if is_unpaid(row, end, now):
                await self._one(lease, job, partial(fund_waiting, free_until=end, now=now))

    async def _one(self, lease: Lease, job: JobId, step: Callable[..., Awaitable[None]]) -> None:
        try:
            async with under(self.database, lease) as session:
                await step(session, CentreName(lease.name), job)
        except Fenced:
            raise
        except ParacloudError as trouble:  # of one job: the others are looked after all the same
            log.warning("job.not_funded", job=str(job), code=trouble.code, reason=trouble.en)
        except Unrated as why:
            log.error("job.not_funded", job=str(job), code="unrated", reason=why.en)

    def _is_due(self, funds: Funds, now: datetime) -> bool:
        if funds.stopping_at is not None:
            return False
        if funds.warned_at is None:
            return is_low(funds, now)
        return funds.job not in self._tried or (funds.is_told and _is_over(funds, now))


async def fund(session: AsyncSession, centre: CentreName, job: JobId, *, past: Past, now: datetime) -> None:
    """Hold more for one job; where that cannot be paid, the next step of its landing."""
    row = (await store_funds.lock(session, centre, [job])).get(job)
    if row is None or row.state != JobState.RUNNING or row.wish == CANCEL or row.running_since is None:
        return
    funds = funds_of(row, past)
    if funds.stopping_at is not None or (funds.warned_at is None and not is_low(funds, now)):
        return
    if row.dedication_id is not None and not is_low(funds, now):  # the end of its nodes is out of sight again
        await call_off(session, row, funds, NOTHING, now)
        return
    try:
        given, longer = await _extend(session, row, funds, now)
    except NotEnoughFunds as missing:
        await _land(session, row, funds, missing, now)
        return
    if funds.warned_at is not None:
        await call_off(session, row, longer, given, now)


async def _extend(session: AsyncSession, row: AnyRow, funds: Funds, now: datetime) -> tuple[Money, Funds]:
    """What the wallet gave, and how the job is paid for then. NotEnoughFunds, and nothing is changed."""
    target = max(next_held(funds, now) - funds.free_seconds, row.held_seconds + 1)
    given = await hold_more(session, row, target, now)
    return given, replace(funds, held_seconds=funds.free_seconds + target)


async def _land(session: AsyncSession, row: AnyRow, funds: Funds, why: NotEnoughFunds, now: datetime) -> None:
    lack = lack_of(why)
    if funds.warned_at is None:
        await warn(session, row, funds, lack, now)
    elif not funds.is_told:
        await wish_signal(session, row)
    elif _is_over(funds, now):
        await stop(session, row, lack, now)


def _is_over(funds: Funds, now: datetime) -> bool:
    return funds.stop_at is not None and now >= funds.stop_at
