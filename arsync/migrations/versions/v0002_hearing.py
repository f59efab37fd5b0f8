"""What a platform tells: that something changed, and properties nobody announced."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("connection", sa.Column("heard_at", sa.String(length=27), nullable=True))
    op.add_column("connection", sa.Column("heeded_at", sa.String(length=27), nullable=True))
    op.create_table(
        "unknown_field",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "name", name=op.f("pk_unknown_field")),
    )
