"""Usage with its newest figures, and every revision that the centre ever reported or a person had charged anew
(append-only)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base

COUNTS = """jsonb_typeof({0}) = 'object' AND NOT jsonb_path_exists({0}, '$.* ? (@.type() <> "number" || @ < 0)')"""
"""Of a column that holds how many of each resource there were, by name."""


class UsageRow(Base):
    __tablename__ = "usage"
    __table_args__ = (
        UniqueConstraint("centre", "record_id", "submitted_at", "restart_count"),
        CheckConstraint("elapsed_seconds >= 0 AND cores >= 0 AND nodes >= 0 AND gpus >= 0", name="not_negative"),
        CheckConstraint(COUNTS.format("resources"), name="resources"),
        CheckConstraint("revision > 0", name="revision"),
        CheckConstraint("reference IS NULL OR NOT is_duplicate", name="duplicate"),
        Index("ix_usage_project_id_ended_at", "project_id", "ended_at"),
        Index("ix_usage_centre_ended_at", "centre", "ended_at"),
        Index("ix_usage_reference", "reference", postgresql_where=text("reference IS NOT NULL")),
        Index("ix_usage_duplicates", "centre", "name", postgresql_where=text("is_duplicate")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    centre: Mapped[str]
    record_id: Mapped[str]
    submitted_at: Mapped[datetime]
    restart_count: Mapped[int]
    revision: Mapped[int]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    account: Mapped[str]
    reference: Mapped[str | None]
    is_duplicate: Mapped[bool]
    native_id: Mapped[str]
    task_index: Mapped[int | None]
    name: Mapped[str]
    queue: Mapped[str]
    qos: Mapped[str] = mapped_column(server_default="")
    phase: Mapped[str]
    native_state: Mapped[str]
    exit_code: Mapped[int]
    exit_signal: Mapped[int]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime]
    elapsed_seconds: Mapped[int]
    cores: Mapped[int]
    nodes: Mapped[int]
    gpus: Mapped[int]
    memory_bytes: Mapped[int]
    node_list: Mapped[str]
    resources: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    unsaid: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")


class RevisionRow(Base):
    """The centre's row as it came, for whoever doubts a bill."""

    __tablename__ = "usage_revisions"
    usage_id: Mapped[UUID] = mapped_column(ForeignKey("usage.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    measured: Mapped[dict[str, object]] = mapped_column(JSONB)
    raw: Mapped[str]
    collected_at: Mapped[datetime]


class StrangerRow(Base):
    """Usage that a centre reported for an account that is nobody's of ours: it bills nobody. The newest per account,
    with a count, so that a hostile centre fills no disk."""

    __tablename__ = "usage_strangers"
    centre: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    records: Mapped[int]
    raw: Mapped[str]
    seen_at: Mapped[datetime]
