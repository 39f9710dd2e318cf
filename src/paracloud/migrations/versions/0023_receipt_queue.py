"""Charges of a project whose chain of receipts has begun wait for their receipt in a table of their own.

To ask each minute which of all charges have no receipt took longer with every one that had.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023_receipt_queue"
down_revision = "0022_postings_refer"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipt_chains",
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "receipts_due",
        sa.Column("usage_id", sa.Uuid, primary_key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("is_reversal", sa.Boolean, primary_key=True, autoincrement=False),
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("receipt_chains.project_id"), nullable=False),
        sa.Column("charged_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_receipts_due_project_id_charged_at", "receipts_due", ["project_id", "charged_at"])
    op.execute("INSERT INTO receipt_chains SELECT project_id, min(issued_at) FROM receipts GROUP BY project_id")
    op.execute("""
        INSERT INTO receipts_due
        SELECT charge.usage_id, charge.revision, charge.is_reversal, charge.project_id, charge.charged_at
          FROM charges AS charge JOIN receipt_chains AS chain ON chain.project_id = charge.project_id
         WHERE NOT charge.is_duplicate
           AND NOT EXISTS (SELECT 1 FROM receipts AS had WHERE (had.usage_id, had.revision, had.is_reversal)
                                                             = (charge.usage_id, charge.revision, charge.is_reversal))
    """)
    op.execute("""
        CREATE FUNCTION charge_wants_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO receipts_due (usage_id, revision, is_reversal, project_id, charged_at)
          SELECT charge.usage_id, charge.revision, charge.is_reversal, charge.project_id, charge.charged_at
            FROM fresh AS charge JOIN receipt_chains AS chain ON chain.project_id = charge.project_id
           WHERE NOT charge.is_duplicate;
          RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER wants_receipt AFTER INSERT ON charges REFERENCING NEW TABLE AS fresh "
        "FOR EACH STATEMENT EXECUTE FUNCTION charge_wants_receipt()"
    )
    op.execute("""
        CREATE FUNCTION due_has_receipt() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
        BEGIN
          IF EXISTS (SELECT 1 FROM gone WHERE NOT EXISTS (
               SELECT 1 FROM receipts AS had WHERE (had.usage_id, had.revision, had.is_reversal)
                                                   = (gone.usage_id, gone.revision, gone.is_reversal))) THEN
            RAISE EXCEPTION 'a charge waits for its receipt until it has one' USING ERRCODE = 'restrict_violation';
          END IF;
          RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER has_receipt AFTER DELETE ON receipts_due REFERENCING OLD TABLE AS gone "
        "FOR EACH STATEMENT EXECUTE FUNCTION due_has_receipt()"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
