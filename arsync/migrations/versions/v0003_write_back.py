"""Calls that shared one request; what a platform's record says of an item in our name."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column, one table, one index."""
    op.create_index("ix_receipt_part", "receipt", ["ledger_id", "part"])
    op.add_column("command", sa.Column("together", sa.Integer(), nullable=True))
    op.create_table(
        "item_note",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ledger_id", "item_id", name="pk_item_note"),
    )
