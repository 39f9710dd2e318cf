"""An import counts the tries that failed; a look counts what a centre need not tell; a centre may have history alone."""

import sqlalchemy as sa
from alembic import op

revision = "0021_history"
down_revision = "0020_settling"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imports", sa.Column("crashes", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("reconciliations", sa.Column("untold", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
