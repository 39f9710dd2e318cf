"""Centres, lent accounts, queues, health, leases."""

import sqlalchemy as sa
from alembic import op

revision = "0002_centres"
down_revision = "0001_identity"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def required(name: str, kind: object) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "centres",
        sa.Column("name", sa.Text, primary_key=True),
        *(required(name, sa.Text) for name in ("title_en", "title_zh", "host")),
        required("port", sa.BigInteger),
        *(required(name, sa.Text) for name in ("host_key", "dialect", "service_account")),
        *(required(name, sa.BigInteger) for name in ("commands_per_minute", "patience_seconds", "overrun_seconds")),
        required("region", sa.Text),
        required("is_enabled", sa.Boolean),
        required("connected_at", TIME),
        sa.CheckConstraint("name ~ '^[a-z][a-z0-9-]{0,30}$'", name=op.f("ck_centres_name")),
        sa.CheckConstraint("port BETWEEN 1 AND 65535", name=op.f("ck_centres_port")),
        sa.CheckConstraint("commands_per_minute > 0", name=op.f("ck_centres_budget")),
        sa.CheckConstraint("patience_seconds > 0 AND overrun_seconds >= 0", name=op.f("ck_centres_patience")),
    )
    op.create_table(
        "centre_accounts",
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id")),
        sa.Column("assigned_at", TIME),
        sa.UniqueConstraint("centre", "project_id"),
    )
    counts = ("nodes", "cores", "free_cores", "free_nodes", "cores_per_node", "memory_per_node_bytes", "gpus_per_node")
    op.create_table(
        "queues",
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), primary_key=True),
        sa.Column("queue", sa.Text, primary_key=True),
        required("is_up", sa.Boolean),
        required("is_default", sa.Boolean),
        *(required(name, sa.BigInteger) for name in counts),
        sa.Column("gpu_model", sa.Text),
        required("free_gpus", sa.BigInteger),
        sa.Column("max_wall_seconds", sa.BigInteger),
        sa.Column("max_nodes", sa.BigInteger),
        required("seen_at", TIME),
    )
    op.create_table(
        "centre_health",
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), primary_key=True),
        required("checked_at", TIME),
        required("failures", sa.BigInteger),
        sa.Column("failing_since", TIME),
        sa.Column("error_en", sa.Text),
        sa.Column("error_zh", sa.Text),
    )
    op.create_table(
        "centre_leases",
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), primary_key=True),
        required("holder", sa.Text),
        required("fence", sa.BigInteger),
        required("expires_at", TIME),
        sa.CheckConstraint("fence > 0", name=op.f("ck_centre_leases_fence")),
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
