"""When a job was handed over to the centre where it is: its wait there begins then."""

import sqlalchemy as sa
from alembic import op

revision = "0038_moved_at"
down_revision = "0037_provisions"
branch_labels = None
depends_on = None

MOVED = """
    UPDATE jobs SET moved_at = (SELECT max(ended_at) FROM job_moves WHERE job_id = jobs.id AND step = 'moved')
     WHERE moves > 0
"""


def upgrade() -> None:
    op.add_column("jobs", sa.Column("moved_at", sa.DateTime(timezone=True)))
    op.execute(MOVED)
    op.create_check_constraint(op.f("ck_jobs_moved"), "jobs", "(moves = 0) = (moved_at IS NULL)")


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
