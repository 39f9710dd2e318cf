"""That a posting's entry and account are there is looked up once for a statement, not once for each row and each of both.

Neither is ever deleted or renumbered, by triggers, so that nothing can take one away after the look (decisions/0007).
"""

from alembic import op

revision = "0022_postings_refer"
down_revision = "0021_history"
branch_labels = None
depends_on = None

SETTINGS = " ".join(f"SET {name} = off" for name in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"))
"""By index, whatever the plan was made for (0009)."""


def upgrade() -> None:
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    for column in ("account_id", "entry_id"):
        op.drop_constraint(op.f(f"fk_ledger_postings_{column}"), "ledger_postings")
    op.execute(f"""
        CREATE FUNCTION postings_refer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = {schema}, pg_temp {SETTINGS} AS $$
        BEGIN
          IF EXISTS (SELECT 1 FROM (SELECT DISTINCT entry_id FROM fresh) AS named
                      WHERE NOT EXISTS (SELECT 1 FROM ledger_entries AS entry WHERE entry.id = named.entry_id)) THEN
            RAISE EXCEPTION 'a posting has an entry' USING ERRCODE = 'foreign_key_violation';
          END IF;
          IF EXISTS (SELECT 1 FROM (SELECT DISTINCT account_id FROM fresh) AS named
                      WHERE NOT EXISTS (SELECT 1 FROM ledger_accounts AS account WHERE account.id = named.account_id)) THEN
            RAISE EXCEPTION 'a posting has an account' USING ERRCODE = 'foreign_key_violation';
          END IF;
          RETURN NULL;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION postings_refer() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER refer AFTER INSERT ON ledger_postings REFERENCING NEW TABLE AS fresh "
        "FOR EACH STATEMENT EXECUTE FUNCTION postings_refer()"
    )
    op.execute(
        "CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON ledger_accounts "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
