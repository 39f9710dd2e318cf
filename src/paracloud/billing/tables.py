"""Prices and contracts with validity, the double-entry ledger, holds, and what each usage was charged.

The database keeps the invariants by triggers (migration 0004_billing): the postings of an entry come in one statement
and sum to zero in each currency; entries, postings and charges are append-only; a balance is the sum of its postings;
of a price version and of a contract only the end changes, and no two hold at one time. One that ends at its beginning
was withdrawn, and never holds.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Numeric, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base

UNIT_PRICE = Numeric(18, 9)


class PriceRow(Base):
    __tablename__ = "price_versions"
    __table_args__ = (
        CheckConstraint("core_hour >= 0 AND card_hour >= 0", name="not_negative"),
        CheckConstraint("rule IS NULL OR (core_hour = 0 AND COALESCE(card_hour, 0) = 0)", name="rule_alone"),
        CheckConstraint("product_line IN ('general', 'industry', 'ai')", name="product_line"),
        CheckConstraint("project_id IS NULL OR organisation_id IS NULL", name="one_customer"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity"),
        Index("ix_price_versions_centre_queue", "centre", "queue"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_line: Mapped[str]
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    queue: Mapped[str]
    core_hour: Mapped[Decimal] = mapped_column(UNIT_PRICE)
    card_hour: Mapped[Decimal | None] = mapped_column(UNIT_PRICE)
    """None: the price says nothing of cards."""
    rule: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    """A charging rule (billing.rule_text); where there is one, it alone says what is charged."""
    qos: Mapped[str | None]
    """None: whatever the quality of service."""
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    """A customer's own price, by its contract with the operator; neither: everybody's."""
    tiers: Mapped[list[dict[str, str]] | None] = mapped_column(JSONB(none_as_null=True))
    """Factors (billing.tiers) upon the customer's amounts of the month at this price."""
    currency: Mapped[str]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    created_at: Mapped[datetime | None]
    created_by: Mapped[str | None]
    ended_by: Mapped[str | None]


class ContractRow(Base):
    """Co-construction: the centre's share of every charge, in basis points; of a queue, where the nodes are a
    customer's own and lent out, also that customer's. Without a queue it holds for all that have none of their own."""

    __tablename__ = "contracts"
    __table_args__ = (
        CheckConstraint("share_basis_points BETWEEN 0 AND 10000", name="share"),
        CheckConstraint(
            "owner_basis_points >= 0 AND share_basis_points + owner_basis_points <= 10000"
            " AND (owner_project_id IS NULL) = (owner_basis_points = 0)",
            name="owner",
        ),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity"),
        CheckConstraint("minimum_micro >= 0 AND fixed_micro >= 0", name="month"),
        Index("ix_contracts_centre", "centre"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    queue: Mapped[str | None]
    share_basis_points: Mapped[int]
    owner_project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id"))
    owner_basis_points: Mapped[int] = mapped_column(server_default="0")
    share_tiers: Mapped[list[dict[str, str]] | None] = mapped_column(JSONB(none_as_null=True))
    """Parts (0 to 1, with the owner's at most 1: trigger of migration 0020_settling) of the month's gross, by tiers;
    posted when the month is settled."""
    minimum_micro: Mapped[int] = mapped_column(server_default="0")
    fixed_micro: Mapped[int] = mapped_column(server_default="0")
    """A month: what the centre gets at least, and for capacity that was bought."""
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    created_at: Mapped[datetime | None]
    created_by: Mapped[str | None]
    ended_by: Mapped[str | None]


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
    """Entry and account are there by a trigger, for a statement at once (migration 0022_postings_refer)."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        CheckConstraint("micro <> 0", name="not_zero"),
        Index("ix_ledger_postings_account_id_entry_id", "account_id", "entry_id"),
    )
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    micro: Mapped[int]


class HoldRow(Base):
    """Money that one job has reserved. Captured by its charges, the rest released at its end."""

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("amount_micro >= 0 AND captured_micro >= 0", name="not_negative"),
        CheckConstraint("captured_micro <= amount_micro", name="within"),
        CheckConstraint("amount_micro <= ceiling_micro", name="ceiling"),
        Index("ix_holds_open", "project_id", postgresql_where=text("released_at IS NULL")),
    )
    reference: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    ceiling_micro: Mapped[int]
    """The most that the job can cost for as long as it is held for, whoever pays: budgets count it."""
    amount_micro: Mapped[int]
    """What the wallet gave of it: the rest waits in packages and credits."""
    captured_micro: Mapped[int]
    currency: Mapped[str]
    released_at: Mapped[datetime | None]


class BillingPeriodRow(Base):
    """A calendar month (UTC) by its first day. Nothing is charged into a closed one."""

    __tablename__ = "billing_periods"
    __table_args__ = (
        CheckConstraint("extract(day FROM period) = 1", name="month"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed"),
    )
    period: Mapped[date] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]


class ChargeRow(Base):
    """What one revision of one usage added to the bill: a later one holds the difference, which may be negative, and a
    reversal takes one back. So every sum over charges is net. Usage, project, price, contract and entry are there by a
    trigger, for a statement at once (migration 0024_charges_refer), and so it is
    whether they are of its project, in its month, and reversals exact (0028_checks)."""

    __tablename__ = "charges"
    __table_args__ = (
        CheckConstraint("is_reversal = (reason IS NOT NULL) AND is_reversal = (person IS NOT NULL)", name="reversal"),
        CheckConstraint("(volume_micro IS NULL) = (volume_month IS NULL)", name="volume"),
        Index("ix_charges_reference", "reference", postgresql_where=text("reference IS NOT NULL")),
        Index("ix_charges_project_id_period", "project_id", "period"),
        Index("ix_charges_entry_id", "entry_id"),
        Index("ix_charges_period", "period", postgresql_using="brin"),
    )
    usage_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_reversal: Mapped[bool] = mapped_column(primary_key=True, autoincrement=False, server_default=false())
    period: Mapped[date]
    """The month that the usage ended in, or the first that was not closed when it was charged."""
    project_id: Mapped[UUID]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    reference: Mapped[str | None]
    price_version_id: Mapped[UUID]
    contract_id: Mapped[UUID]
    share_basis_points: Mapped[int]
    list_micro: Mapped[int]
    """Before volume tiers, without what packages of hours paid."""
    volume_micro: Mapped[int | None]
    """Where the price has tiers: of its month's volume, where this list amount begins."""
    volume_month: Mapped[date | None]
    """Whose volume that is: the month on whose bill the usage was first, also of later corrections and reversals."""
    amount_micro: Mapped[int]
    """What it costs, however that is paid: the wallet pays what neither packages nor credits do."""
    package_micro: Mapped[int] = mapped_column(server_default="0")
    credit_micro: Mapped[int] = mapped_column(server_default="0")
    share_micro: Mapped[int]
    owner_micro: Mapped[int] = mapped_column(server_default="0")
    dedication_id: Mapped[UUID | None] = mapped_column(ForeignKey("dedications.id"))
    """The customer's own nodes, paid by the month: the first of those that held while it ran."""
    dedicated_seconds: Mapped[int | None]
    """How much of the run they paid for; null where none held, and of what was charged before this was kept: all."""
    currency: Mapped[str]
    is_duplicate: Mapped[bool]
    entry_id: Mapped[UUID | None]
    """Null where the difference is zero: nothing moved."""
    charged_at: Mapped[datetime]
    reason: Mapped[str | None]
    person: Mapped[str | None]


class VolumeRow(Base):
    """A payer's list amounts at one price with tiers, of usage that was on a month's bill first: where its next charge
    begins. Corrections and reversals move it also when that bill is closed."""

    __tablename__ = "volumes"
    payer: Mapped[str] = mapped_column(primary_key=True)
    price_version_id: Mapped[UUID] = mapped_column(ForeignKey("price_versions.id"), primary_key=True)
    period: Mapped[date] = mapped_column(primary_key=True)
    list_micro: Mapped[int]


class UnratedRow(Base):
    """Usage that no price or contract fits: never free, never dropped; it waits here for the operator."""

    __tablename__ = "unrated_usage"
    usage_id: Mapped[UUID] = mapped_column(ForeignKey("usage.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason_en: Mapped[str]
    reason_zh: Mapped[str]
    listed_at: Mapped[datetime]
