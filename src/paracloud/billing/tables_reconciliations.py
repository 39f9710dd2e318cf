"""What each look at a day of a centre found. Append-only."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class ReconciliationRow(Base):
    """`attempt` counts the looks at one day from 1 on: two who look at once do not both keep theirs. A reason, and no
    figures, where the centre did not tell."""

    __tablename__ = "reconciliations"
    __table_args__ = (
        CheckConstraint("attempt > 0 AND records >= 0", name="counts"),
        CheckConstraint("(reason_en IS NULL) = (reason_zh IS NULL)", name="reason"),
    )
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    looked_at: Mapped[datetime]
    records: Mapped[int]
    untold: Mapped[int] = mapped_column(server_default="0")
    """Usages of ours that the centre does not tell, and need not."""
    accounted_micro: Mapped[int]
    charged_micro: Mapped[int]
    settled_micro: Mapped[int]
    reason_en: Mapped[str | None]
    reason_zh: Mapped[str | None]


class MismatchRow(Base):
    __tablename__ = "mismatches"
    __table_args__ = (
        ForeignKeyConstraint(
            ["centre", "day", "attempt"],
            ["reconciliations.centre", "reconciliations.day", "reconciliations.attempt"],
            name="fk_mismatches_reconciliations",
        ),
    )
    centre: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cause: Mapped[str]
    record_id: Mapped[str]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    micro: Mapped[int]
    text_en: Mapped[str]
    text_zh: Mapped[str]
