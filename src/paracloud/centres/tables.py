"""Centres, the accounts that they lend, what was last seen of them, and who may act on them now."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from paracloud.kit.database import Base


class CentreRow(Base):
    __tablename__ = "centres"
    __table_args__ = (
        CheckConstraint("name ~ '^[a-z][a-z0-9-]{0,30}$'", name="name"),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
        CheckConstraint("commands_per_minute > 0", name="budget"),
        CheckConstraint("patience_seconds > 0 AND overrun_seconds >= 0", name="patience"),
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    title_en: Mapped[str]
    title_zh: Mapped[str]
    host: Mapped[str]
    port: Mapped[int]
    host_key: Mapped[str]
    dialect: Mapped[str]
    service_account: Mapped[str]
    commands_per_minute: Mapped[int]
    patience_seconds: Mapped[int]
    overrun_seconds: Mapped[int]
    region: Mapped[str]
    is_enabled: Mapped[bool]
    connected_at: Mapped[datetime]


class ChangeRow(Base):
    """What a centre had until a person changed it, and why; what it has now is its own row. Append-only."""

    __tablename__ = "centre_changes"
    __table_args__ = (
        CheckConstraint("person <> '' AND reason <> ''", name="word"),
        Index("ix_centre_changes_centre", "centre", "id"),
    )
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"))
    person: Mapped[str]
    reason: Mapped[str]
    changed_at: Mapped[datetime]
    host: Mapped[str]
    port: Mapped[int]
    host_key: Mapped[str]
    commands_per_minute: Mapped[int]
    patience_seconds: Mapped[int]
    overrun_seconds: Mapped[int]
    region: Mapped[str]


class AccountRow(Base):
    """A Unix account that a centre lends; `project_id` is set at the project's first need and never changes."""

    __tablename__ = "centre_accounts"
    __table_args__ = (UniqueConstraint("centre", "project_id"),)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"), primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id"))
    assigned_at: Mapped[datetime | None]


class QueueRow(Base):
    """The newest picture of a queue; `max_wall_seconds` and `max_nodes` are null where the centre sets no limit."""

    __tablename__ = "queues"
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"), primary_key=True)
    queue: Mapped[str] = mapped_column(primary_key=True)
    is_up: Mapped[bool]
    is_default: Mapped[bool]
    nodes: Mapped[int]
    cores: Mapped[int]
    free_cores: Mapped[int]
    free_nodes: Mapped[int]
    cores_per_node: Mapped[int]
    memory_per_node_bytes: Mapped[int]
    gpus_per_node: Mapped[int]
    gpu_model: Mapped[str | None]
    free_gpus: Mapped[int]
    max_wall_seconds: Mapped[int | None]
    max_nodes: Mapped[int | None]
    threads_per_core: Mapped[int] = mapped_column(server_default="1")
    gives_whole_nodes: Mapped[bool] = mapped_column(server_default=false())
    gives_each_task_cores: Mapped[bool] = mapped_column(server_default=false())
    max_memory_per_core_bytes: Mapped[int | None]
    default_memory_per_core_bytes: Mapped[int | None]
    default_memory_per_node_bytes: Mapped[int | None]
    seen_at: Mapped[datetime]


class HealthRow(Base):
    __tablename__ = "centre_health"
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"), primary_key=True)
    checked_at: Mapped[datetime]
    failures: Mapped[int]
    failing_since: Mapped[datetime | None]
    error_en: Mapped[str | None]
    error_zh: Mapped[str | None]
    good_rounds: Mapped[int] = mapped_column(server_default="0")
    good_since: Mapped[datetime | None]
    sick_since: Mapped[datetime | None]
    recovered_at: Mapped[datetime | None]
    relapses: Mapped[int] = mapped_column(server_default="0")


class ProvisionRow(Base):
    """What the operator says that a centre has; `licences` and `bytes_per_second` are null where nothing is said."""

    __tablename__ = "centre_provisions"
    __table_args__ = (
        CheckConstraint("trust BETWEEN 0 AND 5", name="trust"),
        CheckConstraint("bytes_per_second > 0", name="rate"),
    )
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"), primary_key=True)
    applications: Mapped[list[str]] = mapped_column(ARRAY(Text))
    licences: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    trust: Mapped[int]
    bytes_per_second: Mapped[int | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class LeaseRow(Base):
    """`fence` only grows; `expires_at` is on the database's clock."""

    __tablename__ = "centre_leases"
    __table_args__ = (CheckConstraint("fence > 0", name="fence"),)
    centre: Mapped[str] = mapped_column(ForeignKey("centres.name"), primary_key=True)
    holder: Mapped[str]
    fence: Mapped[int]
    expires_at: Mapped[datetime]
