"""Imported logs."""

revision = "0014_imports"
down_revision = "0013_app_role"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
