"""Jobs whose money is reserved a slice at a time, and how the landing of one stands whose money ends."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base
from paracloud.metering.tables import COUNTS


class FundsRow(Base):
    """As it was agreed when the job was accepted; a job whose whole time limit is held has none, but for
    one that was accepted on dedicated nodes (`dedication_id`), for which nothing is held at first. `cores` to
    `resources` are the most that one task can be given. `held_seconds`: so long each task may run on what is held,
    `overrun_seconds` for the centre's kill not counted. `running_since`: the run that began first of those that run.

    The database knows the order too: no job is stopped that was not warned and signalled before."""

    __tablename__ = "job_funds"
    __table_args__ = (
        CheckConstraint("cores > 0 AND nodes >= 0 AND gpus >= 0 AND memory_bytes >= 0", name="size"),
        CheckConstraint(COUNTS.format("resources"), name="resources"),
        CheckConstraint("slice_seconds > 0 AND grace_seconds >= 0 AND overrun_seconds >= 0", name="agreed"),
        CheckConstraint("held_seconds > 0 OR (held_seconds = 0 AND dedication_id IS NOT NULL)", name="held"),
        CheckConstraint("signalled_at IS NULL OR warned_at IS NOT NULL", name="warned"),
        CheckConstraint("(signalled_at IS NULL) = (stop_at IS NULL)", name="signalled"),
        CheckConstraint("stopping_at IS NULL OR signalled_at IS NOT NULL", name="stopping"),
    )
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    cores: Mapped[int]
    nodes: Mapped[int]
    gpus: Mapped[int]
    memory_bytes: Mapped[int]
    resources: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    slice_seconds: Mapped[int]
    grace_seconds: Mapped[int]
    overrun_seconds: Mapped[int]
    signal: Mapped[str]
    held_seconds: Mapped[int]
    running_since: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    signalled_at: Mapped[datetime | None]
    stop_at: Mapped[datetime | None]
    stopping_at: Mapped[datetime | None]
    dedication_id: Mapped[UUID | None] = mapped_column(ForeignKey("dedications.id"))
