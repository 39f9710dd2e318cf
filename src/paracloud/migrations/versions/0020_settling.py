"""Shares by tiers stay, with the lender's part, within the whole."""

from alembic import op

revision = "0020_settling"
down_revision = "0016_reconciliations"
branch_labels = None
depends_on = None


def upgrade() -> None:
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


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
