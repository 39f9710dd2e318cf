"""The price book."""

revision = "0010_price_book"
down_revision = "0009_ledger_plans"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
