"""The ledger's trigger looks up what it needs by index, whatever it was first called with.

A function keeps the plan of its first calls. Planned for a batch, it read the whole of ledger_postings at every single
entry from then on.
"""

from alembic import op

revision = "0009_ledger_plans"
down_revision = "0008_price_rules"
branch_labels = None
depends_on = None

SETTINGS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


def upgrade() -> None:
    for setting in SETTINGS:
        op.execute(f"ALTER FUNCTION postings_balance() SET {setting} = off")


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
