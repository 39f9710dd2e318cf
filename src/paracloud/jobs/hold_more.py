"""Hold more for an accepted job, at the price that it was accepted with."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.cover import Place
from paracloud.billing.extend_hold import extend_hold
from paracloud.billing.price import price_by_id
from paracloud.billing.rate import PLAINLY_PRICED, Most, Price, most
from paracloud.billing.reserve import Wanted
from paracloud.jobs import store, store_funds
from paracloud.jobs.tables import AnyRow
from paracloud.kit.identifiers import CentreName, JobId, PriceVersionId, ProjectId, UserId
from paracloud.kit.money import Money


async def hold_more(session: AsyncSession, row: AnyRow, target: int, now: datetime) -> Money:
    """What the wallet gave so that `target` seconds of each task are held. The job's row is locked. NotEnoughFunds, and
    nothing is changed."""
    job, price = JobId(row.id), (await price_by_id(session, PriceVersionId(row.price_version_id))).price
    has = _most(row, target, price)
    if row.held_seconds:
        had = _most(row, row.held_seconds, price)
        seconds = (has.core_seconds - had.core_seconds, has.card_seconds - had.card_seconds)
        has = Most(price, *seconds, has.amount - had.amount)
    place = Place(price.product_line, CentreName(row.centre), row.queue)
    wanted = Wanted(ProjectId(row.project_id), str(row.id), has.amount, UserId(row.user_id), has, place)
    given = await extend_hold(session, wanted, until_seconds=target, now=now)
    await store_funds.change(session, job, held_seconds=target)
    await store.change(session, job, held_micro=row.held_micro + given.micro)
    return given


def _most(row: AnyRow, seconds: int, price: Price) -> Most:
    upper = {name: getattr(row, name) for name in PLAINLY_PRICED} | row.resources
    return most(upper, timedelta(seconds=seconds), timedelta(seconds=row.overrun_seconds), price, tasks=row.tasks)
