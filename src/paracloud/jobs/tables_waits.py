"""What models of waits are trained from, who trains one when, and every model that ever was. Append-only."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class WaitFeaturesRow(Base):
    """What was known of a job where and when it was placed: `placement.waits.Features` by their names."""

    __tablename__ = "wait_features"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    placed_at: Mapped[datetime] = mapped_column(primary_key=True)
    features: Mapped[dict[str, Any]] = mapped_column(JSONB)


class WaitTrainingRow(Base):
    """Who adds the day's row trains on that day (UTC), and nobody else."""

    __tablename__ = "wait_trainings"
    day: Mapped[date] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime]


class WaitModelRow(Base):
    """The newest one counts: where it `is_used`, it predicts; otherwise the plain rule does, which was as good. The
    losses and parts are those of `placement.train_waits.Scores`. `model` is JSON in the named format."""

    __tablename__ = "wait_models"
    __table_args__ = (
        CheckConstraint("jobs > 0 AND hours >= 0 AND judged > 0", name="counts"),
        CheckConstraint("loss >= 0 AND plain_loss >= 0", name="losses"),
        CheckConstraint("held BETWEEN 0 AND 1 AND plain_held BETWEEN 0 AND 1", name="held"),
        Index("ix_wait_models_newest", text("trained_at DESC")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    trained_at: Mapped[datetime]
    jobs: Mapped[int]
    hours: Mapped[int]
    judged: Mapped[int]
    loss: Mapped[Decimal]
    plain_loss: Mapped[Decimal]
    held: Mapped[Decimal]
    plain_held: Mapped[Decimal]
    is_used: Mapped[bool]
    format: Mapped[str]
    model: Mapped[str]
