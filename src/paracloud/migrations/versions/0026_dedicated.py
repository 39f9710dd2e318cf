"""Queues say how many of their cores share a real one."""

import sqlalchemy as sa
from alembic import op

revision = "0026_dedicated"
down_revision = "0024_charges_refer"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queues", sa.Column("threads_per_core", sa.BigInteger(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("queues", "threads_per_core")
