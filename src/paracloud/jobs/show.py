"""What a caller may see of jobs: only those of the own projects; anything else does not exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity.caller import Caller
from paracloud.jobs import store, store_forecasts
from paracloud.jobs.moving import Leaving
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow, EventRow, TaskRow
from paracloud.jobs.tables_forecasts import ForecastRow
from paracloud.jobs.written import read_spec
from paracloud.kit.errors import Invalid, NotFound
from paracloud.kit.identifiers import CentreName, JobId, NativeId, ProjectId, UnixAccount, UserId
from paracloud.kit.money import Money
from paracloud.placement.prediction import Costs, Quantiles

PAGE_MOST = 200
TASKS_MOST = 1000
EVENTS_MOST = 1000


@dataclass(frozen=True, slots=True)
class JobSummary:
    """One line of a list. `cores` and `gpus` are those of one task; `wish`: what was asked for and is not done yet;
    `leaving`: while it moves to another centre, or is held for that."""

    job: JobId
    project: ProjectId
    user: UserId
    name: str
    centre: CentreName
    queue: str
    account: UnixAccount
    state: JobState
    native_id: NativeId | None
    native_state: str
    reason: str
    wish: str | None
    array: str | None
    tasks: int
    tasks_ended: int
    cores: int
    gpus: int
    wall_limit: timedelta
    node_list: str
    held: Money
    charged: Money
    why_en: str
    why_zh: str
    exit_code: int | None
    exit_signal: int | None
    accepted_at: datetime
    submitted_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    moves: int
    leaving: Leaving | None


@dataclass(frozen=True, slots=True)
class JobEvent:
    at: datetime
    from_state: JobState | None
    to_state: JobState
    native_state: str
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class JobTask:
    """An ended task."""

    task_index: int
    record_id: NativeId
    state: JobState
    native_state: str
    exit_code: int
    exit_signal: int
    started_at: datetime | None
    ended_at: datetime
    core_seconds: int
    node_list: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was expected of a job where it was sent to; the wait is from `made_at` on, the way of its files included."""

    made_at: datetime
    centre: CentreName
    queue: str
    wait: Quantiles
    run: Quantiles
    cost: Costs
    model: str


@dataclass(frozen=True, slots=True)
class JobDetail:
    """`forecast` is the newest; None where nobody foresaw anything. `events` are the latest ones, in their order;
    `tasks` the first TASKS_MOST that ended, by index."""

    summary: JobSummary
    spec: JobSpec
    events: tuple[JobEvent, ...]
    tasks: tuple[JobTask, ...]
    forecast: Forecast | None


async def show(session: AsyncSession, caller: Caller, job: JobId) -> JobDetail:
    """NotFound for a job that is not there or not the caller's: the two look alike."""
    row = await store.summary(session, job, caller.reads())
    if row is None:
        raise no_such_job()
    events = [_event(one) for one in await store.events(session, job, limit=EVENTS_MOST)]
    done = tuple(await tasks(session, caller, job, row=row))
    newest = await store_forecasts.newest(session, job)
    forecast = None if newest is None else _forecast(newest, row.currency)
    leaving = await store.leaving(session, [job])
    return JobDetail(_summary(row, leaving), read_spec(row.spec, row.script), tuple(events), done, forecast)


async def whose(session: AsyncSession, job: JobId) -> tuple[ProjectId, str]:
    """Any job's project and currency, for the operator. NotFound."""
    found = await store.whose(session, job)
    if found is None:
        raise no_such_job()
    return found


async def tasks(
    session: AsyncSession, caller: Caller, job: JobId, *, after: int = -1, row: AnyRow | None = None
) -> list[JobTask]:
    """Ended tasks of an array with an index above `after`, TASKS_MOST at most."""
    if row is None and await store.summary(session, job, caller.reads()) is None:
        raise no_such_job()
    return [_task(one) for one in await store.tasks(session, job, after=after, limit=TASKS_MOST)]


async def list_jobs(
    session: AsyncSession,
    caller: Caller,
    *,
    project: ProjectId | None = None,
    states: Sequence[JobState] = (),
    before: JobId | None = None,
    limit: int = 50,
) -> list[JobSummary]:
    """Newest first. The next page is before the last id of this one; it is the last page where it is shorter than
    `limit`, which is 1 to PAGE_MOST."""
    if not 1 <= limit <= PAGE_MOST:
        raise Invalid(f"limit must be 1 to {PAGE_MOST}.", f"limit 必须是 1 到 {PAGE_MOST}。", field="limit")
    projects = caller.reads()
    if project is not None:
        caller.require_reader(project)
        projects = [project]
    rows = await store.page(session, projects, before=before, limit=limit, states=states)
    leaving = await store.leaving(session, [JobId(row.id) for row in rows])
    return [_summary(row, leaving) for row in rows]


def no_such_job() -> NotFound:
    return NotFound(
        "There is no such job, or it is not yours; `ps` lists yours.", "作业不存在或不属于您；可用 ps 查看您的作业。"
    )


_SAME = (
    "name", "queue", "native_state", "reason", "wish", "array", "tasks", "tasks_ended", "cores", "gpus", "node_list",
    "why_en", "why_zh", "exit_code", "exit_signal", "accepted_at", "submitted_at", "started_at", "ended_at", "moves",
)  # fmt: skip


def _summary(row: AnyRow, leaving: Mapping[JobId, Leaving]) -> JobSummary:
    same: dict[str, Any] = {name: getattr(row, name) for name in _SAME}
    return JobSummary(
        job=JobId(row.id),
        project=ProjectId(row.project_id),
        user=UserId(row.user_id),
        centre=CentreName(row.centre),
        account=UnixAccount(row.account),
        state=JobState(row.state),
        native_id=NativeId(row.native_id) if row.native_id is not None else None,
        wall_limit=timedelta(seconds=row.wall_limit_seconds),
        held=Money(row.held_micro, row.currency),
        charged=Money(row.charged_micro, row.currency),
        leaving=leaving.get(JobId(row.id)),
        **same,
    )


def _event(row: EventRow) -> JobEvent:
    before = JobState(row.from_state) if row.from_state is not None else None
    return JobEvent(row.at, before, JobState(row.to_state), row.native_state, row.reason, row.note)


def _forecast(row: ForecastRow, currency: str) -> Forecast:
    wait, run = (
        Quantiles(timedelta(seconds=p50), timedelta(seconds=p90))
        for p50, p90 in (
            (row.wait_p50_seconds, row.wait_p90_seconds),
            (row.run_p50_seconds, row.run_p90_seconds),
        )
    )
    cost = Costs(Money(row.cost_p50_micro, currency), Money(row.cost_p90_micro, currency))
    return Forecast(row.made_at, CentreName(row.centre), row.queue, wait, run, cost, row.model)


def _task(row: TaskRow) -> JobTask:
    return JobTask(
        row.task_index,
        NativeId(row.record_id),
        JobState(row.state),
        row.native_state,
        row.exit_code,
        row.exit_signal,
        row.started_at,
        row.ended_at,
        row.core_seconds,
        row.node_list,
    )
