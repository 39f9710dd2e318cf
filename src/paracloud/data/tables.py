"""What files there are and whose they are. The bytes are on disk, under the name of their own hash."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from paracloud.kit.database import Base


class BlobRow(Base):
    __tablename__ = "blobs"
    __table_args__ = (
        CheckConstraint("id ~ '^[0-9a-f]{64}$'", name="id"),
        CheckConstraint("size_bytes >= 0", name="size"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    size_bytes: Mapped[int]
    created_at: Mapped[datetime]


class ProjectBlobRow(Base):
    """A project holds a blob because one of its members uploaded these bytes. To know a hash gives no right to it."""

    __tablename__ = "project_blobs"
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    blob_id: Mapped[str] = mapped_column(ForeignKey("blobs.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]
