"""Old accounting logs that were taken in: what each import did, and what it could not read; history has no reference,
and its rows take no room in the indexes of jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014_imports"
down_revision = "0013_app_role"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(none_as_null=True)


def required(name: str, kind: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, nullable=False, **options)


def upgrade() -> None:
    counts = ("lines", "records", "done", "new", "corrected", "known", "unrated", "faults")
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid, primary_key=True),
        required("sha256", sa.Text),
        required("name", sa.Text),
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), nullable=False),
        required("format", sa.Text),
        required("person", sa.Text),
        required("by", sa.Text),
        required("owners", JSON),
        required("accept_faults", sa.Boolean),
        required("leave_out", sa.Boolean),
        required("state", sa.Text),
        *(required(name, sa.BigInteger, server_default="0") for name in counts),
        required("left_out", JSON, server_default="{}"),
        required("unmapped", JSON, server_default="{}"),
        sa.Column("reason_en", sa.Text),
        sa.Column("reason_zh", sa.Text),
        required("created_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("claim", sa.Uuid),
        sa.Column("claimed_until", TIME),
        sa.CheckConstraint(
            "state IN ('waiting', 'checking', 'storing', 'done', 'refused')", name=op.f("ck_imports_state")
        ),
        sa.CheckConstraint("by IN ('user', 'account')", name=op.f("ck_imports_by")),
    )
    op.create_index(
        "ix_imports_open", "imports", ["created_at"], postgresql_where=sa.text("state NOT IN ('done', 'refused')")
    )
    op.create_table(
        "import_faults",
        sa.Column("import_id", sa.Uuid, sa.ForeignKey("imports.id"), primary_key=True),
        sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
        required("reason_en", sa.Text),
        required("reason_zh", sa.Text),
        required("text", sa.Text),
    )
    # What no job of ours was has no reference: most of history.
    for table in ("usage", "charges"):
        op.drop_index(f"ix_{table}_reference", table)
        op.create_index(
            f"ix_{table}_reference", table, ["reference"], postgresql_where=sa.text("reference IS NOT NULL")
        )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON import_faults "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
