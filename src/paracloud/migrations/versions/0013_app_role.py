"""The application's own role."""

revision = "0013_app_role"
down_revision = "0012_settlement"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("history is not undone; write a new migration")
