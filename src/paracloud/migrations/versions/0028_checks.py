"""A charge is of the project that used it, falls into the month that its usage ended in or the first that was open, and a
reversal takes back what was charged: beside the look at whether the usage is there, for a statement
at once. An import knows when what it stored ended, and when that was reconciled."""

import sqlalchemy as sa
from alembic import op

revision = "0028_checks"
down_revision = "0027_tier_months"
branch_labels = None
depends_on = None

SETTINGS = " ".join(f"SET {name} = off" for name in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"))
"""By index, whatever the plan was made for (0009)."""
# Of amounts a micro-unit for each time that hours were rounded: a package takes them back at what they are worth then.


def upgrade() -> None:
    for name in ("earliest", "latest", "reconciled_at"):
        op.add_column("imports", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    op.execute(f"""
        CREATE FUNCTION charges_suit_their_usage() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = {schema}, pg_temp {SETTINGS} AS $$
        DECLARE charged record;
        BEGIN
          FOR charged IN
            SELECT DISTINCT usage.project_id = fresh.project_id AS is_own, fresh.period,
                   CASE WHEN fresh.is_reversal OR usage.revision <> fresh.revision THEN fresh.period
                        ELSE date_trunc('month', usage.ended_at AT TIME ZONE 'UTC')::date END AS month
              FROM fresh JOIN usage ON usage.id = fresh.usage_id
          LOOP
            IF NOT charged.is_own THEN
              RAISE EXCEPTION 'a charge is of the project that used it' USING ERRCODE = 'check_violation';
            END IF;
            CONTINUE WHEN charged.period = charged.month;
            IF charged.period < charged.month OR NOT EXISTS (
              SELECT 1 FROM billing_periods AS sooner
               WHERE sooner.period = (charged.period - interval '1 month')::date AND sooner.closed_at IS NOT NULL
            ) THEN
              RAISE EXCEPTION 'a charge falls into the month that its usage ended in, or the first that is open'
                USING ERRCODE = 'check_violation';
            END IF;
          END LOOP;
          IF EXISTS (SELECT 1 FROM fresh WHERE is_reversal) AND EXISTS (
            SELECT 1 FROM (SELECT usage_id, revision FROM fresh WHERE is_reversal) AS back
              JOIN charges AS said ON said.usage_id = back.usage_id AND said.revision <= back.revision
             GROUP BY back.usage_id, back.revision
            HAVING (sum(said.credit_micro), sum(said.share_micro), sum(said.owner_micro), sum(said.list_micro))
                   <> (0, 0, 0, 0)
                OR abs(sum(said.amount_micro)) > 2 * (
                     SELECT count(*) FROM package_uses AS use WHERE use.usage_id = back.usage_id)
          ) THEN
            RAISE EXCEPTION 'a reversal takes back what was charged, and nothing else'
              USING ERRCODE = 'check_violation';
          END IF;
          RETURN NULL;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION charges_suit_their_usage() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER suits_usage AFTER INSERT ON charges REFERENCING NEW TABLE AS fresh "
        "FOR EACH STATEMENT EXECUTE FUNCTION charges_suit_their_usage()"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
