"""Prices and contracts with validity, the double-entry ledger, holds, and what each usage was charged.

The database keeps the invariants by triggers (migration 0004_billing): the postings of an entry come in one statement
and sum to zero in each currency; entries, postings and charges are append-only; a balance is the sum of its postings;
of a price version and of a contract only the end changes, and no two hold at one time.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base

UNIT_PRICE = Numeric(18, 9)


class PriceRow(Base):
    __tablename__ = "price_versions"
    __table_args__ = (
        CheckConstraint("core_hour >= 0 AND card_hour >= 0", name="not_negative"),
        CheckConstraint("rule IS NULL OR (core_hour = 0 AND card_hour = 0)", name="rule_alone"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="validity"),
        Index("ix_price_versions_centre_queue", "centre", "queue"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_line: Mapped[str]
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    queue: Mapped[str]
    core_hour: Mapped[Decimal] = mapped_column(UNIT_PRICE)
    card_hour: Mapped[Decimal] = mapped_column(UNIT_PRICE)
    rule: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    """A charging rule (billing.rule_text); where there is one, it alone says what is charged."""
    currency: Mapped[str]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]


class ContractRow(Base):
    """Co-construction: the centre's share of every charge, in basis points."""

    __tablename__ = "contracts"
    __table_args__ = (
        CheckConstraint("share_basis_points BETWEEN 0 AND 10000", name="share"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="validity"),
        Index("ix_contracts_centre", "centre"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    share_basis_points: Mapped[int]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]


class LedgerAccountRow(Base):
    __tablename__ = "ledger_accounts"
    __table_args__ = (CheckConstraint("code NOT LIKE 'held:%' OR balance_micro >= 0", name="held"),)
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str]
    balance_micro: Mapped[int]


class EntryRow(Base):
    """`key` makes the entry happen once; `reference` is what it is about (a job, a usage, an entry)."""

    __tablename__ = "ledger_entries"
    __table_args__ = (Index("ix_ledger_entries_reference", "reference"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    reference: Mapped[str | None]
    reason: Mapped[str | None]
    person: Mapped[str | None]
    created_at: Mapped[datetime]


class PostingRow(Base):
    __tablename__ = "ledger_postings"
    __table_args__ = (
        CheckConstraint("micro <> 0", name="not_zero"),
        Index("ix_ledger_postings_account_id_entry_id", "account_id", "entry_id"),
    )
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entries.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"), primary_key=True, autoincrement=False)
    micro: Mapped[int]


class HoldRow(Base):
    """Money that one job has reserved. Captured by its charges, the rest released at its end."""

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("amount_micro >= 0 AND captured_micro >= 0", name="not_negative"),
        CheckConstraint("captured_micro <= amount_micro", name="within"),
    )
    reference: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    amount_micro: Mapped[int]
    captured_micro: Mapped[int]
    currency: Mapped[str]
    released_at: Mapped[datetime | None]


class ChargeRow(Base):
    """What one revision of one usage added to the bill: a later one holds the difference, which may be negative."""

    __tablename__ = "charges"
    __table_args__ = (Index("ix_charges_reference", "reference"),)
    usage_id: Mapped[UUID] = mapped_column(ForeignKey("usage.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    reference: Mapped[str | None]
    price_version_id: Mapped[UUID] = mapped_column(ForeignKey("price_versions.id"))
    share_basis_points: Mapped[int]
    amount_micro: Mapped[int]
    share_micro: Mapped[int]
    currency: Mapped[str]
    is_duplicate: Mapped[bool]
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entries.id"))
    """Null where the difference is zero: nothing moved."""
    charged_at: Mapped[datetime]


class UnratedRow(Base):
    """Usage that no price or contract fits: never free, never dropped; it waits here for the operator."""

    __tablename__ = "unrated_usage"
    usage_id: Mapped[UUID] = mapped_column(ForeignKey("usage.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason_en: Mapped[str]
    reason_zh: Mapped[str]
    listed_at: Mapped[datetime]
