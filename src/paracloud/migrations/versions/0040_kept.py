"""Jobs that are kept back, until a queue has room for them."""

import sqlalchemy as sa
from alembic import op

revision = "0040_kept"
down_revision = "0039_given_up"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("kept", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_jobs_kept", "jobs", ["id"], postgresql_where=sa.text("kept AND state = 'accepted'"))


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
