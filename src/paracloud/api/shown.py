"""From the house's values to the wire's models."""

from collections.abc import Iterable

from paracloud.jobs.moving import Leaving
from paracloud.jobs.notice import Notice
from paracloud.jobs.show import Forecast, JobDetail, JobSummary
from paracloud.jobs.state import FINAL
from paracloud.kit.money import Money
from paracloud.wire.base import MoneyModel
from paracloud.wire.jobs import (
    EventModel,
    ForecastModel,
    JobDetailModel,
    JobModel,
    LeavingModel,
    NoticeModel,
    TaskModel,
)

_SAME = (
    "name", "centre", "queue", "native_id", "native_state", "reason", "wish", "array", "tasks", "tasks_ended", "cores",
    "gpus", "node_list", "exit_code", "exit_signal", "accepted_at", "submitted_at", "started_at", "ended_at",
)  # fmt: skip


def money(value: Money) -> MoneyModel:
    return MoneyModel(amount=str(value), currency=value.currency)


def notices(found: Iterable[Notice]) -> list[NoticeModel]:
    return [NoticeModel(field=one.field, en=one.en, zh=one.zh) for one in found]


def job(summary: JobSummary) -> JobModel:
    same = {name: getattr(summary, name) for name in _SAME}
    return JobModel(
        id=summary.job,
        project=summary.project,
        state=summary.state.value,
        is_final=summary.state in FINAL,
        wall_limit_seconds=int(summary.wall_limit.total_seconds()),
        held=money(summary.held),
        charged=money(summary.charged),
        leaving=None if summary.leaving is None else _leaving(summary.leaving),
        **same,
    )


def _leaving(of: Leaving) -> LeavingModel:
    return LeavingModel(centre=of.centre, queue=of.queue, stays=of.stays)


def forecast(of: Forecast) -> ForecastModel:
    return ForecastModel(
        made_at=of.made_at,
        centre=of.centre,
        queue=of.queue,
        start_p50=of.made_at + of.wait.p50,
        start_p90=of.made_at + of.wait.p90,
        finish_p50=of.made_at + of.wait.p50 + of.run.p50,
        finish_p90=of.made_at + of.wait.p90 + of.run.p90,
        cost_p50=money(of.cost.p50),
        cost_p90=money(of.cost.p90),
        model=of.model,
    )


def detail(found: JobDetail) -> JobDetailModel:
    return JobDetailModel(
        job=job(found.summary),
        forecast=None if found.forecast is None else forecast(found.forecast),
        why_en=found.summary.why_en,
        why_zh=found.summary.why_zh,
        events=[
            EventModel(
                at=one.at,
                from_state=one.from_state.value if one.from_state is not None else None,
                to_state=one.to_state.value,
                native_state=one.native_state,
                reason=one.reason,
                note=one.note,
            )
            for one in found.events
        ],
        tasks=[
            TaskModel(
                task_index=one.task_index,
                record_id=one.record_id,
                state=one.state.value,
                native_state=one.native_state,
                exit_code=one.exit_code,
                exit_signal=one.exit_signal,
                started_at=one.started_at,
                ended_at=one.ended_at,
                core_seconds=one.core_seconds,
                node_list=one.node_list,
            )
            for one in found.tasks
        ],
    )
