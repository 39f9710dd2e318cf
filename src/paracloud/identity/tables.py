"""Organisations, their projects, users, who is in what, and tokens (only as keyed hashes)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from paracloud.kit.database import Base


class OrganisationRow(Base):
    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint(
            "category IN ('university', 'institute', 'enterprise', 'government', 'individual')", name="category"
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    category: Mapped[str]
    created_at: Mapped[datetime]


class ProjectRow(Base):
    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("organisation_id", "name"),
        CheckConstraint("product_line IN ('general', 'industry', 'ai')", name="product_line"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str]
    product_line: Mapped[str] = mapped_column(server_default="general")
    created_at: Mapped[datetime]


class ProductLineChangeRow(Base):
    """Who moved a project to another product line; `was` is the one that it had until then."""

    __tablename__ = "product_line_changes"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    changed_at: Mapped[datetime]
    was: Mapped[str]
    line: Mapped[str]
    person: Mapped[str]


class ResidencyRow(Base):
    """The regions that a project's data may be in, by the operator's word; null: any."""

    __tablename__ = "project_residency"
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    regions: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class UserRow(Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    is_operator: Mapped[bool]
    created_at: Mapped[datetime]


class MemberRow(Base):
    __tablename__ = "members"
    __table_args__ = (CheckConstraint("role IN ('owner', 'member', 'viewer')", name="role"),)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), primary_key=True, index=True)
    role: Mapped[str]


class TokenRow(Base):
    __tablename__ = "tokens"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
