"""Waiting jobs on their way to another centre, and all that ever were; centres that were off by a person's word."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base

_OPEN = text("ended_at IS NULL")
_LEFT = text("remains IN ('unreached', 'fenced', 'started')")


class GoneRow(Base):
    """A person's word that a centre's machines were off. Append-only."""

    __tablename__ = "gone_centres"
    __table_args__ = (
        CheckConstraint("person <> '' AND reason <> ''", name="word"),
        Index("ix_gone_centres_centre", "centre", "id"),
    )
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    person: Mapped[str]
    reason: Mapped[str]
    said_at: Mapped[datetime]


class MoveRow(Base):
    """One try to move a job, by its step (`jobs/moving.py`); the newest without an end is under way. `attempt` is the
    one that was, or is to be, left: with `from_account` it says under which name the centre knew the job. `to_account`
    and the price are known once the place is taken. `why`: what it moves for; `end`: why it stayed. Of an attempt that
    was given up: by which word (`gone_id`), and what `remains` of it (`jobs/given_up.py`)."""

    __tablename__ = "job_moves"
    __table_args__ = (
        CheckConstraint("step IN ('holding', 'leaving', 'cancelling', 'releasing', 'moved', 'stayed')", name="step"),
        CheckConstraint("(step IN ('moved', 'stayed')) = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint(
            "step NOT IN ('leaving', 'cancelling', 'moved') OR (to_account IS NOT NULL"
            " AND to_price_version_id IS NOT NULL)",
            name="place",
        ),
        CheckConstraint("from_tries >= 0 AND attempt BETWEEN 0 AND 7", name="size"),
        CheckConstraint("remains IN ('unreached', 'fenced', 'started', 'over')", name="remains"),
        CheckConstraint("(remains IS NULL) = (gone_id IS NULL)", name="gone"),
        CheckConstraint("remains IS NULL OR step = 'moved'", name="given_up"),
        Index("ix_job_moves_job", "job_id", "id"),
        Index("ix_job_moves_open", "job_id", unique=True, postgresql_where=_OPEN),
        Index("ix_job_moves_from", "from_centre", postgresql_where=_OPEN),
        Index("ix_job_moves_left", "from_centre", postgresql_where=_LEFT),
    )
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"))
    attempt: Mapped[int]
    step: Mapped[str]
    began_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    from_centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    from_queue: Mapped[str]
    from_account: Mapped[str]
    from_native_id: Mapped[str | None]
    from_tries: Mapped[int]
    to_centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    to_queue: Mapped[str]
    to_account: Mapped[str | None]
    to_price_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("price_versions.id"))
    why_en: Mapped[str]
    why_zh: Mapped[str]
    ended_at: Mapped[datetime | None]
    end_en: Mapped[str] = mapped_column(server_default="")
    end_zh: Mapped[str] = mapped_column(server_default="")
    gone_id: Mapped[int | None] = mapped_column(ForeignKey("gone_centres.id"))
    remains: Mapped[str | None]
