"""A project has a product line, and so has a price: one of three. A price may say nothing of cards;
one that is prepared, as a contract, can be withdrawn; both say who
agreed on them."""

import sqlalchemy as sa
from alembic import op

revision = "0017_product_lines"
down_revision = "0016_reconciliations"
branch_labels = None
depends_on = None


TIME = sa.DateTime(timezone=True)
LINES = "product_line IN ('general', 'industry', 'ai')"


def required(name: str, kind: object, *more: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=False, **options)


SAME = {
    "price_versions": "other.product_line = NEW.product_line AND other.centre = NEW.centre AND other.queue = NEW.queue"
    " AND (other.qos, other.project_id, other.organisation_id)"
    " IS NOT DISTINCT FROM (NEW.qos, NEW.project_id, NEW.organisation_id)",
    "contracts": "other.centre = NEW.centre AND other.queue IS NOT DISTINCT FROM NEW.queue",
    "dedications": "other.project_id = NEW.project_id AND other.centre = NEW.centre AND other.queue = NEW.queue",
}


def _no_overlap(table: str, same: str) -> str:
    """As it was, with a name that tells whoever wrote what is wrong."""
    return f"""
        CREATE OR REPLACE FUNCTION {table}_do_not_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_advisory_xact_lock(hashtext('{table}'));
          IF EXISTS (
            SELECT 1 FROM {table} AS other WHERE other.id <> NEW.id AND {same}
              AND tstzrange(other.valid_from, other.valid_to) && tstzrange(NEW.valid_from, NEW.valid_to)
          ) THEN
            RAISE EXCEPTION 'two versions in {table} would hold at the same time'
              USING ERRCODE = 'exclusion_violation', CONSTRAINT = '{table}_do_not_overlap';
          END IF;
          RETURN NEW;
        END $$
    """


def upgrade() -> None:
    _lines()
    _cards()
    _withdrawn()
    _agreed()
    for table, same in SAME.items():
        op.execute(_no_overlap(table, same))


def _lines() -> None:
    """What an operator named otherwise is of the general line from here on. Where two versions would hold at one time
    then, the guard on overlaps says so, and one of them is to be ended first."""
    op.add_column("projects", required("product_line", sa.Text, server_default="general"))
    op.create_check_constraint(op.f("ck_projects_product_line"), "projects", LINES)
    op.create_table(
        "product_line_changes",
        sa.Column("id", sa.Uuid, primary_key=True),
        required("project_id", sa.Uuid, sa.ForeignKey("projects.id"), index=True),
        required("changed_at", TIME),
        *(required(name, sa.Text) for name in ("was", "line", "person")),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON product_line_changes "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("ALTER TABLE price_versions DISABLE TRIGGER agreed")
    op.execute(f"UPDATE price_versions SET product_line = 'general' WHERE NOT {LINES}")
    op.execute("ALTER TABLE price_versions ENABLE TRIGGER agreed")
    op.create_check_constraint(op.f("ck_price_versions_product_line"), "price_versions", LINES)


def _cards() -> None:
    """What holds keeps its price of a card, a zero too."""
    op.alter_column("price_versions", "card_hour", existing_type=sa.Numeric(18, 9), nullable=True)
    op.drop_constraint(op.f("ck_price_versions_rule_alone"), "price_versions")
    op.create_check_constraint(
        op.f("ck_price_versions_rule_alone"),
        "price_versions",
        "rule IS NULL OR (core_hour = 0 AND COALESCE(card_hour, 0) = 0)",
    )


def _withdrawn() -> None:
    """What was prepared and never held ends as it begins: an empty range, which overlaps nothing."""
    for table in ("price_versions", "contracts"):
        op.drop_constraint(op.f(f"ck_{table}_validity"), table)
        op.create_check_constraint(op.f(f"ck_{table}_validity"), table, "valid_to IS NULL OR valid_to >= valid_from")


def _agreed() -> None:
    for table in ("price_versions", "contracts"):
        op.add_column(table, sa.Column("created_at", TIME))
        op.add_column(table, sa.Column("created_by", sa.Text))
        op.add_column(table, sa.Column("ended_by", sa.Text))
    op.execute("""
        CREATE OR REPLACE FUNCTION only_its_end_changes() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'DELETE'
             OR to_jsonb(NEW) - '{valid_to,ended_by}'::text[] <> to_jsonb(OLD) - '{valid_to,ended_by}'::text[]
          THEN
            RAISE EXCEPTION '% keeps what was agreed; end it and add a new row', TG_TABLE_NAME
              USING ERRCODE = 'restrict_violation';
          END IF;
          RETURN NEW;
        END $$
    """)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
