"""What a centre was connected with may become another, by a person's word; each change is kept, with what was before."""

import sqlalchemy as sa
from alembic import op

revision = "0041_terms"
down_revision = "0040_kept"
branch_labels = None
depends_on = None

KEPT = "({0}.name, {0}.dialect, {0}.service_account)"
SAME = """
    CREATE OR REPLACE FUNCTION centre_is_connected_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a centre is connected once: % keeps its scheduler and who reads its books', OLD.name
          USING ERRCODE = 'restrict_violation';
    END $$
"""


def upgrade() -> None:
    op.execute(SAME)
    op.execute("DROP TRIGGER connected_once ON centres")
    op.execute(
        "CREATE TRIGGER connected_once BEFORE UPDATE ON centres FOR EACH ROW "
        f"WHEN (OLD.host <> '' AND (NEW.host = '' OR {KEPT.format('OLD')} IS DISTINCT FROM {KEPT.format('NEW')})) "
        "EXECUTE FUNCTION centre_is_connected_once()"
    )
    op.create_table(
        "centre_changes",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("port", sa.BigInteger, nullable=False),
        sa.Column("host_key", sa.Text, nullable=False),
        sa.Column("commands_per_minute", sa.BigInteger, nullable=False),
        sa.Column("patience_seconds", sa.BigInteger, nullable=False),
        sa.Column("overrun_seconds", sa.BigInteger, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.CheckConstraint("person <> '' AND reason <> ''", name="word"),
    )
    op.create_index("ix_centre_changes_centre", "centre_changes", ["centre", "id"])


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
