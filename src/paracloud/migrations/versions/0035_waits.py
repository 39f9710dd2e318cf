"""Models of waits: what they are trained from, who trains one when, and each of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035_waits"
down_revision = "0034_forecasts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "wait_features",
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("placed_at", moment, primary_key=True),
        sa.Column("features", postgresql.JSONB, nullable=False),
    )
    op.create_table(
        "wait_trainings",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("begun_at", moment, nullable=False),
    )
    op.create_table(
        "wait_models",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("trained_at", moment, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("jobs", "hours", "judged")),
        *(sa.Column(name, sa.Numeric, nullable=False) for name in ("loss", "plain_loss", "held", "plain_held")),
        sa.Column("is_used", sa.Boolean, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.CheckConstraint("jobs > 0 AND hours >= 0 AND judged > 0", name="counts"),
        sa.CheckConstraint("loss >= 0 AND plain_loss >= 0", name="losses"),
        sa.CheckConstraint("held BETWEEN 0 AND 1 AND plain_held BETWEEN 0 AND 1", name="held"),
    )
    op.create_index("ix_wait_models_newest", "wait_models", [sa.text("trained_at DESC")])


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
