"""Jobs, what they wait for, their ended tasks, and an append-only record of every move."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006_jobs"
down_revision = "0005_data"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
BEFORE_CENTRE = "state IN ('accepted', 'staging_in', 'submitting')"
AT_CENTRE = "state IN ('queued', 'running', 'ending', 'vanished')"
FINAL = "state IN ('completed', 'failed', 'cancelled', 'timeout', 'refused', 'lost')"
ALL = (
    "('accepted', 'staging_in', 'submitting', 'queued', 'running', 'ending', 'vanished', 'completed', 'failed', "
    "'cancelled', 'timeout', 'refused', 'lost')"
)
APPEND_ONLY = """
CREATE FUNCTION job_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'job_events is append-only';
END $$
"""


def upgrade() -> None:
    _jobs()
    _dependencies()
    _tasks()
    _events()
    op.create_table(
        "accounting_windows",
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), primary_key=True),
        required("read_until", TIME),
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")


def required(name: str, kind: type | object, default: str | None = None) -> sa.Column:
    return sa.Column(name, kind, nullable=False, server_default=default)


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), nullable=False),
        *(required(name, sa.Text) for name in ("account", "queue", "name", "script")),
        required("spec", JSONB),
        sa.Column("array", sa.Text),
        required("tasks", sa.BigInteger),
        required("tasks_ended", sa.BigInteger, "0"),
        *(required(name, sa.BigInteger) for name in ("cores", "gpus", "wall_limit_seconds")),
        *(required(name, sa.Text) for name in ("why_en", "why_zh")),
        sa.Column("price_version_id", sa.Uuid, sa.ForeignKey("price_versions.id"), nullable=False),
        required("currency", sa.Text),
        required("held_micro", sa.BigInteger),
        required("charged_micro", sa.BigInteger, "0"),
        required("state", sa.Text),
        sa.Column("native_id", sa.Text),
        *(required(name, sa.Text, "") for name in ("native_state", "reason", "node_list")),
        required("starts_held", sa.Boolean),
        sa.Column("wish", sa.Text),
        required("tries", sa.BigInteger, "0"),
        sa.Column("exit_code", sa.BigInteger),
        sa.Column("exit_signal", sa.BigInteger),
        required("accepted_at", TIME),
        required("retry_at", TIME),
        *(sa.Column(name, TIME) for name in ("submitted_at", "started_at", "absent_since", "ended_at")),
        sa.CheckConstraint(f"state IN {ALL}", name=op.f("ck_jobs_state")),
        sa.CheckConstraint(f"({FINAL}) = (ended_at IS NOT NULL)", name=op.f("ck_jobs_final")),
        sa.CheckConstraint(f"native_id IS NOT NULL OR NOT ({AT_CENTRE})", name=op.f("ck_jobs_native_id")),
        sa.CheckConstraint("wish IN ('cancel', 'hold', 'release')", name=op.f("ck_jobs_wish")),
        sa.CheckConstraint(f"wish IS NULL OR NOT ({FINAL})", name=op.f("ck_jobs_wish_open")),
        sa.CheckConstraint("tasks > 0 AND tasks_ended BETWEEN 0 AND tasks", name=op.f("ck_jobs_tasks")),
        sa.CheckConstraint(
            "cores > 0 AND gpus >= 0 AND wall_limit_seconds > 0 AND tries >= 0", name=op.f("ck_jobs_size")
        ),
        sa.CheckConstraint("held_micro >= 0", name=op.f("ck_jobs_held")),
    )
    op.create_index("ix_jobs_page", "jobs", ["project_id", sa.text("id DESC")])
    op.create_index("ix_jobs_intended", "jobs", ["centre", "id"], postgresql_where=sa.text(BEFORE_CENTRE))
    op.create_index("ix_jobs_live", "jobs", ["centre", "id"], postgresql_where=sa.text(AT_CENTRE))
    op.create_index("ix_jobs_wished", "jobs", ["centre"], postgresql_where=sa.text("wish IS NOT NULL"))


def _dependencies() -> None:
    op.create_table(
        "job_dependencies",
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("needs_job_id", sa.Uuid, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.CheckConstraint(
            "kind IN ('after', 'afterok', 'afternotok', 'afterany')", name=op.f("ck_job_dependencies_kind")
        ),
        sa.CheckConstraint("job_id <> needs_job_id", name=op.f("ck_job_dependencies_other")),
    )


def _tasks() -> None:
    op.create_table(
        "job_tasks",
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("task_index", sa.BigInteger, primary_key=True, autoincrement=False),
        required("record_id", sa.Text),
        required("restart_count", sa.BigInteger),
        required("state", sa.Text),
        required("native_state", sa.Text),
        required("exit_code", sa.BigInteger),
        required("exit_signal", sa.BigInteger),
        required("submitted_at", TIME),
        sa.Column("started_at", TIME),
        required("ended_at", TIME),
        required("elapsed_seconds", sa.BigInteger),
        required("core_seconds", sa.BigInteger),
        required("node_list", sa.Text),
        sa.CheckConstraint(
            "state IN ('completed', 'failed', 'cancelled', 'timeout')", name=op.f("ck_job_tasks_state")
        ),
        sa.CheckConstraint(
            "task_index >= 0 AND elapsed_seconds >= 0 AND core_seconds >= 0", name=op.f("ck_job_tasks_size")
        ),
    )


def _events() -> None:
    op.create_table(
        "job_events",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), nullable=False),
        required("at", TIME),
        sa.Column("from_state", sa.Text),
        required("to_state", sa.Text),
        *(required(name, sa.Text, "") for name in ("native_state", "reason", "note")),
        sa.CheckConstraint(f"to_state IN {ALL}", name=op.f("ck_job_events_to_state")),
    )
    op.create_index("ix_job_events_job", "job_events", ["job_id", "id"])
    op.execute(APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON job_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION job_events_append_only()"
    )
