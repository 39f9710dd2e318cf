"""A price may say nothing of cards."""

import sqlalchemy as sa
from alembic import op

revision = "0017_product_lines"
down_revision = "0016_reconciliations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _cards()


def _cards() -> None:
    """What holds keeps its price of a card, a zero too."""
    op.alter_column("price_versions", "card_hour", existing_type=sa.Numeric(18, 9), nullable=True)
    op.drop_constraint(op.f("ck_price_versions_rule_alone"), "price_versions")
    op.create_check_constraint(
        op.f("ck_price_versions_rule_alone"),
        "price_versions",
        "rule IS NULL OR (core_hour = 0 AND COALESCE(card_hour, 0) = 0)",
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
