"""How what was expected of jobs compares with what came, counted by the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, exists, extract, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.moving import MoveStep
from paracloud.jobs.state import FINAL
from paracloud.jobs.store_experience import RAN
from paracloud.jobs.tables import DRAWN_AFTER, PLACED_AT, AnyRow, DependencyRow, JobRow, TaskRow, is_in
from paracloud.jobs.tables_forecasts import ForecastRow
from paracloud.jobs.tables_moves import MoveRow
from paracloud.kit.identifiers import CentreName

KINDS = ("wait", "run", "cost")


async def counted(
    session: AsyncSession, *, since: datetime, now: datetime, centre: CentreName | None
) -> Sequence[AnyRow]:
    """By centre: of each kind how many came (`_count`), of how many P90 held (`_held`), and half of the ratios of what
    came to P50 (`_ratio`, None of none); and how many still wait past their P90 (`overdue`). Of each job the last
    forecast counts. What its user or another job kept waiting is no wait."""
    last = (
        select(*ForecastRow.__table__.columns)
        .ext(distinct_on(ForecastRow.job_id))
        .order_by(ForecastRow.job_id, ForecastRow.made_at.desc())
        .where(ForecastRow.made_at >= since)
        .subquery()
    )
    is_free = ~JobRow.starts_held & ~exists().where(DependencyRow.job_id == JobRow.id)
    has_started = and_(is_free, JobRow.started_at >= last.c.made_at)
    mean = select(func.avg(TaskRow.elapsed_seconds)).where(TaskRow.job_id == JobRow.id).scalar_subquery()
    waited = _seconds(JobRow.started_at, last.c.made_at)
    came = {
        "wait": case((has_started, waited)),
        "run": case((is_in(RAN), mean)),
        "cost": case((is_in(RAN), JobRow.charged_micro)),
    }
    expected = {
        "wait": (last.c.wait_p50_seconds, last.c.wait_p90_seconds),
        "run": (last.c.run_p50_seconds, last.c.run_p90_seconds),
        "cost": (last.c.cost_p50_micro, last.c.cost_p90_micro),
    }
    is_late = _seconds(now, last.c.made_at) > last.c.wait_p90_seconds
    waits_on = and_(is_free, JobRow.started_at.is_(None), ~is_in(FINAL), is_late)
    columns: list[ColumnElement[Any]] = [last.c.centre, func.count().filter(waits_on).label("overdue")]
    for kind in KINDS:
        columns += _compared(kind, came[kind], *expected[kind])
    query = select(*columns).join(JobRow, JobRow.id == last.c.job_id).group_by(last.c.centre).order_by(last.c.centre)
    query = query.where(last.c.made_at >= PLACED_AT)  # before, it was said of another place
    if centre is not None:
        query = query.where(last.c.centre == centre)
    return (await session.execute(query)).all()


async def left_late(session: AsyncSession, *, since: datetime, centre: CentreName | None) -> dict[CentreName, int]:
    """By centre: jobs that were moved away from it when they had waited longer than P90."""
    said = (
        select(ForecastRow.centre, ForecastRow.made_at, ForecastRow.wait_p90_seconds)
        .where(ForecastRow.job_id == MoveRow.job_id, ForecastRow.made_at < MoveRow.ended_at)
        .order_by(ForecastRow.made_at.desc())
        .limit(1)
        .lateral()
    )
    query = (
        select(said.c.centre, func.count())
        .join_from(MoveRow, said, said.c.centre == MoveRow.from_centre)
        .join(JobRow, JobRow.id == MoveRow.job_id)
        .where(MoveRow.step == MoveStep.MOVED, ~JobRow.starts_held, said.c.made_at >= since)
        .where(_seconds(MoveRow.ended_at, said.c.made_at) > said.c.wait_p90_seconds)
        .where(JobRow.moved_at != JobRow.accepted_at + DRAWN_AFTER)  # of one that was drawn the promise stands
        .group_by(said.c.centre)
    )
    if centre is not None:
        query = query.where(said.c.centre == centre)
    return {CentreName(at): count for at, count in (await session.execute(query)).all()}


def _compared(
    kind: str, came: ColumnElement[Any], p50: ColumnElement[int], p90: ColumnElement[int]
) -> list[ColumnElement[Any]]:
    """Seconds and prices are whole: below one, a ratio says nothing."""
    ratio = cast(came, Float) / cast(func.greatest(p50, 1), Float)
    half = func.percentile_cont(0.5).within_group(ratio)
    return [
        func.count(came).label(f"{kind}_count"),
        func.count().filter(came <= p90).label(f"{kind}_held"),
        half.label(f"{kind}_ratio"),
    ]


def _seconds(end: ColumnElement[Any] | datetime | Any, start: ColumnElement[datetime]) -> ColumnElement[Any]:  # noqa: ANN401  # a column of the model
    return func.floor(extract("epoch", end - start))
