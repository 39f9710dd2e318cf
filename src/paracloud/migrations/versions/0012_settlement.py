"""What is agreed with a centre for a whole month, its statements, disputes, and who speaks for it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012_settlement"
down_revision = "0011_receipts"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def required(name: str, kind: object, *more: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=False, **options)


def upgrade() -> None:
    op.add_column("contracts", sa.Column("share_tiers", postgresql.JSONB(none_as_null=True)))
    for name in ("minimum_micro", "fixed_micro"):
        op.add_column("contracts", required(name, sa.BigInteger, server_default="0"))
    op.create_check_constraint(op.f("ck_contracts_month"), "contracts", "minimum_micro >= 0 AND fixed_micro >= 0")
    op.execute("CREATE INDEX ix_charges_period ON charges USING brin (period)")
    op.create_table(
        "centre_people",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("centre", sa.Text, sa.ForeignKey("centres.name"), primary_key=True),
    )
    amounts = ("gross", "share", "tiers", "minimum", "fixed", "fees", "adjusted")
    op.create_table(
        "settlements",
        sa.Column("id", sa.Uuid, primary_key=True),
        required("centre", sa.Text, sa.ForeignKey("centres.name")),
        required("period", sa.Date, sa.ForeignKey("billing_periods.period")),
        required("currency", sa.Text),
        required("state", sa.Text),
        required("charges", sa.BigInteger),
        *(required(f"{name}_micro", sa.BigInteger, server_default="0") for name in amounts),
        required("stated_by", sa.Text),
        required("stated_at", TIME),
        sa.Column("confirmed_by", sa.Text),
        sa.Column("confirmed_at", TIME),
        sa.Column("paid_by", sa.Text),
        sa.Column("paid_at", TIME),
        sa.Column("payment", sa.Text, unique=True),
        sa.UniqueConstraint("centre", "period", "currency", name=op.f("uq_settlements_centre")),
        sa.CheckConstraint(
            "state IN ('stated', 'disputed', 'confirmed', 'paid')", name=op.f("ck_settlements_state")
        ),
        sa.CheckConstraint(
            "(state = 'paid') = (payment IS NOT NULL) AND (state IN ('confirmed', 'paid')) = (confirmed_at IS NOT NULL)",
            name=op.f("ck_settlements_steps"),
        ),
    )
    op.create_table(
        "disputes",
        sa.Column("id", sa.Uuid, primary_key=True),
        required("settlement_id", sa.Uuid, sa.ForeignKey("settlements.id"), index=True),
        required("usage_id", sa.Uuid, sa.ForeignKey("usage.id")),
        required("reason", sa.Text),
        required("person", sa.Text),
        required("opened_at", TIME),
        required("adjusted_micro", sa.BigInteger, server_default="0"),
        sa.Column("answer", sa.Text),
        sa.Column("answered_by", sa.Text),
        sa.Column("answered_at", TIME),
        sa.UniqueConstraint("settlement_id", "usage_id", name=op.f("uq_disputes_settlement_id")),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)",
            name=op.f("ck_disputes_answer"),
        ),
    )
    op.execute("""
        CREATE FUNCTION settlement_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE steps text[] := '{state,adjusted_micro,confirmed_by,confirmed_at,paid_by,paid_at,payment}';
        BEGIN
          IF TG_OP = 'DELETE' OR OLD.state = 'paid' OR to_jsonb(NEW) - steps <> to_jsonb(OLD) - steps THEN
            RAISE EXCEPTION 'what was stated to a centre stays; adjust it by an answered dispute'
              USING ERRCODE = 'restrict_violation';
          END IF;
          RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER stated BEFORE UPDATE OR DELETE ON settlements "
        "FOR EACH ROW EXECUTE FUNCTION settlement_goes_on()"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
