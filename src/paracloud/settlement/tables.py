"""Statements to centres, what they dispute, and who speaks for a centre.

What was stated stays (trigger of migration 0012_settlement): only its state goes on, and answered disputes adjust it.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class CentrePersonRow(Base):
    __tablename__ = "centre_people"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"), primary_key=True)


class SettlementRow(Base):
    """What a centre is due for a closed month: its share of every charge, what its contracts add for the month, its
    part of the fees of dedicated nodes, and what disputes adjusted."""

    __tablename__ = "settlements"
    __table_args__ = (
        UniqueConstraint("centre", "period", "currency", name="uq_settlements_centre"),
        CheckConstraint("state IN ('stated', 'disputed', 'confirmed', 'paid')", name="state"),
        CheckConstraint(
            "(state = 'paid') = (payment IS NOT NULL)"
            " AND (state IN ('confirmed', 'paid')) = (confirmed_at IS NOT NULL)",
            name="steps",
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    period: Mapped[date] = mapped_column(ForeignKey("billing_periods.period"))
    currency: Mapped[str]
    state: Mapped[str]
    charges: Mapped[int]
    gross_micro: Mapped[int] = mapped_column(server_default="0")
    share_micro: Mapped[int] = mapped_column(server_default="0")
    tiers_micro: Mapped[int] = mapped_column(server_default="0")
    minimum_micro: Mapped[int] = mapped_column(server_default="0")
    fixed_micro: Mapped[int] = mapped_column(server_default="0")
    fees_micro: Mapped[int] = mapped_column(server_default="0")
    adjusted_micro: Mapped[int] = mapped_column(server_default="0")
    stated_by: Mapped[str]
    stated_at: Mapped[datetime]
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    paid_by: Mapped[str | None]
    paid_at: Mapped[datetime | None]
    payment: Mapped[str | None] = mapped_column(unique=True)


class ContractSumsRow(Base):
    """What one contract has of a statement, so that its centre can reckon it again. `late_…` is what of the charges
    corrects or takes back earlier months. Append-only."""

    __tablename__ = "settlement_contracts"
    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("settlements.id"), primary_key=True)
    contract_id: Mapped[UUID] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    charges: Mapped[int]
    gross_micro: Mapped[int]
    share_micro: Mapped[int]
    late_gross_micro: Mapped[int]
    late_share_micro: Mapped[int]
    owner_micro: Mapped[int]
    tiers_micro: Mapped[int]
    minimum_micro: Mapped[int]
    fixed_micro: Mapped[int]


class DisputeRow(Base):
    """A line (one usage) that the centre does not accept, or, without one, what is on no line; `adjusted_micro` is what
    the answer gave it."""

    __tablename__ = "disputes"
    __table_args__ = (
        UniqueConstraint("settlement_id", "usage_id", name="uq_disputes_settlement_id"),
        CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)", name="answer"
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("settlements.id"), index=True)
    usage_id: Mapped[UUID | None] = mapped_column(ForeignKey("usage.id"))
    reason: Mapped[str]
    person: Mapped[str]
    opened_at: Mapped[datetime]
    adjusted_micro: Mapped[int] = mapped_column(server_default="0")
    answer: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]
