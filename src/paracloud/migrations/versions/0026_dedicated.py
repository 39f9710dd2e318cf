"""Queues say how many of their cores share a real one, and whether jobs have whole nodes; charges, how many seconds of a run dedicated nodes paid for. A
queue is one customer's at a time; dedicated nodes and budgets that have not begun can be withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0026_dedicated"
down_revision = "0025_resources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queues", sa.Column("threads_per_core", sa.BigInteger(), nullable=False, server_default="1"))
    op.add_column("queues", sa.Column("gives_whole_nodes", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("charges", sa.Column("dedicated_seconds", sa.BigInteger))
    for table in ("dedications", "budgets"):
        op.drop_constraint(op.f(f"ck_{table}_validity"), table)
        op.create_check_constraint(op.f(f"ck_{table}_validity"), table, "valid_to IS NULL OR valid_to >= valid_from")
    # Of those that were agreed before, two may still share a queue: an earlier end makes that no worse.
    op.execute("""
        CREATE OR REPLACE FUNCTION dedications_do_not_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'UPDATE'
             AND tstzrange(NEW.valid_from, NEW.valid_to) <@ tstzrange(OLD.valid_from, OLD.valid_to)
          THEN
            RETURN NEW;
          END IF;
          PERFORM pg_advisory_xact_lock(hashtext('dedications'));
          IF EXISTS (
            SELECT 1 FROM dedications AS other
             WHERE other.id <> NEW.id AND other.centre = NEW.centre AND other.queue = NEW.queue
               AND tstzrange(other.valid_from, other.valid_to) && tstzrange(NEW.valid_from, NEW.valid_to)
          ) THEN
            RAISE EXCEPTION 'two customers would have the nodes of one queue'
              USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'dedications_do_not_overlap';
          END IF;
          RETURN NEW;
        END $$
    """)


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
