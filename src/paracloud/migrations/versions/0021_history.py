"""An import counts the tries that failed; a look counts what a centre need not tell; a centre may have history alone."""

import sqlalchemy as sa
from alembic import op

revision = "0021_history"
down_revision = "0020_settling"
branch_labels = None
depends_on = None

WAY = "{0}.name, {0}.host, {0}.port, {0}.host_key, {0}.dialect, {0}.service_account"
ONCE = """
    CREATE FUNCTION centre_is_connected_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a centre is connected once: the way to % stays as it is', OLD.name
          USING ERRCODE = 'restrict_violation';
    END $$
"""


def upgrade() -> None:
    op.add_column("imports", sa.Column("crashes", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("reconciliations", sa.Column("untold", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(ONCE)
    op.execute(
        "CREATE TRIGGER connected_once BEFORE UPDATE ON centres FOR EACH ROW "
        f"WHEN (OLD.host <> '' AND ({WAY.format('OLD')}) IS DISTINCT FROM ({WAY.format('NEW')})) "
        "EXECUTE FUNCTION centre_is_connected_once()"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
