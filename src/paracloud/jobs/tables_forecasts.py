"""What was expected of a job at the place that it was sent to: kept, to be held against what came."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class ForecastRow(Base):
    """One for each place that the job was sent to, made when that was decided; append-only. Seconds, and the currency
    of the job's own price."""

    __tablename__ = "job_forecasts"
    __table_args__ = (
        CheckConstraint("0 <= wait_p50_seconds AND wait_p50_seconds <= wait_p90_seconds", name="wait"),
        CheckConstraint("0 <= run_p50_seconds AND run_p50_seconds <= run_p90_seconds", name="run"),
        CheckConstraint("0 <= cost_p50_micro AND cost_p50_micro <= cost_p90_micro", name="cost"),
        CheckConstraint("model <> ''", name="model"),
    )
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    made_at: Mapped[datetime] = mapped_column(primary_key=True)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    queue: Mapped[str]
    wait_p50_seconds: Mapped[int]
    wait_p90_seconds: Mapped[int]
    run_p50_seconds: Mapped[int]
    run_p90_seconds: Mapped[int]
    cost_p50_micro: Mapped[int]
    cost_p90_micro: Mapped[int]
    model: Mapped[str]
