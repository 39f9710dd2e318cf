"""What is charged at a price with tiers says whose month's volume it counts in: that of the bill on which the usage was
first. Corrections and reversals of before counted in the month that they were posted in: volumes are summed anew."""

import sqlalchemy as sa
from alembic import op

revision = "0027_tier_months"
down_revision = "0026_dedicated"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("charges", sa.Column("volume_month", sa.Date))
    op.execute("ALTER TABLE charges DISABLE TRIGGER append_only")
    op.execute("""
        UPDATE charges SET volume_month = first.period
          FROM (SELECT DISTINCT ON (usage_id) usage_id, period FROM charges ORDER BY usage_id, revision, is_reversal)
               AS first
         WHERE first.usage_id = charges.usage_id AND charges.volume_micro IS NOT NULL
    """)
    op.execute("ALTER TABLE charges ENABLE TRIGGER append_only")
    op.create_check_constraint(
        op.f("ck_charges_volume"), "charges", "(volume_micro IS NULL) = (volume_month IS NULL)"
    )
    op.execute("UPDATE volumes SET list_micro = 0")
    op.execute("""
        INSERT INTO volumes (payer, price_version_id, period, list_micro)
        SELECT CASE WHEN price.organisation_id IS NULL THEN 'project:' || charge.project_id
                    ELSE 'organisation:' || price.organisation_id END,
               charge.price_version_id, charge.volume_month, sum(charge.list_micro)
          FROM charges AS charge JOIN price_versions AS price ON price.id = charge.price_version_id
         WHERE charge.volume_month IS NOT NULL GROUP BY 1, 2, 3
        ON CONFLICT (payer, price_version_id, period) DO UPDATE SET list_micro = EXCLUDED.list_micro
    """)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
