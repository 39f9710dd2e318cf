"""What the application's role (migrations.role, migrations.grants) could still do by a wrong word is refused too.

Balances are the ledger's alone: the trigger that keeps them acts as the tables' owner, since the role may not. An entry
has its postings when it is committed, a hold only gives and is released once, usage stops waiting for its price when it
is charged, and no month before a closed one is opened."""

from alembic import op

revision = "0013_app_role"
down_revision = "0012_settlement"
branch_labels = None
depends_on = None


def _refusing(name: str, why: str, where: str = "TRUE", settings: str = "") -> str:
    return f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {settings} AS $$
        BEGIN
          IF {where} THEN RAISE EXCEPTION '{why}' USING ERRCODE = 'restrict_violation'; END IF;
          RETURN NULL;
        END $$
    """


BY_INDEX = "SET enable_seqscan = off"
"""A function keeps the plan of its first calls, when the tables were small."""
GUARDS = (
    _refusing(
        "entry_is_posted",
        "an entry is posted in its own transaction",
        "NOT EXISTS (SELECT 1 FROM ledger_postings WHERE entry_id = NEW.id)",
        BY_INDEX,
    ),
    "CREATE CONSTRAINT TRIGGER posted AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION entry_is_posted()",
    _refusing("hold_moves_on", "a hold only gives, and is released once"),
    "CREATE TRIGGER moves_on BEFORE UPDATE ON holds FOR EACH ROW WHEN (OLD.released_at IS NOT NULL "
    "OR NEW.captured_micro < OLD.captured_micro OR NEW.amount_micro < OLD.amount_micro) "
    "EXECUTE FUNCTION hold_moves_on()",
    _refusing(
        "unrated_is_charged",
        "usage waits for its price until it is charged",
        "EXISTS (SELECT 1 FROM gone WHERE NOT EXISTS (SELECT 1 FROM charges "
        "WHERE charges.usage_id = gone.usage_id AND charges.revision >= gone.revision))",
        BY_INDEX,
    ),
    "CREATE TRIGGER charged AFTER DELETE ON unrated_usage REFERENCING OLD TABLE AS gone "
    "FOR EACH STATEMENT EXECUTE FUNCTION unrated_is_charged()",
    _refusing(
        "months_go_on",
        "a later billing period is closed",
        "EXISTS (SELECT 1 FROM billing_periods AS one WHERE one.period > NEW.period AND one.closed_at IS NOT NULL)",
    ),
    "CREATE TRIGGER goes_on AFTER INSERT ON billing_periods FOR EACH ROW EXECUTE FUNCTION months_go_on()",
)


def upgrade() -> None:
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    # Names are looked up in the owner's schema alone, whatever the caller's search path says.
    op.execute(f"ALTER FUNCTION postings_balance() SECURITY DEFINER SET search_path = {schema}, pg_temp")
    op.execute("REVOKE ALL ON FUNCTION postings_balance() FROM PUBLIC")
    for statement in GUARDS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
