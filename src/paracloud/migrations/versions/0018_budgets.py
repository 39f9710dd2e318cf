"""A hold says the most that its job can cost, whoever pays: what budgets count."""

import sqlalchemy as sa
from alembic import op

revision = "0018_budgets"
down_revision = "0017_product_lines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _ceilings()


def _ceilings() -> None:
    op.add_column("holds", sa.Column("ceiling_micro", sa.BigInteger))
    # A released hold is changed by nobody else.
    op.execute("ALTER TABLE holds DISABLE TRIGGER moves_on")
    op.execute("UPDATE holds SET ceiling_micro = amount_micro")
    op.execute("ALTER TABLE holds ENABLE TRIGGER moves_on")
    op.alter_column("holds", "ceiling_micro", nullable=False)
    op.create_check_constraint(op.f("ck_holds_ceiling"), "holds", "amount_micro <= ceiling_micro")
    op.drop_index("ix_holds_project_id", "holds")
    op.create_index("ix_holds_open", "holds", ["project_id"], postgresql_where=sa.text("released_at IS NULL"))
    op.execute("DROP TRIGGER moves_on ON holds")
    op.execute(
        "CREATE TRIGGER moves_on BEFORE UPDATE ON holds FOR EACH ROW WHEN (OLD.released_at IS NOT NULL "
        "OR NEW.captured_micro < OLD.captured_micro OR NEW.amount_micro < OLD.amount_micro "
        "OR NEW.ceiling_micro < OLD.ceiling_micro) EXECUTE FUNCTION hold_moves_on()"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
