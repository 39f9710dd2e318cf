"""What the operator says that centres have, and where the data of a project may be."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0037_provisions"
down_revision = "0036_moves"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "centre_provisions",
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), primary_key=True),
        sa.Column("applications", ARRAY(sa.Text), nullable=False),
        sa.Column("licences", ARRAY(sa.Text)),
        sa.Column("trust", sa.BigInteger, nullable=False),
        sa.Column("bytes_per_second", sa.BigInteger),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.CheckConstraint("trust BETWEEN 0 AND 5", name="trust"),
        sa.CheckConstraint("bytes_per_second > 0", name="rate"),
    )
    op.create_table(
        "project_residency",
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("regions", ARRAY(sa.Text)),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
