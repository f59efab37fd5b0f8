"""What bank lines are made of, what reports announce before it is booked, and what payers say they pay."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "breakdown",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bank_account_id", sa.Integer(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("file_sha", sa.LargeBinary(length=32), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("proven", sa.Text(), nullable=False),
        sa.Column("bank_line_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breakdown")),
        sa.CheckConstraint("standing in ('provisional', 'detail')", name=op.f("ck_breakdown_standing")),
    )
    op.create_index("ix_breakdown_bank_account_id", "breakdown", ["bank_account_id"], unique=False)
    op.create_table(
        "breakdown_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("breakdown_id", sa.Integer(), nullable=False),
        sa.Column("bank_account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("bank_line_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breakdown_line")),
        sa.UniqueConstraint(
            "bank_account_id",
            "key",
            "occurrence",
            name=op.f("uq_breakdown_line_bank_account_id_key_occurrence"),
        ),
    )
    op.create_index("ix_breakdown_line_breakdown_id", "breakdown_line", ["breakdown_id"], unique=False)
    op.create_table(
        "remittance",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("file_sha", sa.LargeBinary(length=32), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("received", sa.Date(), nullable=False),
        sa.Column("payer_name", sa.Text(), nullable=False),
        sa.Column("payer_account", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("line_key", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("ledger_id", "id", name=op.f("pk_remittance")),
        sa.UniqueConstraint("ledger_id", "key", name=op.f("uq_remittance_ledger_id_key")),
    )
    op.create_table(
        "remittance_line",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("remittance_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=True),
        sa.Column("gross_minor", sa.BigInteger(), nullable=True),
        sa.Column("discount_minor", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ledger_id", "remittance_id", "line", name=op.f("pk_remittance_line")),
    )
