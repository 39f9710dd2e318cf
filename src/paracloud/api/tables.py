"""Idempotency keys: what a repeated request is answered with."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class IdempotencyRow(Base):
    __tablename__ = "idempotency_keys"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime]
