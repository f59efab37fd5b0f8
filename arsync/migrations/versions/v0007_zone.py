"""Where a ledger's day begins."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column; the books are read again and tell it."""
    op.add_column("ledger", sa.Column("zone", sa.Text(), nullable=True))
