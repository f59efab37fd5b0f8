"""Remittance advices out of mails, documents and sheets: the door for everything that is no bank's file.

Shape   (bytes or text, what is known of the sender) -> `Remittance`s; pure.
Law     only advices come out, whatever the format: what a stranger sends never becomes a bank line.
Errors  `FileRefused` where a document cannot be read at all.
"""

from collections.abc import Iterable

from arsync.connectors.bank import decode
from arsync.connectors.bank.propose import delimiter_of, table_of
from arsync.connectors.bank.readers import advice_document, advice_html, advice_pdf, advice_prose, x12, xlsx
from arsync.connectors.bank.readers.advice_document import Given, of_sender
from arsync.connectors.bank.sniff import sniff
from arsync.core.bank import Remittance
from arsync.errors import UnknownFormat, UnsafeFile

MAX_BYTES = 32 * 1024**2


def in_document(data: bytes, given: Given) -> tuple[Remittance, ...]:
    """The advices of a document, by its content; none where it is of a kind that holds none."""
    if len(data) > MAX_BYTES:
        raise UnsafeFile(
            f"the document is larger than {MAX_BYTES // 1024**2} MiB", do="ask for a shorter one"
        )
    try:
        what = sniff(data)
    except UnknownFormat:
        return ()
    if what == "x12 820":
        found = x12.read(decode.decode_lines(data).text, given.currency)
        return tuple(of_sender(one, given) for one in found)
    if what == "pdf":
        return _only(advice_document.from_text(advice_pdf.text_of(data), given))
    if what == "zip" and xlsx.is_workbook(data):
        cells = xlsx.rows(data, None, decimal_mark=".", date_format="%Y-%m-%d", max_bytes=MAX_BYTES)
        return _only(advice_document.from_rows(cells, given))
    if what == "csv":
        text = decode.decode(data, ("utf-8", "cp1252", "latin-1")).text
        rows = table_of(text.splitlines(), delimiter_of(text))
        return _only(advice_document.from_rows(rows, given))
    return ()


def in_mail(text: str, html: str, given: Given) -> tuple[Remittance, ...]:
    """The advice of a mail's own words: a table of its HTML, else columns in its text."""
    if html:
        tables, spoken = advice_html.read(html)
        for table in tables:
            rows = [("  ".join(row), row) for row in table]
            if (found := advice_document.from_cells(rows, spoken, given)) is not None:
                return (found,)
        text = text or spoken
    return _only(advice_document.from_text(text, given))


def in_words(text: str, html: str, given: Given) -> tuple[Remittance, ...]:
    """The advice of a mail's sentences, which name documents and one amount for all of them."""
    return _only(advice_prose.read(text or advice_html.read(html)[1], given))


def _only(found: Remittance | None) -> tuple[Remittance, ...]:
    return () if found is None else (found,)


def distinct(found: Iterable[Remittance]) -> tuple[Remittance, ...]:
    """Advices once each: the same one in a mail's words and in its attachment counts once, the first read."""
    seen: dict[tuple[object, ...], Remittance] = {}
    for one in found:
        lines = tuple((line.reference, line.paid) for line in one.lines)
        seen.setdefault((one.currency, lines), one)
    return tuple(seen.values())
