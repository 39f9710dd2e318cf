"""Keep the running jobs of one centre paid for, a slice at a time; land those that cannot be."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.cover import Place
from paracloud.billing.extend_hold import extend_hold
from paracloud.billing.price import price_by_id
from paracloud.billing.rate import PLAINLY_PRICED, Most, most
from paracloud.billing.reserve import Wanted
from paracloud.billing.rule import Unrated
from paracloud.centres.leases import under
from paracloud.jobs import store, store_funds
from paracloud.jobs.land import call_off, funds_of, lack_of, stop, warn, wish_signal
from paracloud.jobs.landing import TRY_AGAIN, Funds, is_low, next_held
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.wish import CANCEL
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Fenced, NotEnoughFunds, ParacloudError
from paracloud.kit.identifiers import CentreName, JobId, PriceVersionId, ProjectId, UserId
from paracloud.kit.lease import Lease
from paracloud.kit.money import Money
from paracloud.metering.listing import seconds_before

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
            rows = await store_funds.running(session, centre)
            before = await _before(session, rows)
        self._kept[centre] = dict(since)
        self._tried = {job: at for job, at in self._tried.items() if now - at < TRY_AGAIN}
        for row in rows:
            funds = funds_of(row, before.get(str(row.id), 0))
            if not self._is_due(funds, now):
                continue
            self._tried[funds.job] = now
            try:
                async with under(self.database, lease) as session:
                    await fund(session, centre, funds.job, before.get(str(row.id), 0), now)
            except Fenced:
                raise
            except ParacloudError as trouble:  # of one job: the others are looked after all the same
                log.warning("job.not_funded", job=str(funds.job), code=trouble.code, reason=trouble.en)
            except Unrated as why:
                log.error("job.not_funded", job=str(funds.job), code="unrated", reason=why.en)

    def _is_due(self, funds: Funds, now: datetime) -> bool:
        if funds.stopping_at is not None:
            return False
        if funds.warned_at is None:
            return is_low(funds, now)
        return funds.job not in self._tried or (funds.is_told and _is_over(funds, now))


async def fund(session: AsyncSession, centre: CentreName, job: JobId, earlier_seconds: int, now: datetime) -> None:
    """Hold more for one job; where that cannot be paid, the next step of its landing."""
    row = (await store_funds.lock(session, centre, [job])).get(job)
    if row is None or row.state != JobState.RUNNING or row.wish == CANCEL or row.running_since is None:
        return
    funds = funds_of(row, earlier_seconds)
    if funds.stopping_at is not None or (funds.warned_at is None and not is_low(funds, now)):
        return
    try:
        given, longer = await _extend(session, row, funds, now)
    except NotEnoughFunds as missing:
        await _land(session, row, funds, missing, now)
        return
    if funds.warned_at is not None:
        await call_off(session, row, longer, given, now)


async def _before(session: AsyncSession, rows: list[AnyRow]) -> dict[str, int]:
    """Only of what was charged for while it is still there: a run before this one, or tasks of an array."""
    return await seconds_before(session, [str(row.id) for row in rows if row.charged_micro])


async def _extend(session: AsyncSession, row: AnyRow, funds: Funds, now: datetime) -> tuple[Money, Funds]:
    """What the wallet gave, and how the job is paid for then. NotEnoughFunds, and nothing is changed."""
    target = next_held(funds, now)
    price = (await price_by_id(session, PriceVersionId(row.price_version_id))).price
    upper = {name: getattr(row, name) for name in PLAINLY_PRICED} | row.resources
    overrun = timedelta(seconds=row.overrun_seconds)
    had, has = (
        most(upper, timedelta(seconds=seconds), overrun, price, tasks=row.tasks)
        for seconds in (funds.held_seconds, target)
    )
    amount = has.amount - had.amount
    more = Most(price, has.core_seconds - had.core_seconds, has.card_seconds - had.card_seconds, amount)
    place = Place(price.product_line, CentreName(row.centre), row.queue)
    wanted = Wanted(ProjectId(row.project_id), str(row.id), amount, UserId(row.user_id), more, place)
    given = await extend_hold(session, wanted, until_seconds=target, now=now)
    await store_funds.change(session, funds.job, held_seconds=target)
    await store.change(session, funds.job, held_micro=row.held_micro + given.micro)
    return given, replace(funds, held_seconds=target)


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
