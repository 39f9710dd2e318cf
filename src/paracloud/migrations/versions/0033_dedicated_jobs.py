"""A job remembers the dedicated nodes that it was accepted on: nothing is held for it while they are its customer's."""

import sqlalchemy as sa
from alembic import op

revision = "0033_dedicated_jobs"
down_revision = "0032_memory_per_core"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_funds", sa.Column("dedication_id", sa.Uuid, sa.ForeignKey("dedications.id")))
    op.drop_constraint(op.f("ck_job_funds_held"), "job_funds")
    op.create_check_constraint(
        op.f("ck_job_funds_held"),
        "job_funds",
        "held_seconds > 0 OR (held_seconds = 0 AND dedication_id IS NOT NULL)",
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
