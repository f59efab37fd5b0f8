"""The candidate queries of ERPNext, Blnk and Odoo rebuilt in our schema on PostgreSQL: what does one bank line cost?

The products were not run. Each shape is what their published code asks the database for one line, said anew over the
tables `item`, `customer` and `bank_line`; a product does more around it.

ERPNext  of every open invoice whose amount is (or is at most) the line's: a rank of reference, party and amount; the
         party by comparing the payer's name with every customer's, read anew for each line.
Blnk     pages of a hundred open invoices within a tenth of the line's amount, by date, until one fits the rule; here
         the rule is that its number stands in the line's text.
Odoo     every open invoice's words of more than five letters, looked for in the line's text; a word counts if only one
         invoice has it. One question for a batch of lines.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arsync.core.matching.snapshot import ReceiptRow
from bench.measure import Driver

PAGE = 100
_BAND = 10  # Blnk: the amount may differ by one part in so many
_CLOSE = 80  # ERPNext: names at least so alike, of 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What a shape cost over all lines, and for how many of them a right item was among the candidates."""

    seconds: float
    lines: int
    hits: int

    @property
    def ms(self) -> float:
        """Of one line, on average."""
        return 1000 * self.seconds / self.lines


@dataclass(frozen=True, slots=True)
class Line:
    """One bank line, its payer if he is known, and what it pays."""

    receipt: ReceiptRow
    customer_id: int
    items: frozenset[int]

    @property
    def reference(self) -> str:
        """The first word of its text that has a digit."""
        words = self.receipt.texts[0].replace(",", " ").split()
        return next((word for word in words if any(map(str.isdigit, word))), "")


Shape = Callable[[Driver, Sequence[Line]], list[set[int]]]  # the candidates of each line


def ask(shape: Shape, driver: Driver, lines: Sequence[Line]) -> Asked:
    """One shape over some lines."""
    began = time.perf_counter()
    found = shape(driver, lines)
    seconds = time.perf_counter() - began
    driver.connection.rollback()
    return Asked(
        seconds, len(lines), sum(bool(ids & line.items) for ids, line in zip(found, lines, strict=True))
    )


def erpnext_equal(driver: Driver, lines: Sequence[Line]) -> list[set[int]]:
    """Invoices of exactly the line's amount."""
    return [_erpnext(driver, line, "=") for line in lines]


def erpnext_at_most(driver: Driver, lines: Sequence[Line]) -> list[set[int]]:
    """Invoices of at most the line's amount."""
    return [_erpnext(driver, line, "<=") for line in lines]


def _erpnext(driver: Driver, line: Line, compared: str) -> set[int]:
    rows = driver.connection.execute(
        f"""
        select (case when number = %s then 1 else 0 end) + (case when customer_id = %s then 1 else 0 end) + 1 as rank,
               id, number, open_minor, customer_id, issued, currency
        from item
        where ledger_id = 1 and not gone and kind = 'invoice' and open_minor > 0 and open_minor {compared} %s
        """,
        (line.reference, line.customer_id, line.receipt.amount_minor),
    ).fetchall()
    return {row[1] for row in sorted(rows, key=lambda row: -row[0])}


def erpnext_party(driver: Driver, lines: Sequence[Line]) -> list[set[int]]:
    """The payer's name beside all customers'; it finds customers, no invoices."""
    from rapidfuzz import fuzz, process

    for line in lines:
        names = [row[0] for row in driver.connection.execute("select name from customer where ledger_id = 1")]
        process.extract(line.receipt.payer_name, names, scorer=fuzz.token_set_ratio, score_cutoff=_CLOSE)
    return [set() for _ in lines]


def blnk(driver: Driver, lines: Sequence[Line]) -> list[set[int]]:
    """Page by page until the rule holds."""
    return [_blnk(driver, line) for line in lines]


def _blnk(driver: Driver, line: Line) -> set[int]:
    amount, text = line.receipt.amount_minor, line.receipt.texts[0].lower()
    offset = 0
    while True:
        rows = driver.connection.execute(
            """
            select id, number, reference, original_minor, open_minor, currency, customer_id, issued, due
            from item
            where ledger_id = 1 and not gone and open_minor >= %s and open_minor <= %s and currency = %s
            order by issued limit %s offset %s
            """,
            (amount - amount // _BAND, amount + amount // _BAND, line.receipt.currency, PAGE, offset),
        ).fetchall()
        for row in rows:
            if (row[1] or "").lower() in text:
                return {row[0]}
        if len(rows) < PAGE:
            return set()
        offset += PAGE


def odoo(driver: Driver, lines: Sequence[Line]) -> list[set[int]]:
    """Payers unknown: every open invoice is looked at for every line."""
    return _odoo(driver, lines, [None] * len(lines))


def odoo_known(driver: Driver, lines: Sequence[Line]) -> list[set[int]]:
    """Payers known beforehand: only the invoices of each."""
    return _odoo(driver, lines, [line.customer_id for line in lines])


def _odoo(driver: Driver, lines: Sequence[Line], partners: Sequence[int | None]) -> list[set[int]]:
    rows = driver.connection.execute(
        """
        select line.id, array_agg(distinct named.id), sum(named.open_minor), named.word
        from unnest(%s::bigint[], %s::bigint[]) as asked (line_id, partner_id)
        join bank_line line on line.id = asked.line_id
        join lateral (
            select open.id, open.open_minor, word
            from item open,
                 lateral regexp_split_to_table(
                     coalesce(open.reference, '') || ' - ' || coalesce(open.number, ''), ' - '
                 ) as word
            where open.ledger_id = 1 and not open.gone and open.open_minor > 0 and open.currency = line.currency
                and (asked.partner_id is null or open.customer_id = asked.partner_id)
                and length(word) > 5 and line.text ilike '%%' || word || '%%'
        ) named on true
        group by line.id, named.word
        having count(distinct named.id) = 1
        """,
        ([line.receipt.id for line in lines], list(partners)),
    ).fetchall()
    found: dict[int, set[int]] = {}
    for line_id, ids, _, _ in rows:
        found.setdefault(line_id, set()).update(ids)
    return [found.get(line.receipt.id, set()) for line in lines]


@dataclass(frozen=True, slots=True)
class Named:
    """A shape, and how much more than ours it is wanted to cost."""

    name: str
    shape: Shape
    wanted: float | None = None


SHAPES: tuple[Named, ...] = (
    Named("ERPNext, amount equal", erpnext_equal, 50),
    Named("ERPNext, amount at most", erpnext_at_most, 50),
    Named("ERPNext, party by name", erpnext_party),
    Named("Blnk, pages of a hundred", blnk, 500),
    Named("Odoo, payer unknown", odoo, 1_000),
    Named("Odoo, payer known", odoo_known),
)


def index_amounts(driver: Driver) -> None:
    """What none of them has, and what would help the first most."""
    driver.connection.execute("create index bench_amount on item (ledger_id, open_minor)")
    driver.connection.commit()
