"""What persons decide of single usages, packages and fees is kept with its reason.

Usage stops waiting for its price also where a person decided that it costs nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0019_decisions"
down_revision = "0018_budgets"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
STILL_WAITS = """
    CREATE OR REPLACE FUNCTION unrated_is_charged() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
    BEGIN
      IF EXISTS (
        SELECT 1 FROM gone
         WHERE NOT EXISTS (SELECT 1 FROM charges
                            WHERE charges.usage_id = gone.usage_id AND charges.revision >= gone.revision)
           AND NOT EXISTS (SELECT 1 FROM usage_decisions AS said
                            WHERE said.usage_id = gone.usage_id AND said.revision >= gone.revision
                              AND said.price_version_id IS NULL)
      ) THEN
        RAISE EXCEPTION 'usage waits for its price until it is charged' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NULL;
    END $$
"""


def required(name: str, kind: object, *more: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=False, **options)


def upgrade() -> None:
    op.create_table(
        "usage_decisions",
        sa.Column("usage_id", sa.Uuid, sa.ForeignKey("usage.id"), primary_key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("price_version_id", sa.Uuid, sa.ForeignKey("price_versions.id")),
        required("is_carried", sa.Boolean, server_default=sa.false()),
        required("reason", sa.Text),
        required("person", sa.Text),
        required("decided_at", TIME),
        sa.CheckConstraint("NOT is_carried OR price_version_id IS NULL", name=op.f("ck_usage_decisions_carried")),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_usage_decisions_reason")),
    )
    op.create_table(
        "package_ends",
        sa.Column("package_id", sa.Uuid, sa.ForeignKey("packages.id"), primary_key=True),
        required("units", sa.BigInteger),
        required("returned_micro", sa.BigInteger),
        required("reason", sa.Text),
        required("person", sa.Text),
        required("ended_at", TIME),
        sa.CheckConstraint("units >= 0 AND returned_micro >= 0", name=op.f("ck_package_ends_not_negative")),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_package_ends_reason")),
    )
    op.create_table(
        "fee_reversals",
        sa.Column("entry_id", sa.Uuid, sa.ForeignKey("ledger_entries.id"), primary_key=True),
        required("reversal_id", sa.Uuid, sa.ForeignKey("ledger_entries.id")),
        required("period", sa.Date, index=True),
    )
    for table in ("usage_decisions", "package_ends", "fee_reversals"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(STILL_WAITS)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
