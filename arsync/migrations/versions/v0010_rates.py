"""Exchange rates, as published."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table of its own; nothing of before has a rate."""
    op.create_table(
        "rate",
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("low", sa.String(3), nullable=False),
        sa.Column("high", sa.String(3), nullable=False),
        sa.Column("one", sa.String(3), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("on_date", "low", "high", name="pk_rate"),
    )
