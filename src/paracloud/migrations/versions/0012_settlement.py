"""Settlement with centres."""

revision = "0012_settlement"
down_revision = "0011_receipts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
