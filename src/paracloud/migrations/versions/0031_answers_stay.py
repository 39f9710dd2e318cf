"""What a centre disputed, and what it was answered, stays: an answer is given once, beside the adjustment that was posted with it."""

from alembic import op

revision = "0031_answers_stay"
down_revision = "0030_unsaid"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION dispute_is_answered_once() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE answered text[] := '{adjusted_micro,answer,answered_by,answered_at}';
        BEGIN
          IF TG_OP = 'DELETE' OR OLD.answer IS NOT NULL OR to_jsonb(NEW) - answered <> to_jsonb(OLD) - answered THEN
            RAISE EXCEPTION 'a dispute is answered once, and stays' USING ERRCODE = 'restrict_violation';
          END IF;
          RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER answered BEFORE UPDATE OR DELETE ON disputes "
        "FOR EACH ROW EXECUTE FUNCTION dispute_is_answered_once()"
    )


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
