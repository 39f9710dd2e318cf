"""A price version may be a charging rule."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_price_rules"
down_revision = "0007_api"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("price_versions", sa.Column("rule", postgresql.JSONB(none_as_null=True)))
    op.create_check_constraint(
        op.f("ck_price_versions_rule_alone"), "price_versions", "rule IS NULL OR (core_hour = 0 AND card_hour = 0)"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
