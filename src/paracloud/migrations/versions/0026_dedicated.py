"""Queues say how many of their cores share a real one; charges, how many seconds of a run dedicated nodes paid for."""

import sqlalchemy as sa
from alembic import op

revision = "0026_dedicated"
down_revision = "0025_resources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queues", sa.Column("threads_per_core", sa.BigInteger(), nullable=False, server_default="1"))
    op.add_column("charges", sa.Column("dedicated_seconds", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("charges", "dedicated_seconds")
    op.drop_column("queues", "threads_per_core")
