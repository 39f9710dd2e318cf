"""Jobs, what they wait for, their ended tasks, and every move they ever made.

The indexes follow the worker's questions, each over the few rows that it is about: what is to be dispatched, what is
live, what is wished. A finished job is in none of them.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    Row,
    case,
    false,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.jobs.state import AT_CENTRE, BEFORE_CENTRE, FINAL, JobState
from paracloud.kit.database import Base

AnyRow = Row[*tuple[Any, ...]]
"""A row of chosen columns, read by their names."""


def _in(column: str, states: frozenset[JobState]) -> str:
    return f"{column} IN ({', '.join(repr(state.value) for state in JobState if state in states)})"


_ALL = frozenset(JobState)


class JobRow(Base):
    """`spec` is the wish as it was accepted, without the script; nothing is ever looked up in it. `tasks` counts an
    array's tasks (1 otherwise), `cores` and `gpus` are those of one task. `retry_at`: not to be intended before.
    `moves`: how often it was moved to another centre, which its name there tells; `moved_at`: when it was handed over
    to the one where it is; `movable`: it may be moved, as long as it waits. `kept`: as long as nothing was sent to its
    centre, it waits here for the first queue that has room (see `draw`). `cores_taken`: of its queue, by one task; null
    where that is not known."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(_in("state", _ALL), name="state"),
        CheckConstraint(f"({_in('state', FINAL)}) = (ended_at IS NOT NULL)", name="final"),
        CheckConstraint(f"native_id IS NOT NULL OR NOT ({_in('state', AT_CENTRE)})", name="native_id"),
        CheckConstraint("wish IN ('cancel', 'hold', 'release', 'signal')", name="wish"),
        CheckConstraint(f"wish IS NULL OR NOT ({_in('state', FINAL)})", name="wish_open"),
        CheckConstraint("tasks > 0 AND tasks_ended BETWEEN 0 AND tasks", name="tasks"),
        CheckConstraint("cores > 0 AND gpus >= 0 AND wall_limit_seconds > 0 AND tries >= 0", name="size"),
        CheckConstraint("held_micro >= 0", name="held"),
        CheckConstraint("moves BETWEEN 0 AND 8", name="moves"),
        CheckConstraint("cores_taken > 0", name="taken"),
        CheckConstraint("(moves = 0) = (moved_at IS NULL)", name="moved"),
        Index("ix_jobs_page", "project_id", text("id DESC")),
        Index("ix_jobs_intended", "centre", "id", postgresql_where=text(_in("state", BEFORE_CENTRE))),
        Index("ix_jobs_live", "centre", "id", postgresql_where=text(_in("state", AT_CENTRE))),
        Index("ix_jobs_kept", "id", postgresql_where=text("kept AND state = 'accepted'")),
        Index("ix_jobs_wished", "centre", postgresql_where=text("wish IS NOT NULL")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    account: Mapped[str]
    queue: Mapped[str]
    name: Mapped[str]
    script: Mapped[str]
    spec: Mapped[dict[str, Any]] = mapped_column(JSONB)
    array: Mapped[str | None]
    tasks: Mapped[int]
    tasks_ended: Mapped[int] = mapped_column(server_default="0")
    cores: Mapped[int]
    gpus: Mapped[int]
    wall_limit_seconds: Mapped[int]
    why_en: Mapped[str]
    why_zh: Mapped[str]
    price_version_id: Mapped[UUID] = mapped_column(ForeignKey("price_versions.id"))
    currency: Mapped[str]
    held_micro: Mapped[int]
    charged_micro: Mapped[int] = mapped_column(server_default="0")
    state: Mapped[str]
    native_id: Mapped[str | None]
    native_state: Mapped[str] = mapped_column(server_default="")
    reason: Mapped[str] = mapped_column(server_default="")
    node_list: Mapped[str] = mapped_column(server_default="")
    starts_held: Mapped[bool]
    wish: Mapped[str | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    exit_code: Mapped[int | None]
    exit_signal: Mapped[int | None]
    accepted_at: Mapped[datetime]
    retry_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    absent_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    moves: Mapped[int] = mapped_column(server_default="0")
    movable: Mapped[bool] = mapped_column(server_default=false())
    moved_at: Mapped[datetime | None]
    kept: Mapped[bool] = mapped_column(server_default=false())
    cores_taken: Mapped[int | None]


PLACED_AT = func.coalesce(JobRow.moved_at, JobRow.accepted_at)
"""When a job came to the place where it is: its wait there begins then. One that was kept back waits since it was
accepted, wherever it goes."""
DRAWN_AFTER = timedelta(microseconds=1)
"""So much later it came to the place that it was drawn to: what was foretold of another is of before."""
WAITS_SINCE = case((JobRow.spec.has_key("inputs"), func.coalesce(JobRow.submitted_at, PLACED_AT)), else_=PLACED_AT)
"""From when on the queue keeps it waiting. Until its files have come, their way does, which is foretold apart."""


def is_in(states: frozenset[JobState]) -> ColumnElement[bool]:
    """The states as literals, not parameters: only so does the planner see that a partial index fits."""
    return JobRow.state.in_([literal_column(f"'{state}'") for state in JobState if state in states])


class DependencyRow(Base):
    __tablename__ = "job_dependencies"
    __table_args__ = (
        CheckConstraint("kind IN ('after', 'afterok', 'afternotok', 'afterany')", name="kind"),
        CheckConstraint("job_id <> needs_job_id", name="other"),
    )
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    needs_job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)


class TaskRow(Base):
    """One ended task, as its newest accounting record says; `task_index` is 0 where the job is no array."""

    __tablename__ = "job_tasks"
    __table_args__ = (
        CheckConstraint("state IN ('completed', 'failed', 'cancelled', 'timeout')", name="state"),
        CheckConstraint("task_index >= 0 AND elapsed_seconds >= 0 AND core_seconds >= 0", name="size"),
    )
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    task_index: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[str]
    restart_count: Mapped[int]
    state: Mapped[str]
    native_state: Mapped[str]
    exit_code: Mapped[int]
    exit_signal: Mapped[int]
    submitted_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime]
    elapsed_seconds: Mapped[int]
    core_seconds: Mapped[int]
    node_list: Mapped[str]


class EventRow(Base):
    """Append-only: the database refuses to change or remove one."""

    __tablename__ = "job_events"
    __table_args__ = (
        CheckConstraint(_in("to_state", _ALL), name="to_state"),
        Index("ix_job_events_job", "job_id", "id"),
    )
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"))
    at: Mapped[datetime]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    native_state: Mapped[str] = mapped_column(server_default="")
    reason: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")


class WindowRow(Base):
    """Up to where a centre's accounting was read and settled."""

    __tablename__ = "accounting_windows"
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"), primary_key=True)
    read_until: Mapped[datetime]
