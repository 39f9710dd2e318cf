"""What a person decided of single usages and packages, with the reason. Append-only."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class UsageDecisionRow(Base):
    """What a revision of a usage costs by a person's word: charged whole at a price version, or nothing."""

    __tablename__ = "usage_decisions"
    __table_args__ = (
        CheckConstraint("NOT is_carried OR price_version_id IS NULL", name="carried"),
        CheckConstraint("btrim(reason) <> ''", name="reason"),
    )
    usage_id: Mapped[UUID] = mapped_column(ForeignKey("usage.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    price_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("price_versions.id"))
    is_carried: Mapped[bool] = mapped_column(server_default=false())
    """An earlier word that it costs nothing, still true of this revision."""
    reason: Mapped[str]
    person: Mapped[str]
    decided_at: Mapped[datetime]


class PackageEndRow(Base):
    """A package or a credit that a person ended; what it had left of its price went back to the wallet."""

    __tablename__ = "package_ends"
    __table_args__ = (
        CheckConstraint("units >= 0 AND returned_micro >= 0", name="not_negative"),
        CheckConstraint("btrim(reason) <> ''", name="reason"),
    )
    package_id: Mapped[UUID] = mapped_column(ForeignKey("packages.id"), primary_key=True)
    units: Mapped[int]
    """That were not used."""
    returned_micro: Mapped[int]
    reason: Mapped[str]
    person: Mapped[str]
    ended_at: Mapped[datetime]


class FeeReversalRow(Base):
    """A fee of dedicated nodes that was taken back, and the month on whose settlement with the centre that is."""

    __tablename__ = "fee_reversals"
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entries.id"), primary_key=True)
    reversal_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entries.id"))
    period: Mapped[date] = mapped_column(index=True)
