"""Jobs that are kept back, until a queue has room for them; and what a job takes of a queue."""

import sqlalchemy as sa
from alembic import op

revision = "0040_kept"
down_revision = "0039_given_up"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("kept", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("jobs", sa.Column("cores_taken", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_jobs_taken"), "jobs", "cores_taken > 0")
    op.create_index("ix_jobs_kept", "jobs", ["id"], postgresql_where=sa.text("kept AND state = 'accepted'"))


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
