"""Queues say whether each task has cores of its own, how much memory a core may have at most, and how much a job has that asks for none."""

import sqlalchemy as sa
from alembic import op

revision = "0032_memory_per_core"
down_revision = "0031_answers_stay"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("max_memory_per_core_bytes", "default_memory_per_core_bytes", "default_memory_per_node_bytes"):
        op.add_column("queues", sa.Column(name, sa.BigInteger()))
    own = sa.Column("gives_each_task_cores", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("queues", own)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
