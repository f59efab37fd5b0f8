"""How the money of a receipt came, which says until when it can be taken back; sign-ins of mailboxes."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_AT_A_TIME = 10_000
_METHODS = {
    "cheque": "cheque",
    "lockbox": "cheque",
    "cash": "cash",
    "card_payout": "card",
    "payout": "card",
}
_DEBITS = {"EUR": "sepa direct debit", "USD": "ach debit", "GBP": "bacs direct debit"}


def upgrade() -> None:
    """A table, and a column filled from what the bank said where a line is one receipt; else it stays not said."""
    op.create_table(
        "source_sign_in",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_source_sign_in"),
    )
    op.add_column(
        "receipt", sa.Column("method", sa.Text(), nullable=False, server_default=sa.text("'not said'"))
    )
    conn = op.get_bind()
    last = 0
    while rows := conn.execute(_ALONE, {"last": last, "most": _AT_A_TIME}).all():
        found = [
            {"line": row.id, "method": method}
            for row in rows
            if (method := _method(json.loads(row.body)["code_family"], row.currency))
        ]
        if found:
            conn.execute(_FILL, found)
        last = rows[-1].id


_ALONE = sa.text(
    "select l.id, l.body, l.currency from bank_line l join receipt r on r.bank_line_id = l.id "
    "where l.id > :last group by l.id, l.body, l.currency having count(*) = 1 order by l.id limit :most"
)
_FILL = sa.text("update receipt set method = :method where bank_line_id = :line")


def _method(family: str, currency: str) -> str | None:
    if family == "transfer_in":
        return "ach credit" if currency == "USD" else "bank transfer"
    if family == "direct_debit_in":
        return _DEBITS.get(currency, "direct debit")
    return _METHODS.get(family)
