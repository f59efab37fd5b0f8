"""Promises to pay, reminders on record, and the day on which the books expect an item's money."""

import json
import re
import zlib
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
import zstandard
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_AT_A_TIME = 1_000
_ZSTD = b"\x28\xb5\x2f\xfd"
_STAMP = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


def upgrade() -> None:
    """Three tables, and a column that is filled from the records of Xero as they were read."""
    op.create_table(
        "item_expected",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("before", sa.Date()),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ledger_id", "item_id", name="pk_item_expected"),
    )
    op.create_table(
        "promise",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("by_date", sa.Date(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("superseded_by", sa.Integer()),
        sa.Column("withdrawn_at", sa.String(27)),
        sa.Column("withdrawn_by", sa.Text()),
        sa.Column("withdrawn_why", sa.Text()),
        sa.PrimaryKeyConstraint("ledger_id", "id", name="pk_promise"),
    )
    op.create_index("ix_promise_item", "promise", ["ledger_id", "item_id"])
    op.create_table(
        "reminder",
        sa.Column("ledger_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("ledger_id", "id", name="pk_reminder"),
        sa.CheckConstraint("way in ('mail', 'letter', 'phone', 'not said')", name="ck_reminder_way"),
    )
    op.create_index("ix_reminder_item", "reminder", ["ledger_id", "item_id"])
    op.add_column("item", sa.Column("expected", sa.Date()))
    conn = op.get_bind()
    last = (0, 0)
    while rows := conn.execute(_OPEN, {"ledger": last[0], "id": last[1], "most": _AT_A_TIME}).all():
        found = [
            {"ledger": row.ledger_id, "id": row.id, "expected": expected}
            for row in rows
            if (expected := _expected(bytes(row.body))) is not None
        ]
        if found:
            conn.execute(_FILL, found)
        last = (rows[-1].ledger_id, rows[-1].id)


_OPEN = sa.text(
    "select i.ledger_id, i.id, r.body from item i join raw r on r.sha = i.raw_sha "
    "join ledger l on l.id = i.ledger_id join connection c on c.id = l.connection_id "
    "where c.platform = 'xero' and i.kind = 'invoice' and i.open_minor <> 0 "
    "and (i.ledger_id > :ledger or (i.ledger_id = :ledger and i.id > :id)) "
    "order by i.ledger_id, i.id limit :most"
)
_FILL = sa.text("update item set expected = :expected where ledger_id = :ledger and id = :id").bindparams(
    sa.bindparam("expected", type_=sa.Date())
)


def _expected(stored: bytes) -> date | None:
    body = (
        zstandard.ZstdDecompressor().decompress(stored)
        if stored.startswith(_ZSTD)
        else zlib.decompress(stored)
    )
    said = json.loads(body).get("ExpectedPaymentDate")
    if not isinstance(said, str) or not said:
        return None
    stamp = _STAMP.fullmatch(said)
    if stamp is None:
        return date.fromisoformat(said[:10])
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(stamp[1]))).date()
