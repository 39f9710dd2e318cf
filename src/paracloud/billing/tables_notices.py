"""Holds that grew while their job ran, and what projects and organisations are told of their money."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class ExtensionRow(Base):
    """What was added to a hold so that it covers `until_seconds` of each task's run. Append-only."""

    __tablename__ = "hold_extensions"
    __table_args__ = (CheckConstraint("until_seconds > 0 AND amount_micro >= 0", name="size"),)
    reference: Mapped[str] = mapped_column(ForeignKey("holds.reference"), primary_key=True)
    until_seconds: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    amount_micro: Mapped[int]
    created_at: Mapped[datetime]


class NoticeRow(Base):
    """Said once, to a project, an organisation or (neither) the operator; of a user's budget `user_id` is whose.
    `amount_micro` is what there is (available, spent, missing), `level_micro` what it was held against. Append-only."""

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint("organisation_id IS NULL OR project_id IS NULL", name="one_reader"),
        CheckConstraint(
            "kind IN ('wallet-level', 'budget-level', 'landing', 'landing-called-off', 'stopping', 'reconciliation',"
            " 'dedication-lapsed', 'settlement-disputed', 'centre-sick', 'centre-well', 'centre-gone', 'given-up-ran')",
            name="kind",
        ),
        Index("ix_notices_project_id_id", "project_id", "id"),
        Index("ix_notices_organisation_id_id", "organisation_id", "id"),
        Index("ix_notices_operator", "id", postgresql_where=text("organisation_id IS NULL AND project_id IS NULL")),
    )
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str]
    reference: Mapped[str | None]
    text_en: Mapped[str]
    text_zh: Mapped[str]
    amount_micro: Mapped[int]
    level_micro: Mapped[int | None]
    currency: Mapped[str]
    created_at: Mapped[datetime]


class WalletMarkRow(Base):
    """Whether a project's money was at or below a level when it was last looked at: a notice at each crossing."""

    __tablename__ = "wallet_marks"
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    level_micro: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_below: Mapped[bool]


class BudgetMarkRow(Base):
    """A level of a budget that was told, once in each of its periods."""

    __tablename__ = "budget_marks"
    budget_id: Mapped[UUID] = mapped_column(ForeignKey("budgets.id"), primary_key=True)
    period: Mapped[date] = mapped_column(primary_key=True)
    percent: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    told_at: Mapped[datetime]
