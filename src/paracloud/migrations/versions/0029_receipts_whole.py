"""What a closed package would get back goes to the wallet, and is kept as that: the charge says so too."""

import sqlalchemy as sa
from alembic import op

revision = "0029_receipts_whole"
down_revision = "0028_checks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("package_uses", sa.Column("returned_micro", sa.BigInteger, nullable=False, server_default="0"))
    op.create_check_constraint(
        op.f("ck_package_uses_returned"),
        "package_uses",
        "returned_micro = 0 OR (returned_micro < 0 AND units < 0 AND micro = 0)",
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
