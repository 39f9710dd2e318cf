"""Waiting jobs move to other centres; a centre is sick, and well again, not at the first sign of it."""

import sqlalchemy as sa
from alembic import op

revision = "0036_moves"
down_revision = "0035_waits"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
KINDS = (
    "wallet-level", "budget-level", "landing", "landing-called-off", "stopping", "reconciliation", "dedication-lapsed",
    "settlement-disputed", "centre-sick", "centre-well",
)  # fmt: skip


def upgrade() -> None:
    _health()
    op.add_column("jobs", sa.Column("moves", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("movable", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_check_constraint(op.f("ck_jobs_moves"), "jobs", "moves BETWEEN 0 AND 8")
    _moves()


def _health() -> None:
    for name in ("good_rounds", "relapses"):
        op.add_column("centre_health", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    for name in ("good_since", "sick_since", "recovered_at"):
        op.add_column("centre_health", sa.Column(name, TIME))
    op.drop_constraint(op.f("ck_notices_kind"), "notices")
    op.create_check_constraint(op.f("ck_notices_kind"), "notices", f"kind IN {KINDS}")


def _moves() -> None:
    place = sa.ForeignKey("centres.name")
    op.create_table(
        "job_moves",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("from_centre", sa.Text, place, nullable=False),
        sa.Column("from_queue", sa.Text, nullable=False),
        sa.Column("from_account", sa.Text, nullable=False),
        sa.Column("from_native_id", sa.Text),
        sa.Column("from_tries", sa.BigInteger, nullable=False),
        sa.Column("to_centre", sa.Text, sa.ForeignKey("centres.name"), nullable=False),
        sa.Column("to_queue", sa.Text, nullable=False),
        sa.Column("to_account", sa.Text),
        sa.Column("to_price_version_id", sa.Uuid, sa.ForeignKey("price_versions.id")),
        sa.Column("why_en", sa.Text, nullable=False),
        sa.Column("why_zh", sa.Text, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("end_en", sa.Text, nullable=False, server_default=""),
        sa.Column("end_zh", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("step IN ('holding', 'leaving', 'cancelling', 'releasing', 'moved', 'stayed')", name="step"),
        sa.CheckConstraint("(step IN ('moved', 'stayed')) = (ended_at IS NOT NULL)", name="ended"),
        sa.CheckConstraint(
            "step NOT IN ('leaving', 'cancelling', 'moved') OR (to_account IS NOT NULL"
            " AND to_price_version_id IS NOT NULL)",
            name="place",
        ),
        sa.CheckConstraint("from_tries >= 0 AND attempt BETWEEN 0 AND 7", name="size"),
    )
    op.create_index("ix_job_moves_job", "job_moves", ["job_id", "id"])
    op.create_index(
        "ix_job_moves_open", "job_moves", ["job_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_job_moves_from", "job_moves", ["from_centre"], postgresql_where=sa.text("ended_at IS NULL"))


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
