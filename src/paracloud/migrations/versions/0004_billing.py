"""Prices, contracts, the ledger and its guards, holds, charges."""

import sqlalchemy as sa
from alembic import op

revision = "0004_billing"
down_revision = "0003_metering"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
UNIT_PRICE = sa.Numeric(18, 9)


def required(name: str, kind: object, *more: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=False, **options)


def upgrade() -> None:
    _prices()
    _ledger()
    _charges()
    for statement in GUARDS:
        op.execute(statement)


def _prices() -> None:
    op.create_table(
        "price_versions",
        sa.Column("id", sa.Uuid, primary_key=True),
        required("product_line", sa.Text),
        required("centre", sa.Text, sa.ForeignKey("centres.name")),
        required("queue", sa.Text),
        required("core_hour", UNIT_PRICE),
        required("card_hour", UNIT_PRICE),
        required("currency", sa.Text),
        required("valid_from", TIME),
        sa.Column("valid_to", TIME),
        sa.CheckConstraint("core_hour >= 0 AND card_hour >= 0", name=op.f("ck_price_versions_not_negative")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_price_versions_validity")),
    )
    op.create_index("ix_price_versions_centre_queue", "price_versions", ["centre", "queue"])
    op.create_table(
        "contracts",
        sa.Column("id", sa.Uuid, primary_key=True),
        required("centre", sa.Text, sa.ForeignKey("centres.name")),
        required("share_basis_points", sa.BigInteger),
        required("valid_from", TIME),
        sa.Column("valid_to", TIME),
        sa.CheckConstraint("share_basis_points BETWEEN 0 AND 10000", name=op.f("ck_contracts_share")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_contracts_validity")),
    )
    op.create_index("ix_contracts_centre", "contracts", ["centre"])


def _ledger() -> None:
    op.create_table(
        "ledger_accounts",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        required("code", sa.Text, unique=True),
        required("currency", sa.Text),
        required("balance_micro", sa.BigInteger),
        sa.CheckConstraint("code NOT LIKE 'held:%' OR balance_micro >= 0", name=op.f("ck_ledger_accounts_held")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Uuid, primary_key=True),
        required("key", sa.Text, unique=True),
        required("kind", sa.Text),
        sa.Column("reference", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("person", sa.Text),
        required("created_at", TIME),
    )
    op.create_index("ix_ledger_entries_reference", "ledger_entries", ["reference"])
    op.create_table(
        "ledger_postings",
        sa.Column("entry_id", sa.Uuid, sa.ForeignKey("ledger_entries.id"), primary_key=True),
        sa.Column(
            "account_id", sa.BigInteger, sa.ForeignKey("ledger_accounts.id"), primary_key=True, autoincrement=False
        ),
        required("micro", sa.BigInteger),
        sa.CheckConstraint("micro <> 0", name=op.f("ck_ledger_postings_not_zero")),
    )
    op.create_index("ix_ledger_postings_account_id_entry_id", "ledger_postings", ["account_id", "entry_id"])
    op.create_table(
        "holds",
        sa.Column("reference", sa.Text, primary_key=True),
        required("project_id", sa.Uuid, sa.ForeignKey("projects.id"), index=True),
        required("amount_micro", sa.BigInteger),
        required("captured_micro", sa.BigInteger),
        required("currency", sa.Text),
        sa.Column("released_at", TIME),
        sa.CheckConstraint("amount_micro >= 0 AND captured_micro >= 0", name=op.f("ck_holds_not_negative")),
        sa.CheckConstraint("captured_micro <= amount_micro", name=op.f("ck_holds_within")),
    )


def _charges() -> None:
    op.create_table(
        "charges",
        sa.Column("usage_id", sa.Uuid, sa.ForeignKey("usage.id"), primary_key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        required("project_id", sa.Uuid, sa.ForeignKey("projects.id"), index=True),
        sa.Column("reference", sa.Text),
        required("price_version_id", sa.Uuid, sa.ForeignKey("price_versions.id")),
        *(required(name, sa.BigInteger) for name in ("share_basis_points", "amount_micro", "share_micro")),
        required("currency", sa.Text),
        required("is_duplicate", sa.Boolean),
        sa.Column("entry_id", sa.Uuid, sa.ForeignKey("ledger_entries.id")),
        required("charged_at", TIME),
    )
    op.create_index("ix_charges_reference", "charges", ["reference"])
    op.create_table(
        "unrated_usage",
        sa.Column("usage_id", sa.Uuid, sa.ForeignKey("usage.id"), primary_key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        required("reason_en", sa.Text),
        required("reason_zh", sa.Text),
        required("listed_at", TIME),
    )


def _no_overlap(table: str, same: str) -> tuple[str, str]:
    """The wheel's PostgreSQL has no btree_gist, so no exclusion constraint on text: one writer at a time, and a look."""
    function = f"""
        CREATE FUNCTION {table}_do_not_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_advisory_xact_lock(hashtext('{table}'));
          IF EXISTS (
            SELECT 1 FROM {table} AS other WHERE other.id <> NEW.id AND {same}
              AND tstzrange(other.valid_from, other.valid_to) && tstzrange(NEW.valid_from, NEW.valid_to)
          ) THEN
            RAISE EXCEPTION 'two versions in {table} would hold at the same time' USING ERRCODE = 'exclusion_violation';
          END IF;
          RETURN NEW;
        END $$
    """
    trigger = (
        f"CREATE TRIGGER do_not_overlap BEFORE INSERT OR UPDATE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_do_not_overlap()"
    )
    return function, trigger


def _append_only(table: str) -> str:
    return (
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


GUARDS = (
    *_no_overlap(
        "price_versions",
        "other.product_line = NEW.product_line AND other.centre = NEW.centre AND other.queue = NEW.queue",
    ),
    *_no_overlap("contracts", "other.centre = NEW.centre"),
    """
    CREATE FUNCTION only_its_end_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'valid_to' <> to_jsonb(OLD) - 'valid_to' THEN
        RAISE EXCEPTION '% keeps what was agreed; end it and add a new row', TG_TABLE_NAME
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    *(
        f"CREATE TRIGGER agreed BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION only_its_end_changes()"
        for table in ("price_versions", "contracts")
    ),
    # All postings of an entry come in one statement, so the statement can be judged as a whole, without a deferred
    # trigger per row: each of its entries is at zero in each currency, and had no postings before.
    """
    CREATE FUNCTION postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (
        SELECT 1 FROM fresh JOIN ledger_accounts AS account ON account.id = fresh.account_id
         GROUP BY fresh.entry_id, account.currency HAVING sum(fresh.micro) <> 0
      ) THEN
        RAISE EXCEPTION 'the postings of an entry must sum to zero' USING ERRCODE = 'check_violation';
      END IF;
      IF (SELECT count(*) FROM ledger_postings WHERE entry_id IN (SELECT entry_id FROM fresh))
         <> (SELECT count(*) FROM fresh)
      THEN
        RAISE EXCEPTION 'an entry is posted whole, in one statement' USING ERRCODE = 'restrict_violation';
      END IF;
      UPDATE ledger_accounts AS account SET balance_micro = account.balance_micro + moved.micro
        FROM (SELECT account_id, sum(micro)::bigint AS micro FROM fresh GROUP BY account_id) AS moved
       WHERE account.id = moved.account_id;
      RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER balance AFTER INSERT ON ledger_postings REFERENCING NEW TABLE AS fresh "
    "FOR EACH STATEMENT EXECUTE FUNCTION postings_balance()",
    # Nobody writes a balance by hand: only the trigger above does, and triggers nest.
    """
    CREATE FUNCTION balance_is_derived() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' AND NEW.balance_micro <> 0
         OR TG_OP = 'UPDATE' AND pg_trigger_depth() < 2 AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'a balance is the sum of its postings; post an entry' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER derived BEFORE INSERT OR UPDATE ON ledger_accounts "
    "FOR EACH ROW EXECUTE FUNCTION balance_is_derived()",
    *(_append_only(table) for table in ("ledger_entries", "ledger_postings", "charges")),
)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
