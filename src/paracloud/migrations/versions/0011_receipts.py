"""Receipts."""

revision = "0011_receipts"
down_revision = "0010_price_book"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
