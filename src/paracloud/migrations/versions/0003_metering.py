"""Usage, its revisions, and what belongs to nobody. Revisions are append-only by trigger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_metering"
down_revision = "0002_centres"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def required(name: str, kind: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, nullable=False, **options)


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("id", sa.Uuid, primary_key=True),
        required("centre", sa.Text),
        required("record_id", sa.Text),
        required("submitted_at", TIME),
        required("restart_count", sa.BigInteger),
        required("revision", sa.BigInteger),
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id"), nullable=False),
        required("account", sa.Text),
        sa.Column("reference", sa.Text),
        required("is_duplicate", sa.Boolean),
        required("native_id", sa.Text),
        sa.Column("task_index", sa.BigInteger),
        *(required(name, sa.Text) for name in ("name", "queue", "phase", "native_state")),
        *(required(name, sa.BigInteger) for name in ("exit_code", "exit_signal")),
        sa.Column("started_at", TIME),
        required("ended_at", TIME),
        *(required(n, sa.BigInteger) for n in ("elapsed_seconds", "cores", "nodes", "gpus", "memory_bytes")),
        required("node_list", sa.Text),
        sa.UniqueConstraint("centre", "record_id", "submitted_at", "restart_count"),
        sa.CheckConstraint(
            "elapsed_seconds >= 0 AND cores >= 0 AND nodes >= 0 AND gpus >= 0", name=op.f("ck_usage_not_negative")
        ),
        sa.CheckConstraint("revision > 0", name=op.f("ck_usage_revision")),
        sa.CheckConstraint("reference IS NULL OR NOT is_duplicate", name=op.f("ck_usage_duplicate")),
    )
    op.create_index("ix_usage_project_id_ended_at", "usage", ["project_id", "ended_at"])
    op.create_index("ix_usage_centre_ended_at", "usage", ["centre", "ended_at"])
    op.create_index("ix_usage_reference", "usage", ["reference"])
    op.create_index("ix_usage_duplicates", "usage", ["centre", "name"], postgresql_where=sa.text("is_duplicate"))
    op.create_table(
        "usage_revisions",
        sa.Column("usage_id", sa.Uuid, sa.ForeignKey("usage.id"), primary_key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        required("measured", postgresql.JSONB),
        required("raw", sa.Text),
        required("collected_at", TIME),
    )
    op.create_table(
        "usage_strangers",
        sa.Column("centre", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        required("records", sa.BigInteger),
        required("raw", sa.Text),
        required("seen_at", TIME),
    )
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RAISE EXCEPTION '% is append-only; correct it by a new row', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON usage_revisions "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON usage FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    # What execution it is, and whose, never changes; its figures do, each time under the next revision.
    op.execute("""
        CREATE FUNCTION usage_is_revised() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF (NEW.id, NEW.centre, NEW.record_id, NEW.submitted_at, NEW.restart_count, NEW.project_id, NEW.account,
              NEW.reference, NEW.is_duplicate, NEW.revision)
             IS DISTINCT FROM
             (OLD.id, OLD.centre, OLD.record_id, OLD.submitted_at, OLD.restart_count, OLD.project_id, OLD.account,
              OLD.reference, OLD.is_duplicate, OLD.revision + 1)
          THEN
            RAISE EXCEPTION 'only the figures of a usage change, under its next revision'
              USING ERRCODE = 'restrict_violation';
          END IF;
          RETURN NEW;
        END $$
    """)
    op.execute("CREATE TRIGGER revised BEFORE UPDATE ON usage FOR EACH ROW EXECUTE FUNCTION usage_is_revised()")


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
