"""Write down what is expected of a job at the place where it is sent, and what was known of it there: to be shown, to
be held against what comes, and to learn from."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_forecasts
from paracloud.jobs.expect import foreseen
from paracloud.jobs.market import Market, customer_of
from paracloud.jobs.movable import need_elsewhere
from paracloud.jobs.offers import offers
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.written import read_spec
from paracloud.kit.identifiers import CentreName, JobId, ProjectId, UserId
from paracloud.placement.offer import Offer
from paracloud.placement.prediction import Quantiles


async def foretell(
    session: AsyncSession,
    job: JobId,
    project: ProjectId,
    spec: JobSpec,
    offer: Offer,
    *,
    user: UserId,
    market: Market,
    now: datetime,
) -> None:
    """In the transaction that sends it there. Nothing is written where nobody foresees."""
    if offer.prediction is not None and offer.cost is not None:
        await store_forecasts.add(session, forecast_values(job, offer, now))
    if market.foresight is not None:
        await market.foresight.keep(session, job, project, spec, offer, user=user)


async def foretell_moved(
    session: AsyncSession, row: AnyRow, place: tuple[CentreName, str], *, market: Market, now: datetime
) -> None:
    """Of a job that is handed over to this place. What was said of it elsewhere stays as it was. Of a place that is not
    on the market any more, or does not fit, less is known or nothing, and less is written."""
    offer = await _offer_at(session, row, place, market)
    if offer is not None:
        spec, project, user = read_spec(row.spec, row.script), ProjectId(row.project_id), UserId(row.user_id)
        await foretell(session, JobId(row.id), project, spec, offer, user=user, market=market, now=now)


async def foretell_drawn(
    session: AsyncSession, row: AnyRow, place: tuple[CentreName, str], *, market: Market, since: datetime
) -> None:
    """Of a job that was kept back and is handed over to this place: its run and its cost there, and the wait that was
    foretold when it was accepted. Nothing is kept to learn from: it waited for all centres, and not for this one."""
    offer, said = await _offer_at(session, row, place, market), await store_forecasts.last(session, JobId(row.id))
    if offer is not None and offer.prediction is not None and offer.cost is not None and said is not None:
        wait = {"wait_p50_seconds": said.wait_p50_seconds, "wait_p90_seconds": said.wait_p90_seconds}
        await store_forecasts.add(session, forecast_values(JobId(row.id), offer, since) | wait)


async def _offer_at(session: AsyncSession, row: AnyRow, place: tuple[CentreName, str], market: Market) -> Offer | None:
    spec, project, user = read_spec(row.spec, row.script), ProjectId(row.project_id), UserId(row.user_id)
    customer = await customer_of(session, project, market)
    wanted = need_elsewhere(spec, customer, market)
    found = foreseen(wanted, offers(market, spec, customer), spec, customer=customer, user=user, market=market)
    return next((one for one in found if (one.centre, one.queue) == place), None)


def forecast_values(job: JobId, offer: Offer, now: datetime) -> dict[str, object]:
    """What was expected of the job at this offer, to be held against what comes. The wait begins when it is sent there,
    so the way of its files is part of it; a begun second counts as a whole one. ValueError where nothing was."""
    if offer.prediction is None or offer.cost is None:
        raise ValueError("nothing is foreseen of this offer")
    wait, run = Quantiles(offer.moving, offer.moving) + offer.prediction.wait, offer.prediction.run
    times = {"wait_p50": wait.p50, "wait_p90": wait.p90, "run_p50": run.p50, "run_p90": run.p90}
    return {
        "job_id": job,
        "made_at": now,
        "centre": offer.centre,
        "queue": offer.queue,
        **{f"{name}_seconds": -(-time // timedelta(seconds=1)) for name, time in times.items()},
        "cost_p50_micro": offer.cost.p50.micro,
        "cost_p90_micro": offer.cost.p90.micro,
        "model": offer.prediction.model,
    }
