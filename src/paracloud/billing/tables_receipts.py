"""Receipts as they were signed, and the public keys that they can be verified with. Append-only by trigger, and each
follows the one before it (migration 0011_receipts)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class ReceiptKeyRow(Base):
    __tablename__ = "receipt_keys"
    id: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[str]
    registered_at: Mapped[datetime]


class ReceiptChainRow(Base):
    """A project that wants receipts: from then on each of its charges waits for one."""

    __tablename__ = "receipt_chains"
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    began_at: Mapped[datetime]


class DueRow(Base):
    """A charge without its receipt yet. A trigger on charges puts it here, so that no charger can forget it; whoever
    takes it away has written its receipt, by another (migration 0023_receipt_queue)."""

    __tablename__ = "receipts_due"
    __table_args__ = (Index("ix_receipts_due_project_id_charged_at", "project_id", "charged_at"),)
    usage_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_reversal: Mapped[bool] = mapped_column(primary_key=True, autoincrement=False)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("receipt_chains.project_id"))
    charged_at: Mapped[datetime]


class ReceiptRow(Base):
    """`body` is the very text that `hash` and `signature` are of."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("usage_id", "revision", "is_reversal", name="uq_receipts_usage_id"),
        ForeignKeyConstraint(
            ["usage_id", "revision", "is_reversal"],
            ["charges.usage_id", "charges.revision", "charges.is_reversal"],
            name="fk_receipts_usage_id_charges",
        ),
    )
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    usage_id: Mapped[UUID]
    revision: Mapped[int]
    is_reversal: Mapped[bool]
    body: Mapped[str]
    previous: Mapped[str]
    hash: Mapped[str]
    signature: Mapped[str]
    key_id: Mapped[str] = mapped_column(ForeignKey("receipt_keys.id"))
    issued_at: Mapped[datetime]
