"""Which quantities of a usage no source has told, so that a price which charges one of them has no answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030_unsaid"
down_revision = "0028_checks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("usage", sa.Column("unsaid", postgresql.JSONB, nullable=False, server_default="[]"))


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
