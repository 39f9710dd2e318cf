"""Signed receipts of charges, a chain for each project, and the keys that signed them."""

import sqlalchemy as sa
from alembic import op

revision = "0011_receipts"
down_revision = "0010_price_book"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def required(name: str, kind: object, *more: object) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=False)


def upgrade() -> None:
    op.create_table(
        "receipt_keys",
        sa.Column("id", sa.Text, primary_key=True),
        required("public_key", sa.Text),
        required("registered_at", TIME),
    )
    op.create_table(
        "receipts",
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        required("usage_id", sa.Uuid),
        required("revision", sa.BigInteger),
        required("is_reversal", sa.Boolean),
        required("body", sa.Text),
        required("previous", sa.Text),
        required("hash", sa.Text),
        required("signature", sa.Text),
        required("key_id", sa.Text, sa.ForeignKey("receipt_keys.id")),
        required("issued_at", TIME),
        sa.UniqueConstraint("usage_id", "revision", "is_reversal", name=op.f("uq_receipts_usage_id")),
        sa.ForeignKeyConstraint(
            ["usage_id", "revision", "is_reversal"],
            ["charges.usage_id", "charges.revision", "charges.is_reversal"],
            name=op.f("fk_receipts_usage_id_charges"),
        ),
    )
    for table in ("receipts", "receipt_keys"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute("""
        CREATE FUNCTION receipt_follows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.number < 1 OR NEW.previous IS DISTINCT FROM (
            CASE WHEN NEW.number = 1 THEN repeat('0', 64)
                 ELSE (SELECT hash FROM receipts WHERE project_id = NEW.project_id AND number = NEW.number - 1) END
          ) THEN
            RAISE EXCEPTION 'a receipt follows the one before it' USING ERRCODE = 'restrict_violation';
          END IF;
          RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER follows BEFORE INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION receipt_follows()"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
