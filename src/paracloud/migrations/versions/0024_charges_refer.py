"""That the usage, the project, the price, the contract and the entry of a charge are there is looked up once for a
statement, as it is for postings (decisions/0007). None of them is ever deleted or renumbered, by triggers."""

from alembic import op

revision = "0024_charges_refer"
down_revision = "0023_receipt_queue"
branch_labels = None
depends_on = None

SETTINGS = " ".join(f"SET {name} = off" for name in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"))
"""By index, whatever the plan was made for (0009)."""

REFERRED = {
    "usage_id": ("usage", "a usage"),
    "price_version_id": ("price_versions", "a price"),
    "contract_id": ("contracts", "a contract"),
    "entry_id": ("ledger_entries", "an entry that is there"),
}


def upgrade() -> None:
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    for column in (*REFERRED, "project_id"):
        op.execute(f"ALTER TABLE charges DROP CONSTRAINT {_key(column)}")
    op.execute(f"""
        CREATE FUNCTION charges_refer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = {schema}, pg_temp {SETTINGS} AS $$
        BEGIN
          {" ".join(_look(column, *at) for column, at in REFERRED.items())}
          {PROJECTS}
          RETURN NULL;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION charges_refer() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER refer AFTER INSERT ON charges REFERENCING NEW TABLE AS fresh "
        "FOR EACH STATEMENT EXECUTE FUNCTION charges_refer()"
    )
    for table, words in (
        ("price_versions", "TRUNCATE"),
        ("contracts", "TRUNCATE"),
        ("projects", "DELETE OR TRUNCATE OR UPDATE OF id"),
    ):
        op.execute(f"CREATE TRIGGER kept BEFORE {words} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def _key(column: str) -> str:
    find = (
        "SELECT quote_ident(conname) FROM pg_constraint AS one JOIN pg_attribute AS of "
        "ON of.attrelid = one.conrelid AND one.conkey = ARRAY[of.attnum] "
        "WHERE one.conrelid = 'charges'::regclass AND one.contype = 'f' AND of.attname = $1"
    )
    return str(op.get_bind().exec_driver_sql(find, (column,)).scalar_one())


def _look(column: str, table: str, what: str) -> str:
    return f"""
        IF EXISTS (SELECT 1 FROM (SELECT DISTINCT {column} FROM fresh WHERE {column} IS NOT NULL) AS named
                    WHERE NOT EXISTS (SELECT 1 FROM {table} AS one WHERE one.id = named.{column})) THEN
          RAISE EXCEPTION 'a charge has {what}' USING ERRCODE = 'foreign_key_violation';
        END IF;
    """


# Whoever begins a chain of receipts locks the project's row, and comes so before or after each of its charges.
PROJECTS = """
  IF (SELECT count(DISTINCT project_id) FROM fresh) <> (
    SELECT count(*) FROM (
      SELECT 1 FROM projects AS one WHERE one.id IN (SELECT DISTINCT project_id FROM fresh)
       ORDER BY one.id FOR KEY SHARE
    ) AS locked
  ) THEN
    RAISE EXCEPTION 'a charge has a project' USING ERRCODE = 'foreign_key_violation';
  END IF;
"""


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
