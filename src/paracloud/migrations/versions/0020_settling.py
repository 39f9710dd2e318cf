"""Shares by tiers stay, with the lender's part, within the whole; what each contract has of a statement is kept;
the operator is told of disputes, which may be of no line."""

import sqlalchemy as sa
from alembic import op

revision = "0020_settling"
down_revision = "0019_decisions"
branch_labels = None
depends_on = None

KINDS = (
    "wallet-level", "budget-level", "landing", "landing-called-off", "stopping", "reconciliation", "dedication-lapsed",
    "settlement-disputed",
)  # fmt: skip


def required(name: str, kind: object, *more: object, **options: object) -> sa.Column:
    return sa.Column(name, kind, *more, nullable=False, **options)


def upgrade() -> None:
    _shares()
    _sums()
    _notices()
    op.alter_column("disputes", "usage_id", nullable=True)


def _shares() -> None:
    # Upon what is new alone: what was agreed before stays, and can be ended.
    op.execute("""
        CREATE FUNCTION shares_are_within_the_whole() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT 1 FROM jsonb_array_elements(NEW.share_tiers) AS tier
                      WHERE (tier->>'rate')::numeric * 10000 + NEW.owner_basis_points > 10000) THEN
            RAISE EXCEPTION 'a tier of the centre''s share and the lender''s part come to more than 100 %%'
              USING ERRCODE = 'check_violation';
          END IF;
          RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER shares BEFORE INSERT ON contracts FOR EACH ROW EXECUTE FUNCTION shares_are_within_the_whole()"
    )


def _sums() -> None:
    amounts = ("gross", "share", "late_gross", "late_share", "owner", "tiers", "minimum", "fixed")
    op.create_table(
        "settlement_contracts",
        sa.Column("settlement_id", sa.Uuid, sa.ForeignKey("settlements.id"), primary_key=True),
        sa.Column("contract_id", sa.Uuid, sa.ForeignKey("contracts.id"), primary_key=True),
        required("charges", sa.BigInteger),
        *(required(f"{name}_micro", sa.BigInteger) for name in amounts),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_contracts "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _notices() -> None:
    op.drop_constraint(op.f("ck_notices_kind"), "notices")
    op.create_check_constraint(op.f("ck_notices_kind"), "notices", f"kind IN {KINDS}")


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
