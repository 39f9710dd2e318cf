"""What usage had beside cores, nodes, GPUs and memory, by name; and the most of it that a job may be given whose money
is reserved a slice at a time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025_resources"
down_revision = "0024_charges_refer"
branch_labels = None
depends_on = None

COUNTS = """jsonb_typeof(resources) = 'object' AND NOT jsonb_path_exists(resources, '$.* ? (@.type() <> "number" || @ < 0)')"""


def upgrade() -> None:
    for table in ("usage", "job_funds"):
        op.add_column(table, sa.Column("resources", postgresql.JSONB, nullable=False, server_default="{}"))
        op.create_check_constraint(op.f(f"ck_{table}_resources"), table, COUNTS)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
