"""Receipts of bank lines: made where money comes in, and made several where it is known what a line is made of.

Units   minor units of the line's currency, signed: positive is money in.
Shape   a `Share` of a line and its `Place` -> a row. `divide` is the only way one receipt becomes several, whether
        a person, a lockbox or the report of a payout says what the line is made of.
Law     the shares are what the receipt was.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, or_, select

from arsync.core.finality import Method
from arsync.store import bulk
from arsync.store.tables import receipt

_COLUMNS = (
    "ledger_id", "id", "bank_line_id", "part", "on_date", "currency", "amount_minor", "payer_name", "payer_account",
    "texts", "is_return", "method", "proven", "state", "hands_off", "version",
)  # fmt: skip
REFERENCES = (
    "creditor_reference", "end_to_end_id", "bank_reference", "cheque_number", "original_reference", "return_reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Share:
    """One receipt of a line, as the matcher may read it.

    Attributes:
        texts: what the payer wrote, in its joinings.
        references: by the names of `REFERENCES`; those absent are empty.
        method: how the money came, as far as the bank says it.
    """

    amount_minor: int
    texts: tuple[str, ...] = ()
    payer_name: str = ""
    payer_account: str = ""
    references: Mapping[str, str] = field(default_factory=dict)
    is_return: bool = False
    method: Method = "not said"
    state: str = "undecided"
    hands_off: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Which line a receipt is of, and the first of its part numbers."""

    bank_line_id: int
    part: int
    on: date
    currency: str
    proven: bool


def make(conn: Connection, ledger_id: int, given: Sequence[tuple[Place, Share]]) -> list[int]:
    """Make receipts; their ids, in order."""
    ids = bulk.take_ids(conn, ledger_id, "receipt", len(given))
    rows = [
        (
            ledger_id, our_id, place.bank_line_id, place.part, place.on, place.currency, share.amount_minor,
            share.payer_name, share.payer_account, _texts(share), share.is_return, share.method, place.proven,
            share.state, share.hands_off, 1,
        )
        for our_id, (place, share) in zip(ids, given, strict=True)
    ]  # fmt: skip
    bulk.insert(conn, receipt, _COLUMNS, rows)
    return list(ids)


def divide(conn: Connection, row: Any, shares: Sequence[Share]) -> list[int]:
    """Let a receipt be the first of several shares, and make a receipt of each further one; their ids.

    Raises:
        ValueError: the shares are not what the receipt is.
    """
    if sum(share.amount_minor for share in shares) != row.amount_minor:
        raise ValueError(f"receipt {row.id} is not the sum of its shares")
    first = shares[0]
    conn.execute(
        receipt.update()
        .where(receipt.c.ledger_id == row.ledger_id, receipt.c.id == row.id)
        .values(
            amount_minor=first.amount_minor, payer_name=first.payer_name, payer_account=first.payer_account,
            texts=_texts(first), is_return=first.is_return, method=first.method, state=first.state,
            hands_off=first.hands_off, version=row.version + 1,
        )
    )  # fmt: skip
    further = [
        (Place(row.bank_line_id, row.part + number, row.on_date, row.currency, row.proven), share)
        for number, share in enumerate(shares[1:], 1)
    ]
    return [row.id, *make(conn, row.ledger_id, further)]


def references_of(row: Any) -> dict[str, str]:
    """The references of a receipt as it is stored."""
    texts = json.loads(row.texts)
    return {name: texts.get(name, "") for name in REFERENCES}


def naming(conn: Connection, ledger_id: int, references: Iterable[str], days: tuple[date, date]) -> list[Any]:
    """Receipts of money in, from the first to the last of `days`, that may carry one of these references."""
    wanted = sorted({json.dumps(name, ensure_ascii=False) for name in references if name})
    if not wanted:
        return []
    query = (
        select(receipt)
        .where(
            receipt.c.ledger_id == ledger_id,
            receipt.c.amount_minor > 0,
            receipt.c.on_date.between(*days),
            or_(*(receipt.c.texts.contains(name, autoescape=True) for name in wanted)),
        )
        .order_by(receipt.c.on_date, receipt.c.id)
    )
    return list(conn.execute(query))


def _texts(share: Share) -> str:
    names = {name: share.references.get(name, "") for name in REFERENCES}
    return json.dumps({"texts": list(share.texts), **names}, ensure_ascii=False)
