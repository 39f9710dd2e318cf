"""Balances are the ledger's alone: the trigger that keeps them acts as the tables' owner, since the application's role
(migrations.role, migrations.grants) may not; a hold only gives, and is released once."""

from alembic import op

revision = "0013_app_role"
down_revision = "0012_settlement"
branch_labels = None
depends_on = None

HOLD_MOVES_ON = """
    CREATE FUNCTION hold_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'a hold only gives, and is released once' USING ERRCODE = 'restrict_violation';
    END $$
"""
MOVES_ON = """
    CREATE TRIGGER moves_on BEFORE UPDATE ON holds FOR EACH ROW
      WHEN (OLD.released_at IS NOT NULL OR NEW.captured_micro < OLD.captured_micro OR NEW.amount_micro < OLD.amount_micro)
      EXECUTE FUNCTION hold_moves_on()
"""


def upgrade() -> None:
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    # Names are looked up in the owner's schema alone, whatever the caller's search path says.
    op.execute(f"ALTER FUNCTION postings_balance() SECURITY DEFINER SET search_path = {schema}, pg_temp")
    op.execute("REVOKE ALL ON FUNCTION postings_balance() FROM PUBLIC")
    op.execute(HOLD_MOVES_ON)
    op.execute(MOVES_ON)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
