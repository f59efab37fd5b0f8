"""The blind sample of automatic applications, errors found later, classes held back; who taught an alias; who approved."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four tables, and columns of two."""
    op.create_table(
        "stratum",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("evidence_class", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ledger_id", "evidence_class", "currency", "digits", name="pk_stratum"),
    )
    op.create_table(
        "sample",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("evidence_class", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint(
            "state in ('asked', 'right', 'wrong', 'stands', 'undone', 'unclear', 'void')",
            name="ck_sample_state",
        ),
        sa.PrimaryKeyConstraint("ledger_id", "decision_id", name="pk_sample"),
    )
    op.create_table(
        "found_error",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("evidence_class", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("ledger_id", "decision_id", name="pk_found_error"),
    )
    op.create_table(
        "held_class",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("evidence_class", sa.Text(), nullable=False),
        sa.Column("held_at", sa.String(length=27), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.String(length=27), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("ledger_id", "evidence_class", "held_at", name="pk_held_class"),
    )
    op.add_column("alias", sa.Column("id", sa.Integer(), nullable=True))
    op.add_column("alias", sa.Column("taught_by", sa.Text(), nullable=True))
    _number_aliases()
    op.add_column("decision", sa.Column("approved_by", sa.Text(), nullable=True))


def _number_aliases() -> None:
    """Give what was learned before its numbers, in the order in which it was learned."""
    conn = op.get_bind()
    rows = conn.execute(
        sa.text(
            "select ledger_id, key, customer_id, since from alias order by ledger_id, since, key, customer_id"
        )
    ).all()
    last: dict[int, int] = {}
    for ledger_id, key, customer_id, since in rows:
        last[ledger_id] = last.get(ledger_id, 0) + 1
        conn.execute(
            sa.text(
                "update alias set id = :id where ledger_id = :ledger_id and key = :key "
                "and customer_id = :customer_id and since = :since"
            ),
            {
                "id": last[ledger_id],
                "ledger_id": ledger_id,
                "key": key,
                "customer_id": customer_id,
                "since": since,
            },
        )
    for ledger_id, number in last.items():
        conn.execute(
            sa.text("insert into counter (ledger_id, name, last) values (:ledger_id, 'alias', :last)"),
            {"ledger_id": ledger_id, "last": number},
        )
