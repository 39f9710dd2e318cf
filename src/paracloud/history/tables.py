"""Imports of old accounting logs, and the lines of them that could not be read (append-only)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class ImportRow(Base):
    """`done` counts the records that are stored: where whoever claims it next goes on. `claim` is that worker's, until
    `claimed_until`."""

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'checking', 'storing', 'done', 'refused')", name="state"),
        CheckConstraint("by IN ('user', 'account')", name="by"),
        Index("ix_imports_open", "created_at", postgresql_where=text("state NOT IN ('done', 'refused')")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    name: Mapped[str]
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    format: Mapped[str]
    person: Mapped[str]
    by: Mapped[str]
    """Whether `owners` maps the log's users or its accounts to projects."""
    owners: Mapped[dict[str, str]] = mapped_column(JSONB(none_as_null=True))
    accept_faults: Mapped[bool]
    leave_out: Mapped[bool]
    """Records of nobody's are left out, counted by name; otherwise they refuse the import."""
    state: Mapped[str]
    lines: Mapped[int] = mapped_column(server_default="0")
    records: Mapped[int] = mapped_column(server_default="0")
    done: Mapped[int] = mapped_column(server_default="0")
    new: Mapped[int] = mapped_column(server_default="0")
    corrected: Mapped[int] = mapped_column(server_default="0")
    known: Mapped[int] = mapped_column(server_default="0")
    unrated: Mapped[int] = mapped_column(server_default="0")
    faults: Mapped[int] = mapped_column(server_default="0")
    left_out: Mapped[dict[str, int]] = mapped_column(JSONB(none_as_null=True), server_default="{}")
    unmapped: Mapped[dict[str, list[int]]] = mapped_column(JSONB(none_as_null=True), server_default="{}")
    reason_en: Mapped[str | None]
    reason_zh: Mapped[str | None]
    earliest: Mapped[datetime | None]
    latest: Mapped[datetime | None]
    """When the first and the last of what is stored ended."""
    reconciled_at: Mapped[datetime | None]
    """When the days of the log were last held against what was taken in."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    crashes: Mapped[int] = mapped_column(server_default="0")
    """Tries that ended with an error of our own, since the last batch."""
    claim: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]


class FaultRow(Base):
    __tablename__ = "import_faults"
    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason_en: Mapped[str]
    reason_zh: Mapped[str]
    text: Mapped[str]
