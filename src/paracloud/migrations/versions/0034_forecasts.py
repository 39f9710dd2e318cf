"""What is expected of a job where it is sent: how long it waits and runs, and what it costs."""

import sqlalchemy as sa
from alembic import op

revision = "0034_forecasts"
down_revision = "0033_dedicated_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_forecasts",
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("made_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in (
                "wait_p50_seconds", "wait_p90_seconds", "run_p50_seconds", "run_p90_seconds",
                "cost_p50_micro", "cost_p90_micro",
            )
        ),
        sa.Column("model", sa.Text, nullable=False),
        sa.CheckConstraint("0 <= wait_p50_seconds AND wait_p50_seconds <= wait_p90_seconds", name="wait"),
        sa.CheckConstraint("0 <= run_p50_seconds AND run_p50_seconds <= run_p90_seconds", name="run"),
        sa.CheckConstraint("0 <= cost_p50_micro AND cost_p50_micro <= cost_p90_micro", name="cost"),
        sa.CheckConstraint("model <> ''", name="model"),
    )  # fmt: skip


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
