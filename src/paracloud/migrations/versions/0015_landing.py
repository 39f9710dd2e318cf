"""Soft landing: holds that grow while a job runs, the wish `signal`, and notices."""

import sqlalchemy as sa
from alembic import op

revision = "0015_landing"
down_revision = "0014_imports"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def required(name: str, kind: object, *more: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=False, **options)


def whole(*names: str) -> tuple[sa.Column, ...]:
    return tuple(required(name, sa.BigInteger) for name in names)


def upgrade() -> None:
    op.drop_constraint(op.f("ck_jobs_wish"), "jobs")
    op.create_check_constraint(op.f("ck_jobs_wish"), "jobs", "wish IN ('cancel', 'hold', 'release', 'signal')")
    _holds()
    _jobs()
    _notices()
    _marks()
    for table in ("hold_extensions", "notices"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _holds() -> None:
    op.create_table(
        "hold_extensions",
        sa.Column("reference", sa.Text, sa.ForeignKey("holds.reference"), primary_key=True),
        sa.Column("until_seconds", sa.BigInteger, primary_key=True, autoincrement=False),
        *whole("amount_micro"),
        required("created_at", TIME),
        sa.CheckConstraint("until_seconds > 0 AND amount_micro >= 0", name=op.f("ck_hold_extensions_size")),
    )


def _jobs() -> None:
    op.create_table(
        "job_funds",
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), primary_key=True),
        *whole("cores", "nodes", "gpus", "memory_bytes", "slice_seconds", "grace_seconds", "overrun_seconds"),
        required("signal", sa.Text),
        *whole("held_seconds"),
        *(sa.Column(name, TIME) for name in ("running_since", "warned_at", "signalled_at", "stop_at", "stopping_at")),
        sa.CheckConstraint(
            "cores > 0 AND nodes >= 0 AND gpus >= 0 AND memory_bytes >= 0", name=op.f("ck_job_funds_size")
        ),
        sa.CheckConstraint(
            "slice_seconds > 0 AND grace_seconds >= 0 AND overrun_seconds >= 0", name=op.f("ck_job_funds_agreed")
        ),
        sa.CheckConstraint("held_seconds > 0", name=op.f("ck_job_funds_held")),
        sa.CheckConstraint("signalled_at IS NULL OR warned_at IS NOT NULL", name=op.f("ck_job_funds_warned")),
        sa.CheckConstraint("(signalled_at IS NULL) = (stop_at IS NULL)", name=op.f("ck_job_funds_signalled")),
        sa.CheckConstraint("stopping_at IS NULL OR signalled_at IS NOT NULL", name=op.f("ck_job_funds_stopping")),
    )


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id")),
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id")),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.id")),
        required("kind", sa.Text),
        sa.Column("reference", sa.Text),
        required("text_en", sa.Text),
        required("text_zh", sa.Text),
        *whole("amount_micro"),
        sa.Column("level_micro", sa.BigInteger),
        required("currency", sa.Text),
        required("created_at", TIME),
        sa.CheckConstraint("(organisation_id IS NULL) <> (project_id IS NULL)", name=op.f("ck_notices_one_reader")),
        sa.CheckConstraint(
            "kind IN ('wallet-level', 'budget-level', 'landing', 'landing-called-off', 'stopping')",
            name=op.f("ck_notices_kind"),
        ),
    )
    op.create_index("ix_notices_project_id_id", "notices", ["project_id", "id"])
    op.create_index("ix_notices_organisation_id_id", "notices", ["organisation_id", "id"])


def _marks() -> None:
    op.create_table(
        "wallet_marks",
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("level_micro", sa.BigInteger, primary_key=True, autoincrement=False),
        required("is_below", sa.Boolean),
    )
    op.create_table(
        "budget_marks",
        sa.Column("budget_id", sa.Uuid, sa.ForeignKey("budgets.id"), primary_key=True),
        sa.Column("period", sa.Date, primary_key=True),
        sa.Column("percent", sa.BigInteger, primary_key=True, autoincrement=False),
        required("told_at", TIME),
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
