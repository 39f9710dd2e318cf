"""A person's word that a centre's machines are off, and what is left there of the jobs that went elsewhere for it."""

import sqlalchemy as sa
from alembic import op

revision = "0039_given_up"
down_revision = "0038_moved_at"
branch_labels = None
depends_on = None

KINDS = (
    "wallet-level", "budget-level", "landing", "landing-called-off", "stopping", "reconciliation", "dedication-lapsed",
    "settlement-disputed", "centre-sick", "centre-well", "centre-gone", "given-up-ran",
)  # fmt: skip
LEFT = sa.text("remains IN ('unreached', 'fenced', 'started')")


def upgrade() -> None:
    op.create_table(
        "gone_centres",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("person <> '' AND reason <> ''", name="word"),
    )
    op.create_index("ix_gone_centres_centre", "gone_centres", ["centre", "id"])
    op.add_column("job_moves", sa.Column("gone_id", sa.BigInteger, sa.ForeignKey("gone_centres.id")))
    op.add_column("job_moves", sa.Column("remains", sa.Text))
    for name, rule in (
        ("remains", "remains IN ('unreached', 'fenced', 'started', 'over')"),
        ("gone", "(remains IS NULL) = (gone_id IS NULL)"),
        ("given_up", "remains IS NULL OR step = 'moved'"),
    ):
        op.create_check_constraint(op.f(f"ck_job_moves_{name}"), "job_moves", rule)
    op.create_index("ix_job_moves_left", "job_moves", ["from_centre"], postgresql_where=LEFT)
    op.drop_constraint(op.f("ck_notices_kind"), "notices")
    op.create_check_constraint(op.f("ck_notices_kind"), "notices", f"kind IN {KINDS}")


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
