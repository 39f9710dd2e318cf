"""Each day's reconciliation is kept; the operator has notices too."""

import sqlalchemy as sa
from alembic import op

revision = "0016_reconciliations"
down_revision = "0015_landing"
branch_labels = None
depends_on = None

KINDS = (
    "wallet-level", "budget-level", "landing", "landing-called-off", "stopping", "reconciliation", "dedication-lapsed",
)  # fmt: skip


def required(name: str, kind: object, *more: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=False, **options)


def upgrade() -> None:
    _notices()
    op.create_table(
        "reconciliations",
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("attempt", sa.BigInteger, primary_key=True, autoincrement=False),
        required("looked_at", sa.DateTime(timezone=True)),
        *(required(name, sa.BigInteger) for name in ("records", "accounted_micro", "charged_micro", "settled_micro")),
        sa.Column("reason_en", sa.Text),
        sa.Column("reason_zh", sa.Text),
        sa.CheckConstraint("attempt > 0 AND records >= 0", name=op.f("ck_reconciliations_counts")),
        sa.CheckConstraint("(reason_en IS NULL) = (reason_zh IS NULL)", name=op.f("ck_reconciliations_reason")),
    )
    of_look = ["centre", "day", "attempt"]
    op.create_table(
        "mismatches",
        sa.Column("centre", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("attempt", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *(required(name, sa.Text) for name in ("cause", "record_id", "text_en", "text_zh")),
        required("project_id", sa.Uuid, sa.ForeignKey("projects.id")),
        required("micro", sa.BigInteger),
        sa.ForeignKeyConstraint(
            of_look, [f"reconciliations.{name}" for name in of_look], name="fk_mismatches_reconciliations"
        ),
    )
    for table in ("reconciliations", "mismatches"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _notices() -> None:
    op.drop_constraint(op.f("ck_notices_one_reader"), "notices")
    op.create_check_constraint(
        op.f("ck_notices_one_reader"), "notices", "organisation_id IS NULL OR project_id IS NULL"
    )
    op.drop_constraint(op.f("ck_notices_kind"), "notices")
    op.create_check_constraint(op.f("ck_notices_kind"), "notices", f"kind IN {KINDS}")
    op.create_index(
        "ix_notices_operator", "notices", ["id"], postgresql_where=sa.text("organisation_id IS NULL AND project_id IS NULL")
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
