"""The price book whole: quality of service, customers' own prices, volume tiers, packages, credits, dedicated nodes,
budgets, billing periods; a charge says how it was paid, and a reversal is a charge of its own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_price_book"
down_revision = "0009_ledger_plans"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(none_as_null=True)


def required(name: str, kind: object, *more: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=False, **options)


def counted(name: str) -> sa.Column:
    return required(name, sa.BigInteger, server_default="0")


def project(**options: object) -> sa.Column:
    return sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id"), **options)


def upgrade() -> None:
    op.add_column("usage", required("qos", sa.Text, server_default=""))
    _prices_and_contracts()
    _charges()
    _ways_to_pay()
    _budgets()
    for statement in GUARDS:
        op.execute(statement)


def _prices_and_contracts() -> None:
    op.add_column("price_versions", sa.Column("qos", sa.Text))
    op.add_column("price_versions", project())
    op.add_column("price_versions", sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id")))
    op.add_column("price_versions", sa.Column("tiers", JSON))
    op.create_check_constraint(
        op.f("ck_price_versions_one_customer"), "price_versions", "project_id IS NULL OR organisation_id IS NULL"
    )
    op.add_column("contracts", sa.Column("queue", sa.Text))
    op.add_column("contracts", sa.Column("owner_project_id", sa.Uuid, sa.ForeignKey("projects.id")))
    op.add_column("contracts", counted("owner_basis_points"))
    op.create_check_constraint(
        op.f("ck_contracts_owner"),
        "contracts",
        "owner_basis_points >= 0 AND share_basis_points + owner_basis_points <= 10000"
        " AND (owner_project_id IS NULL) = (owner_basis_points = 0)",
    )


def _charges() -> None:
    op.create_table(
        "billing_periods",
        sa.Column("period", sa.Date, primary_key=True),
        sa.Column("closed_at", TIME),
        sa.Column("closed_by", sa.Text),
        sa.CheckConstraint("extract(day FROM period) = 1", name=op.f("ck_billing_periods_month")),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_billing_periods_closed")),
    )
    op.execute("ALTER TABLE charges DISABLE TRIGGER append_only")
    op.add_column("charges", required("is_reversal", sa.Boolean, server_default=sa.false()))
    op.add_column("charges", sa.Column("period", sa.Date))
    op.add_column("charges", sa.Column("contract_id", sa.Uuid, sa.ForeignKey("contracts.id")))
    op.add_column("charges", sa.Column("list_micro", sa.BigInteger))
    for name in ("owner_micro", "package_micro", "credit_micro"):
        op.add_column("charges", counted(name))
    op.add_column("charges", sa.Column("volume_micro", sa.BigInteger))
    op.add_column("charges", sa.Column("dedication_id", sa.Uuid))
    op.add_column("charges", sa.Column("reason", sa.Text))
    op.add_column("charges", sa.Column("person", sa.Text))
    op.execute(
        "UPDATE charges SET period = date_trunc('month', charged_at AT TIME ZONE 'UTC')::date, list_micro = amount_micro"
    )
    op.execute("""
        UPDATE charges SET contract_id = agreed.id FROM usage, contracts AS agreed
         WHERE usage.id = charges.usage_id AND agreed.centre = usage.centre
           AND usage.submitted_at >= agreed.valid_from
           AND (agreed.valid_to IS NULL OR usage.submitted_at < agreed.valid_to)
    """)
    op.execute("INSERT INTO billing_periods (period) SELECT DISTINCT period FROM charges")
    op.alter_column("charges", "period", nullable=False)
    op.alter_column("charges", "list_micro", nullable=False)
    op.alter_column("charges", "contract_id", nullable=False)
    op.drop_constraint("pk_charges", "charges")
    op.create_primary_key("pk_charges", "charges", ["usage_id", "revision", "is_reversal"])
    op.create_check_constraint(
        op.f("ck_charges_reversal"),
        "charges",
        "is_reversal = (reason IS NOT NULL) AND is_reversal = (person IS NOT NULL)",
    )
    op.create_index("ix_charges_project_id_period", "charges", ["project_id", "period"])
    op.drop_index("ix_charges_project_id", "charges")
    op.create_index("ix_charges_entry_id", "charges", ["entry_id"])
    op.execute("ALTER TABLE charges ENABLE TRIGGER append_only")
    op.create_table(
        "volumes",
        sa.Column("payer", sa.Text, primary_key=True),
        sa.Column("price_version_id", sa.Uuid, sa.ForeignKey("price_versions.id"), primary_key=True),
        sa.Column("period", sa.Date, primary_key=True),
        required("list_micro", sa.BigInteger),
    )


def _ways_to_pay() -> None:
    op.create_table(
        "packages",
        sa.Column("id", sa.Uuid, primary_key=True),
        project(nullable=False, index=True),
        required("name", sa.Text),
        required("unit", sa.Text),
        required("total", sa.BigInteger),
        counted("used"),
        counted("reserved"),
        required("price_micro", sa.BigInteger),
        required("currency", sa.Text),
        sa.Column("product_line", sa.Text),
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name")),
        sa.Column("queue", sa.Text),
        required("valid_from", TIME),
        required("expires_at", TIME),
        sa.Column("closed_at", TIME),
        sa.CheckConstraint("unit IN ('core-second', 'card-second', 'micro')", name=op.f("ck_packages_unit")),
        sa.CheckConstraint("total > 0 AND price_micro >= 0", name=op.f("ck_packages_size")),
        sa.CheckConstraint("unit <> 'micro' OR price_micro = 0", name=op.f("ck_packages_credit")),
        sa.CheckConstraint(
            "used >= 0 AND reserved >= 0 AND used + reserved <= total", name=op.f("ck_packages_within")
        ),
        sa.CheckConstraint("expires_at > valid_from", name=op.f("ck_packages_validity")),
        sa.CheckConstraint("queue IS NULL OR centre IS NOT NULL", name=op.f("ck_packages_place")),
        sa.CheckConstraint("closed_at IS NULL OR reserved = 0", name=op.f("ck_packages_closed")),
    )
    op.create_table(
        "package_reservations",
        sa.Column("reference", sa.Text, primary_key=True),
        sa.Column("package_id", sa.Uuid, sa.ForeignKey("packages.id"), primary_key=True),
        required("units", sa.BigInteger),
        sa.CheckConstraint("units >= 0", name=op.f("ck_package_reservations_units")),
    )
    op.create_table(
        "package_uses",
        sa.Column("usage_id", sa.Uuid, sa.ForeignKey("usage.id"), primary_key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("is_reversal", sa.Boolean, primary_key=True),
        sa.Column("package_id", sa.Uuid, sa.ForeignKey("packages.id"), primary_key=True),
        required("units", sa.BigInteger),
        required("micro", sa.BigInteger),
        sa.CheckConstraint("units <> 0", name=op.f("ck_package_uses_units")),
    )
    op.create_index("ix_package_uses_package_id", "package_uses", ["package_id"])
    op.create_table(
        "dedications",
        sa.Column("id", sa.Uuid, primary_key=True),
        project(nullable=False, index=True),
        required("centre", sa.Text, sa.ForeignKey("centres.name")),
        required("queue", sa.Text),
        required("nodes", sa.BigInteger),
        required("monthly_micro", sa.BigInteger),
        required("share_basis_points", sa.BigInteger),
        required("currency", sa.Text),
        required("valid_from", TIME),
        sa.Column("valid_to", TIME),
        sa.CheckConstraint("nodes > 0 AND monthly_micro >= 0", name=op.f("ck_dedications_size")),
        sa.CheckConstraint("share_basis_points BETWEEN 0 AND 10000", name=op.f("ck_dedications_share")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_dedications_validity")),
    )
    op.create_foreign_key(op.f("fk_charges_dedication_id_dedications"), "charges", "dedications", ["dedication_id"], ["id"])
    op.create_table(
        "funding",
        sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id"), primary_key=True),
        counted("credit_line_micro"),
        required("currency", sa.Text),
        sa.Column("hold_seconds", sa.BigInteger),
        required("warn_micro", postgresql.ARRAY(sa.BigInteger), server_default="{}"),
        required("checkpoint_signal", sa.Text, server_default="USR1"),
        required("grace_seconds", sa.BigInteger, server_default="600"),
        sa.CheckConstraint("credit_line_micro >= 0 AND grace_seconds >= 0", name=op.f("ck_funding_not_negative")),
        sa.CheckConstraint("hold_seconds IS NULL OR hold_seconds >= 60", name=op.f("ck_funding_hold")),
    )


def _budgets() -> None:
    op.add_column("holds", sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.id")))
    op.add_column("charges", sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.id")))
    op.create_table(
        "budgets",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), index=True),
        project(index=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.id")),
        required("amount_micro", sa.BigInteger),
        required("currency", sa.Text),
        required("is_monthly", sa.Boolean),
        required("is_hard", sa.Boolean),
        required("warn_percent", postgresql.ARRAY(sa.BigInteger), server_default="{80,100}"),
        required("valid_from", TIME),
        sa.Column("valid_to", TIME),
        sa.CheckConstraint("(organisation_id IS NULL) <> (project_id IS NULL)", name=op.f("ck_budgets_one_payer")),
        sa.CheckConstraint("user_id IS NULL OR project_id IS NOT NULL", name=op.f("ck_budgets_user")),
        sa.CheckConstraint("amount_micro >= 0", name=op.f("ck_budgets_amount")),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_budgets_validity")),
    )


def _no_overlap(table: str, same: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION {table}_do_not_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
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


GUARDS = (
    _no_overlap(
        "price_versions",
        "other.product_line = NEW.product_line AND other.centre = NEW.centre AND other.queue = NEW.queue"
        " AND (other.qos, other.project_id, other.organisation_id)"
        " IS NOT DISTINCT FROM (NEW.qos, NEW.project_id, NEW.organisation_id)",
    ),
    _no_overlap("contracts", "other.centre = NEW.centre AND other.queue IS NOT DISTINCT FROM NEW.queue"),
    _no_overlap(
        "dedications",
        "other.project_id = NEW.project_id AND other.centre = NEW.centre AND other.queue = NEW.queue",
    ),
    "CREATE TRIGGER do_not_overlap BEFORE INSERT OR UPDATE ON dedications "
    "FOR EACH ROW EXECUTE FUNCTION dedications_do_not_overlap()",
    *(
        f"CREATE TRIGGER agreed BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION only_its_end_changes()"
        for table in ("dedications", "budgets")
    ),
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON package_uses "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON packages FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    """
    CREATE FUNCTION package_is_used() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF to_jsonb(NEW) - '{used,reserved,closed_at}'::text[] <> to_jsonb(OLD) - '{used,reserved,closed_at}'::text[]
         OR (OLD.closed_at IS NOT NULL AND NEW IS DISTINCT FROM OLD)
      THEN
        RAISE EXCEPTION 'a package is used, reserved and closed; nothing else of it changes'
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER used BEFORE UPDATE ON packages FOR EACH ROW EXECUTE FUNCTION package_is_used()",
    # Closing takes the row FOR UPDATE, so it waits for every charging that has this lock, and then none can follow.
    """
    CREATE FUNCTION charges_go_into_open_periods() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM (SELECT DISTINCT period FROM fresh) AS wanted) <> (
        SELECT count(*) FROM (
          SELECT 1 FROM billing_periods AS open
           WHERE open.period IN (SELECT DISTINCT period FROM fresh) AND open.closed_at IS NULL FOR KEY SHARE
        ) AS locked
      ) THEN
        RAISE EXCEPTION 'this billing period is closed' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER period_is_open AFTER INSERT ON charges REFERENCING NEW TABLE AS fresh "
    "FOR EACH STATEMENT EXECUTE FUNCTION charges_go_into_open_periods()",
    """
    CREATE FUNCTION closed_is_closed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL OR NEW.period <> OLD.period THEN
        RAISE EXCEPTION 'a closed billing period stays closed' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER closed BEFORE UPDATE OR DELETE ON billing_periods "
    "FOR EACH ROW EXECUTE FUNCTION closed_is_closed()",
)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
