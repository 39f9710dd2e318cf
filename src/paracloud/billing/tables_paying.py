"""Ways to pay besides the wallet, and limits: packages and credits, dedicated nodes, credit lines, budgets.

The database keeps what was agreed by triggers (migration 0010_price_book): of a package only the use changes, of
dedicated nodes and of a budget only the end; what a package paid is append-only.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class PackageRow(Base):
    """Core-hours or card-hours bought in advance, counted in seconds, or a trial credit, counted in micro-units of the
    currency and given for nothing. `reserved` waits for jobs that were accepted before it expired."""

    __tablename__ = "packages"
    __table_args__ = (
        CheckConstraint("unit IN ('core-second', 'card-second', 'micro')", name="unit"),
        CheckConstraint("total > 0 AND price_micro >= 0", name="size"),
        CheckConstraint("unit <> 'micro' OR price_micro = 0", name="credit"),
        CheckConstraint("used >= 0 AND reserved >= 0 AND used + reserved <= total", name="within"),
        CheckConstraint("expires_at > valid_from", name="validity"),
        CheckConstraint("queue IS NULL OR centre IS NOT NULL", name="place"),
        CheckConstraint("closed_at IS NULL OR reserved = 0", name="closed"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    name: Mapped[str]
    unit: Mapped[str]
    total: Mapped[int]
    used: Mapped[int] = mapped_column(server_default="0")
    reserved: Mapped[int] = mapped_column(server_default="0")
    price_micro: Mapped[int]
    currency: Mapped[str]
    product_line: Mapped[str | None]
    centre: Mapped[str | None] = mapped_column(ForeignKey("centres.name"))
    queue: Mapped[str | None]
    valid_from: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ReservationRow(Base):
    """Units of a package that wait for one job's charges."""

    __tablename__ = "package_reservations"
    __table_args__ = (CheckConstraint("units >= 0", name="units"),)
    reference: Mapped[str] = mapped_column(primary_key=True)
    package_id: Mapped[UUID] = mapped_column(ForeignKey("packages.id"), primary_key=True)
    units: Mapped[int]


class PackageUseRow(Base):
    """What one charge took from a package (negative: gave back): units, and the part of its price that its account gave
    for them. What a closed one would get back is returned to the wallet."""

    __tablename__ = "package_uses"
    __table_args__ = (
        CheckConstraint("units <> 0", name="units"),
        CheckConstraint("returned_micro = 0 OR (returned_micro < 0 AND units < 0 AND micro = 0)", name="returned"),
        Index("ix_package_uses_package_id", "package_id"),
    )
    usage_id: Mapped[UUID] = mapped_column(ForeignKey("usage.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_reversal: Mapped[bool] = mapped_column(primary_key=True, autoincrement=False)
    package_id: Mapped[UUID] = mapped_column(ForeignKey("packages.id"), primary_key=True)
    units: Mapped[int]
    micro: Mapped[int]
    returned_micro: Mapped[int] = mapped_column(server_default="0")


class DedicationRow(Base):
    """Nodes of a queue that are one project's alone, for a fee by the month; what runs there costs nothing more."""

    __tablename__ = "dedications"
    __table_args__ = (
        CheckConstraint("nodes > 0 AND monthly_micro >= 0", name="size"),
        CheckConstraint("share_basis_points BETWEEN 0 AND 10000", name="share"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity"),
        CheckConstraint("ended_by IS NULL OR valid_to IS NOT NULL", name="ended"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    queue: Mapped[str]
    nodes: Mapped[int]
    monthly_micro: Mapped[int]
    share_basis_points: Mapped[int]
    currency: Mapped[str]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    created_at: Mapped[datetime | None]
    """None, as `created_by`, where it was agreed before this was kept."""
    created_by: Mapped[str | None]
    ended_by: Mapped[str | None]
    """Who set its end last; nobody where it lapsed."""


class FundingRow(Base):
    """How a project pays: its credit line, and what happens to running jobs when its money ends."""

    __tablename__ = "funding"
    __table_args__ = (
        CheckConstraint("credit_line_micro >= 0 AND grace_seconds >= 0", name="not_negative"),
        CheckConstraint("hold_seconds IS NULL OR hold_seconds >= 60", name="hold"),
    )
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    credit_line_micro: Mapped[int] = mapped_column(server_default="0")
    currency: Mapped[str]
    hold_seconds: Mapped[int | None]
    """Of a job's time limit, how much is held for at once; None: all of it."""
    warn_micro: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    checkpoint_signal: Mapped[str] = mapped_column(server_default="USR1")
    grace_seconds: Mapped[int] = mapped_column(server_default="600")


class BudgetRow(Base):
    """The most that an organisation, a project, or a user within a project is to spend, in a month or at all."""

    __tablename__ = "budgets"
    __table_args__ = (
        CheckConstraint("(organisation_id IS NULL) <> (project_id IS NULL)", name="one_payer"),
        CheckConstraint("user_id IS NULL OR project_id IS NOT NULL", name="user"),
        CheckConstraint("amount_micro >= 0", name="amount"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity"),
        CheckConstraint("ended_by IS NULL OR valid_to IS NOT NULL", name="ended"),
        CheckConstraint("NOT is_owners OR user_id IS NOT NULL", name="owners"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id"), index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    amount_micro: Mapped[int]
    currency: Mapped[str]
    is_monthly: Mapped[bool]
    is_hard: Mapped[bool]
    """A hard one refuses what could exceed it; a soft one only tells."""
    warn_percent: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{80,100}'"))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    is_owners: Mapped[bool] = mapped_column(server_default=false())
    """Set by an owner of the project, who may end it too; otherwise the operator's."""
    created_at: Mapped[datetime | None]
    """None, as `created_by`, where it was set before this was kept."""
    created_by: Mapped[str | None]
    ended_by: Mapped[str | None]
