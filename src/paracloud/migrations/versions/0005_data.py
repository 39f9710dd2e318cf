"""Uploaded files and whose they are."""

import sqlalchemy as sa
from alembic import op

revision = "0005_data"
down_revision = "0004_billing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id ~ '^[0-9a-f]{64}$'", name=op.f("ck_blobs_id")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_blobs_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blobs")),
    )
    op.create_table(
        "project_blobs",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("blob_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_project_blobs_project_id")),
        sa.ForeignKeyConstraint(["blob_id"], ["blobs.id"], name=op.f("fk_project_blobs_blob_id")),
        sa.PrimaryKeyConstraint("project_id", "blob_id", name=op.f("pk_project_blobs")),
    )
    op.create_index(op.f("ix_project_blobs_blob_id"), "project_blobs", ["blob_id"])


def downgrade() -> None:
    op.drop_table("project_blobs")
    op.drop_table("blobs")
