"""Advices as people write them: in the words of a mail, in HTML, in documents and sheets nobody declared."""

import gc
import io
import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arsync.connectors.bank import advices
from arsync.connectors.bank.readers.advice_document import Given
from arsync.connectors.bank.readers.advice_pdf import text_of
from arsync.core.money import Money
from arsync.errors import FileRefused, UnsupportedFormat

CAME = date(2026, 1, 5)
GIVEN = Given("USD", CAME)
LETTER = """Dear Sirs,

please find below our payment. Payment date: 2026-01-07. EFT Number: 8891234.

Invoice No     Invoice Date   Gross Amount   Discount   Amount Paid
INV-1001       2026-01-01     1,000.00       20.00      980.00
INV-1002       2026-01-01     500.00         0.00       500.00
CM-77          2026-01-02     -80.00                    -80.00
---------------------------------------------------------------
Total                                                   1,400.00

Kind regards, phone 555 0100
"""


def usd(text):
    return Money.of(text, "USD")


def paid(advice):
    return [(line.reference, str(line.paid.decimal()) if line.paid else None) for line in advice.lines]


def test_a_table_in_the_words_of_a_mail():
    (advice,) = advices.in_mail(LETTER, "", GIVEN)
    assert paid(advice) == [("INV-1001", "980.00"), ("INV-1002", "500.00"), ("CM-77", "-80.00")]
    assert (advice.total, advice.on, advice.reference, advice.problems) == (
        usd("1400.00"),
        date(2026, 1, 7),
        "8891234",
        (),
    )
    assert advice.lines[0].gross == usd("1000.00")
    assert advice.lines[0].discount == usd("20.00")
    assert advice.lines[2].discount is None, "an empty cell is empty, though it left no mark"


HTML = """<html><head><style>td { color: red }</style></head><body><table><tr><td>Guten Tag,<br>anbei das Avis
</td></tr><tr><td><table><tr><th>Rechnung</th><th>Betrag (EUR)</th></tr><tr><td>4711</td><td>1.234,56</td></tr>
<tr><td>47&#49;2</td><td>2.000</td></tr><tr><td>Summe</td><td><b>3.234</b>,56</td></tr>
</table></td></tr></table></body></html>"""


def test_a_table_in_a_table_of_html_with_decimal_commas():
    (advice,) = advices.in_mail("", HTML, GIVEN)
    assert advice.currency == "EUR", "the heading names it"
    assert paid(advice) == [("4711", "1234.56"), ("4712", "2000.00")]
    assert advice.total == Money.of("3234.56", "EUR")


def test_a_list_without_headings():
    said = "Hello,\nwe paid\n - Invoice INV-8: 1,020.00 USD\nInvoice INV-9 20.00\nTotal: 1,040.00\n2026-01-05 10.00"
    (advice,) = advices.in_mail(said, "", GIVEN)
    assert paid(advice) == [("INV-8", "1020.00"), ("INV-9", "20.00")]
    assert (advice.total, advice.problems) == (usd("1040.00"), ())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="an empty mail"),
        pytest.param("We have paid you. Best regards", id="no table"),
        pytest.param("Invoice   Amount\n", id="headings alone"),
        pytest.param("Invoice  Amount\nTotal  100.00", id="a total without documents"),
        pytest.param("Meeting  Room\nMonday 9.30  4711", id="a table of something else"),
    ],
)
def test_what_is_no_advice_is_none(text):
    assert advices.in_mail(text, "", GIVEN) == ()


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        pytest.param("Invoice,Paid\nINV-1,10.00\nTotal,12.00", "add up", id="lines that miss the total"),
        pytest.param(
            "Invoice,Paid\nINV-1,1.000\nINV-2,2.000", "two readings", id="amounts with two readings"
        ),
        pytest.param(
            "Invoice,Paid\nINV-1,10.00\n,5.00\nTotal,15.00", "names no document", id="an amount for nothing"
        ),
    ],
)
def test_what_is_doubtful_is_a_problem(rows, why):
    (advice,) = advices.in_document(rows.encode(), GIVEN)
    assert any(why in problem.why for problem in advice.problems)


def test_an_amount_without_any_currency_is_a_problem():
    (advice,) = advices.in_document(b"Invoice,Paid\nINV-1,10.00", Given(None, CAME))
    assert len(advice.problems) == 1
    assert advice.lines == ()


def test_what_follows_from_gross_and_what_is_taken_off():
    table = b"Invoice;Invoice amount;Skonto;Deductions;Reason\nRE-1;100,00;2,00;;\nRE-2;50,00;;5,00;broken"
    (advice,) = advices.in_document(table, Given("EUR", CAME))
    assert paid(advice) == [("RE-1", "98.00"), ("RE-2", "45.00")]
    assert advice.lines[1].note == "broken deduction EUR 5.00"


@pytest.mark.parametrize("written", ["(20.00)", "-20.00", "20.00-", "20.00 CR", "$ -20.00", "USD -20.00"])
def test_credits_in_every_spelling(written):
    (advice,) = advices.in_document(f"Invoice\tPaid\nINV-1\t50.00\nCM-2\t{written}\n".encode(), GIVEN)
    assert paid(advice)[1] == ("CM-2", "-20.00")


def pdf(rows, head="", **more):
    """A document of somebody else's library."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

    buffer = io.BytesIO()
    style = getSampleStyleSheet()["Normal"]
    SimpleDocTemplate(buffer, **more).build(
        [Paragraph(head, style), Table(rows)] if rows else [Paragraph(head, style)]
    )
    return buffer.getvalue()


TABLE = [
    ["Invoice", "Date", "Gross", "Discount", "Paid"],
    ["INV-1", "2026-01-01", "1,000.00", "20.00", "980.00"],
    ["INV-2", "2026-01-01", "50.00", "", "50.00"],
    ["Total", "", "", "", "1,030.00"],
]


def test_a_pdf():
    data = pdf(TABLE, "Remittance advice. Payment date: 2026-01-07, Trace number: 00012345678")
    (advice,) = advices.in_document(data, GIVEN)
    assert paid(advice) == [("INV-1", "980.00"), ("INV-2", "50.00")]
    assert (advice.total, advice.on, advice.reference) == (usd("1030.00"), date(2026, 1, 7), "00012345678")


def test_a_pdf_that_is_locked_empty_or_broken_is_refused_by_name():
    from reportlab.lib.pdfencrypt import StandardEncryption

    locked = pdf(TABLE, encrypt=StandardEncryption("x"))
    with pytest.raises(UnsupportedFormat, match="locked"):
        text_of(locked)
    with pytest.raises(UnsupportedFormat, match="no text"):
        text_of(pdf([], " "))
    for cut in (20, 200, 700):
        with pytest.raises(FileRefused):
            text_of(pdf(TABLE)[:cut])


def test_a_workbook():
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(
            [["Remittance of Acme"], [], ["Invoice", "Amount paid"], ["INV-7", 10.25], ["Total", 10.25]]
        ):
            sheet.write_row(at, 0, row)
    (advice,) = advices.in_document(buffer.getvalue(), GIVEN)
    assert (paid(advice), advice.total) == ([("INV-7", "10.25")], usd("10.25"))


def test_an_820_in_a_letter_is_worth_what_its_sender_is():
    from tests.connectors.bank import test_bank_x12 as x12

    (advice,) = advices.in_document(x12.message("RMR*IV*INV-1**100.00"), GIVEN)
    assert (paid(advice), advice.grade) == ([("INV-1", "100.00")], "unknown")


def test_a_statement_in_a_letter_is_nothing():
    from tests.connectors.bank.samples import camt, entry, statement

    assert advices.in_document(camt(statement(entry())), GIVEN) == ()


def test_the_same_advice_in_words_and_attachment_counts_once():
    found = [*advices.in_mail(LETTER, "", GIVEN), *advices.in_mail(LETTER, "", GIVEN)]
    assert len(advices.distinct(found)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "text", "html", "pdf"])
def test_ten_thousand_lines_are_read_in_seconds(kind):
    from time import perf_counter

    rows = [["Invoice", "Paid"], *([f"INV-{n}", f"{n}.10"] for n in range(1, 10_001))]
    csv = "\n".join(",".join(row) for row in rows).encode()
    html = "<table>" + "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in rows) + "</table>"
    data = pdf(rows) if kind == "pdf" else csv
    began = perf_counter()
    if kind in {"csv", "pdf"}:
        (advice,) = advices.in_document(data, GIVEN)
    else:
        text = "\n".join("   ".join(row) for row in rows) if kind == "text" else ""
        (advice,) = advices.in_mail(text, html if kind == "html" else "", GIVEN)
    assert (len(advice.lines), advice.problems) == (10_000, ())
    assert perf_counter() - began < 10


def test_a_table_with_a_cell_longer_than_any_is_refused_by_name():
    with pytest.raises(FileRefused, match="cannot be read"):
        advices.in_document(b'Invoice,Paid\nINV-1,"' + b"x" * 140_000 + b'"\n', GIVEN)


@pytest.mark.parametrize(
    "piece", ["\n", " ", "\n \n", "#", ".", "# .", "Payer: x\n\n\n", "total ", "a.", "-"]
)
@pytest.mark.parametrize("head", ["Invoice  Paid\nINV-1  10.00\n", "INV-1  10.00\nINV-2  20.00\n", ""])
def test_thousands_of_the_same_piece_are_read_at_once(piece, head):
    letter = head + piece * (40_000 // len(piece)) + "\nPayer:\n Acme Ltd \n"
    gc.collect()  # the rest of the suite's garbage is not this letter's
    began = time.thread_time()
    found = advices.in_mail(letter, "", GIVEN)
    assert time.thread_time() - began < 1
    assert all(line[0] in {"INV-1", "INV-2"} for one in found for line in paid(one))


@pytest.mark.parametrize(
    "line",
    [
        "Invoice INV-7: 100.00",
        "Inv. No.: INV-7 100.00",
        "# INV-7  100.00",
        "* Rechnung Nr. INV-7 - 100.00",
        "INV-7 = 100.00",
    ],
)
def test_lists_without_headings_in_every_spelling(line):
    (advice,) = advices.in_mail(f"{line}\n{line.replace('7', '8')}\n", "", GIVEN)
    assert paid(advice) == [("INV-7", "100.00"), ("INV-8", "100.00")]


def test_a_payer_on_the_line_after_its_label():
    (advice,) = advices.in_mail("Payer:\n  Acme Ltd  \nInvoice  Paid\nINV-1  10.00\n", "", GIVEN)
    assert advice.payer_name == "Acme Ltd"


@pytest.mark.parametrize(
    ("words", "total", "listed"),
    [
        pytest.param(
            "Hello,\n\nwe have today transferred USD 3,450.00 for your invoices INV-1001\nand INV-1002.\n\nAnn",
            "USD 3,450.00",
            ["we have today transferred USD 3,450.00 for your invoices INV-1001 and INV-1002."],
            id="a sentence over two lines",
        ),
        pytest.param(
            "We paid $300.00 for the following invoices:\n\n* INV-7\n- 1005\n\nphone 5550100\nPlease do not reply.",
            "USD 300.00",
            ["INV-7", "1005"],
            id="a list after a sentence, a telephone number after it",
        ),
        pytest.param(
            "Wir haben 1.234,56 EUR für die Rechnungen 4711 und 4712 überwiesen.",
            "EUR 1,234.56",
            ["Wir haben 1.234,56 EUR für die Rechnungen 4711 und 4712 überwiesen."],
            id="German, decimal comma",
        ),
        pytest.param(
            "We have paid invoice 1001.\nTotal payment: 3,000.00\n> we have paid invoice 9 of USD 1.00",
            "USD 3,000.00",
            ["We have paid invoice 1001. Total payment: 3,000.00"],
            id="a total by its name, an earlier letter quoted",
        ),
    ],
)
def test_sentences_name_documents_and_one_amount_for_all(words, total, listed):
    (advice,) = advices.in_words(words, "", GIVEN)
    assert (str(advice.total), [line.reference for line in advice.lines], advice.problems) == (
        total,
        listed,
        (),
    )
    assert all(line.paid is None for line in advice.lines)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("Please pay invoice INV-1 of USD 100.00.", id="a demand"),
        pytest.param("Payment of USD 100.00 for invoice INV-1 is due.", id="a reminder"),
        pytest.param("We have not paid USD 100.00 of invoice INV-1.", id="a denial"),
        pytest.param("We dispute invoice INV-1, USD 100.00; the rest was paid.", id="a dispute"),
        pytest.param("Was USD 100.00 paid for invoice INV-1?", id="a question"),
        pytest.param(
            "We paid USD 100.00 for invoice INV-1 and USD 50.00 for INV-2.", id="two amounts and no total"
        ),
        pytest.param("We paid USD 1.000 for invoice INV-1.", id="an amount with two readings"),
        pytest.param("We have paid invoice INV-1.", id="no amount"),
        pytest.param("We have paid USD 100.00.", id="no document"),
        pytest.param("Hello\nFrom: you\nWe paid USD 100.00 for invoice INV-1", id="an earlier letter alone"),
    ],
)
def test_sentences_that_say_no_payment_are_no_advice(words):
    assert advices.in_words(words, "", GIVEN) == ()


@given(st.text(alphabet="invoice paid USD 1,.0\n-:?€>", max_size=400))
@settings(deadline=None)
def test_no_sentence_breaks_the_reader(text):
    for advice in advices.in_words(text, "", GIVEN):
        assert advice.lines
        assert advice.total.minor > 0


def test_a_letter_of_the_same_words_over_and_over_is_read_at_once():
    for piece in ("inv ", "1 ", "paid ", "INV-1 ", "USD 1,", "1.000", " ", "-", "\n1"):
        began = time.perf_counter()
        advices.in_words("We paid USD 5.00 for invoice INV-1 " + piece * 20_000, "", GIVEN)
        assert time.perf_counter() - began < 1, piece


REFERENCE = st.from_regex(r"\A[A-Z]{2,4}-[0-9]{1,6}\Z")
AMOUNT = st.integers(-99_999_99, 99_999_99).filter(bool)
ROWS = st.lists(st.tuples(REFERENCE, AMOUNT), min_size=1, max_size=8, unique_by=lambda row: row[0])


@given(ROWS.filter(lambda rows: sum(minor for _, minor in rows) > 0))
@settings(deadline=None)
def test_every_line_of_a_table_comes_out_as_it_went_in(rows):
    lines = [f"{name}     {Decimal(minor).scaleb(-2):,.2f}" for name, minor in rows]
    total = sum(minor for _, minor in rows)
    text = "\n".join(["Invoice     Amount paid", *lines, f"Total     {Decimal(total).scaleb(-2):,.2f}"])
    (advice,) = advices.in_mail(text, "", GIVEN)
    assert [(line.reference, line.paid.minor) for line in advice.lines] == rows
    assert advice.problems == ()


@given(st.text(max_size=400), st.text(max_size=400))
@settings(deadline=None)
def test_no_letter_breaks_the_reader(text, html):
    for advice in (*advices.in_mail(text, "", GIVEN), *advices.in_mail("", html, GIVEN)):
        assert advice.lines or advice.problems


@pytest.mark.parametrize("digits", [8, 5_000], ids=["more than any character has", "more than Python reads"])
def test_a_letter_with_a_character_of_thousands_of_digits_is_read_all_the_same(digits):
    number = "&#" + "1" * digits + ";"
    html = (
        f'<table title="{number}"><tr><th>Invoice</th><th>Amount paid</th></tr>'
        f"<tr><td>INV-1 {number}</td><td>10.00</td></tr></table>"
    )
    (advice,) = advices.in_mail("", html, GIVEN)
    assert [line.paid for line in advice.lines] == [Money(1000, "USD")]
