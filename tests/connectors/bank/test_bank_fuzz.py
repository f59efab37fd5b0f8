"""Wounds to files of every kind: a reader ends soon in values or a named error, holds little, and invents no amount.

An hour of processor time in `make long`, shared by the readers below. Seeded, so that a finding can be met again:
`FUZZ_SEED=7 FUZZ_S=600 pytest -m long tests/connectors/bank/test_bank_fuzz.py -k camt.053` (FUZZ_S: seconds for all
readers together).
"""

import contextlib
import hashlib
import html
import json
import os
import re
import resource
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import gettempdir

import pytest
from openpyxl import Workbook

from arsync.connectors.bank import advices
from arsync.connectors.bank.bankprofile import Profile, parse_profile, shipped_profile
from arsync.connectors.bank.mapping import read_file
from arsync.connectors.bank.propose import propose
from arsync.connectors.bank.readers.advice_document import Given
from arsync.connectors.bank.readers.advice_pdf import text_of
from arsync.connectors.mail import letter
from arsync.core.bank import BankFile, BankLineRead, Remittance, RemittanceLine
from arsync.core.money import Money
from arsync.errors import ArsyncError
from tests.conftest import CORPUS
from tests.connectors.bank import test_bank_feeds as feeds
from tests.connectors.bank import test_bank_nacha as nacha
from tests.connectors.bank import test_bank_payouts as payouts
from tests.connectors.bank import test_bank_swift as swift
from tests.connectors.bank.samples import camt, entry, ofx, ofx_line, statement, transaction
from tests.connectors.bank.test_bank_advices import HTML, LETTER, TABLE, pdf
from tests.connectors.bank.test_bank_files import SIGNED
from tests.connectors.bank.test_bank_xlsx import PROFILE as SHEET
from tests.connectors.bank.test_bank_xlsx import workbook
from tests.connectors.bank.whole_files import WHOLE
from tests.connectors.mail.test_mail_letter import OURS, PASS
from tests.connectors.wounds import Grains, Numbers, chances, turns, without_markup, wounded, wounded_zip

SEED = int(os.environ.get("FUZZ_SEED", "1"))
TOTAL_S = float(os.environ.get("FUZZ_S", "3600"))
SOON_S = 3.0
"""For one file of at most some 200 kB, on a busy machine; twenty lines take a millisecond."""
HELD_KIB = 300 * 1024
"""What the process may hold more than at the start of its test, at any moment."""
LARGEST_SAMPLE = 40_000

# ---- how each format is cut into pieces


def grains(*patterns: bytes) -> Grains:
    return tuple(re.compile(pattern) for pattern in patterns)


LINES = rb"(?<=\n)"
DIGITS = rb"(?<=[0-9])(?=[^0-9])|(?<=[^0-9])(?=[0-9])"
TAGS = rb"(?=<)|(?<=>)"
OFX = grains(rb"(?i)(?=</?(?:STMTTRN|STMTRS|STMTTRNRS|BANKACCTFROM|LEDGERBAL|CURRENCY)>)", TAGS, LINES)
CAMT = grains(rb"(?=</?(?:\w+:)?(?:Ntry|TxDtls|Bal|Strd|Stmt|Rpt|Ntfctn)>)", TAGS, TAGS)
SWIFT = grains(rb"(?=\n:)|(?=\n-)", rb"(?=\n:61)", rb"(?=[?/+,])", DIGITS)
COMMAS = grains(LINES, rb"(?=[,/;|\t])", rb"(?<=[,/;|\t])(?=[^,/;|\t])", rb'(?=")|(?<=")')
COLUMNS = grains(LINES, LINES, DIGITS, rb"(?=  )")
SEGMENTS = grains(rb"(?<=~)|(?<=\\)|(?<=\n)", rb"(?=\*)|(?=\|)", DIGITS)
QIF = grains(LINES, rb"(?=\^)", rb"(?=!)", DIGITS)
JSON = grains(rb"(?<=[,{\[])", rb"(?=[{}\[\],:])|(?<=[{}\[\],:])", rb'(?=")|(?<=")')
MAIL = grains(LINES, rb"(?=\n--)|(?=\n\n)", rb"(?=  )|(?=;)", TAGS)
PDF = grains(LINES, rb"(?=\()|(?<=\))", rb"(?= obj)|(?=endobj)|(?=stream)", DIGITS)

# ---- what is read: the amounts of a file, where the reader says it read any


@dataclass(frozen=True)
class Claim:
    """Amounts that must stand in the file, but for one that the others make."""

    amounts: tuple[Money | None, ...]
    made: int = 0


def claims_of_line(line: BankLineRead) -> list[Claim]:
    parts = [claim for part in line.parts for claim in claims_of_line(part)]
    # Its parts come to a line: what it moved need not be said where they are. A service may charge tenths of a
    # penny; only their sum is an amount.
    own = [] if line.parts or line.code_family == "fee" else [Claim((line.amount,))]
    return [*own, Claim((line.original_amount,)), *parts]


def claims_of_advice(advice: Remittance) -> list[Claim]:
    return [Claim((one.paid, one.gross, one.discount), made=adds_up(one)) for one in advice.lines]


def adds_up(line: RemittanceLine) -> bool:
    """Whether paid, gross and discount are what any two of them make the third."""
    if not line.paid or not line.gross:
        return False
    off = line.discount.minor if line.discount else 0
    left = (line.gross.minor - off, abs(line.gross.minor) - abs(off))
    return line.paid.minor in left or abs(line.paid.minor) in left


def check_file(file: BankFile) -> list[Claim]:
    """Hold a file to the laws of its values; the amounts it claims to state."""
    claims: list[Claim] = []
    for read in file.statements:
        for line in read.lines:
            assert line.locator, line
            assert len(line.key) == 32, line
            assert not line.parts or sum(part.amount.minor for part in line.parts) == line.amount.minor, line
            claims += claims_of_line(line)
        assert all(one.code and one.why and one.do for one in read.problems), read.problems
        if read.standing == "detail":
            continue
        moved = sum(line.amount.minor for line in read.lines)
        balances = bool(read.opening and read.closing and read.opening.minor + moved == read.closing.minor)
        assert balances or read.proven != "proven" or not (read.opening and read.closing), read
        # A running balance in a table gives those before its first line and after its last.
        if file.format not in {"csv", "zip"}:
            claims.append(Claim((read.opening, read.closing), made=balances))
    return claims + [claim for advice in file.remittances for claim in claims_of_advice(advice)]


def read_bank(profile: Profile, data: bytes) -> list[Claim]:
    return check_file(read_file(data, profile))


GIVEN = Given("USD", None)


def read_advice(data: bytes) -> list[Claim]:
    return check_advices(advices.in_document(data, GIVEN))


def check_advices(found: Iterable[Remittance]) -> list[Claim]:
    claims: list[Claim] = []
    for one in found:
        assert one.lines or one.problems or one.total is not None, one  # a payment of zero is one
        claims += claims_of_advice(one)
    return claims


def read_mail(data: bytes) -> list[Claim]:
    """As a mailbox is read: the words, then what is attached; an attachment that is refused leaves the others."""
    read = letter.read(data, OURS)
    claims = check_advices(advices.in_mail(read.text, read.html, GIVEN))
    claims += check_advices(advices.in_words(read.text, read.html, GIVEN))
    for document in read.documents:
        try:
            claims += read_advice(document.data)
        except ArsyncError as error:
            assert error.what  # noqa: PT017 - refused by name
    return claims


def read_table(data: bytes) -> list[Claim]:
    assert propose(data, "proposed", is_workbook=False).toml
    return []


# ---- what the text of a file is, by other means than the reader's


def texts(data: bytes) -> list[str]:
    codec = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}.get(
        data[:2]
    )
    found = [data.decode(codec or "utf-8", "ignore"), data.decode("latin-1")]
    if data[:4] in {b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"}:
        found.append(data.decode("utf-32", "ignore"))
    return found


BROKEN = (zipfile.BadZipFile, ValueError, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


NO_CHARACTER = re.compile(r"&#[0-9]{8,};?")  # Python's own reader of them gives up at 4,300 digits
MEANT = re.compile(r"<v>([0-9.]{17,40})</v>")


def texts_of_markup(data: bytes) -> list[str]:
    return [
        form
        for text in texts(data)
        for form in (text, html.unescape(NO_CHARACTER.sub(" ", without_markup(text))))
    ]


def as_meant(text: str) -> list[str]:
    """The numbers of a sheet with the 15 significant digits that a spreadsheet shows."""
    meant = Context(prec=15)
    return [format(meant.create_decimal(raw), "f") for raw in MEANT.findall(text) if raw.count(".") <= 1]


def texts_of_json(data: bytes) -> list[str]:
    return [
        *texts(data),
        re.sub(r"\\u00(3[0-9])", lambda found: chr(int(found[1], 16)), data.decode("latin-1")),
    ]


def texts_of_workbook(data: bytes) -> list[str]:
    found: list[str] = []
    with contextlib.suppress(*BROKEN), zipfile.ZipFile(BytesIO(data)) as archive:
        for name in archive.namelist():
            # A part that cannot be unpacked may be one that no reader needs.
            with contextlib.suppress(*BROKEN):
                plain = texts_of_markup(archive.read(name))
                found += [*plain, *(number for text in plain for number in as_meant(text))]
    return found


def texts_of_pdf(data: bytes) -> list[str]:
    with contextlib.suppress(ArsyncError):
        return [text_of(data)]
    return []


def texts_of_mail(data: bytes) -> list[str]:
    found = texts(data)
    for part in message_from_bytes(data, policy=policy.default).walk():
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            found += texts_of_markup(body) + [re.sub(r"<[^>]*>", "", text) for text in texts(body)]
            found += texts_of_pdf(body) if body.startswith(b"%PDF") else []
            found += texts_of_workbook(body) if body.startswith(b"PK") else []
    return found


# ---- the table of readers


@dataclass(frozen=True)
class Case:
    """One reader: what is wounded, how it is cut, what reads it, and what its text is.

    Attributes:
        weight: its share of the hour.
        in_columns: numbers may stand without anything between them.
        folders: of the shared corpus, whose small files are wounded too.
    """

    samples: tuple[bytes, ...]
    grains: Grains
    read: Callable[[bytes], list[Claim]]
    texts: Callable[[bytes], list[str]] = texts
    weight: int = 1
    in_columns: bool = False
    folders: tuple[str, ...] = ()
    is_zip: bool = False


def own(*names: str) -> tuple[bytes, ...]:
    return tuple(WHOLE[name] for name in names)


def as_json(*values: object) -> tuple[bytes, ...]:
    return tuple(json.dumps(value).encode() for value in values)


def mails() -> tuple[bytes, ...]:
    """One of each: words, HTML, both; a table, a workbook and a document attached."""

    def mail(body: str, subtype: str = "plain") -> EmailMessage:
        message = EmailMessage()
        message["From"], message["Subject"] = "Accounts <AP@acme.example>", "Remittance"
        message["Date"] = "Tue, 06 Jan 2026 23:30:00 -0500"
        message["Authentication-Results"] = f"{OURS}; {PASS}"
        message.set_content(body, subtype=subtype)
        return message

    both = mail(LETTER)
    both.add_alternative(HTML, subtype="html")
    both.set_boundary("between")
    listed = mail(f"Dear all\n{'#' * 70}\nINV-1  10.00\nInvoice INV-2: 48210.37\n{'-' * 70}\nPayer: Acme\n")
    return listed.as_bytes(), mail(LETTER).as_bytes(), mail(HTML, "html").as_bytes(), both.as_bytes()


def mails_with_documents() -> tuple[bytes, ...]:
    made = []
    for name, kind, data in (
        ("advice.csv", "csv", ADVICE_TABLES[0]),
        ("advice.txt", "plain", WHOLE["X12 820"]),
        ("advice.xlsx", "octet-stream", ADVICE_WORKBOOK),
        ("advice.pdf", "pdf", DOCUMENTS[0]),
    ):
        message = EmailMessage()
        message["From"], message["Subject"] = "ap@acme.example", "Zahlungsavis"
        message.set_content("see attached")
        message.add_attachment(data, maintype="application", subtype=kind, filename=name)
        message.set_boundary("between")
        made.append(message.as_bytes())
    return tuple(made)


OFX_2 = (
    b"<?xml version='1.0'?><?OFX OFXHEADER='200' VERSION='220'?>"
    + ofx(ofx_line("48210.37")).partition(b"\n\n")[2]
)
ADVICE_TABLES = (
    b"Invoice,Date,Gross,Discount,Paid\nINV-1,2026-01-01,1000.00,20.00,980.00\nINV-2,,48210.37,,48210.37\nTotal,,,,49190.37\n",
    b"Rechnung;Datum;Betrag\n4711;01.01.2026;1.234,56\n4712;02.01.2026;-80,00\nSumme;;1.154,56\n",
    b"Facture\tMontant\nF-10\t1 234,50\nF-11\t99,90\n",
)  # fmt: skip
ENTRIES = (
    entry("48210.37", "CRDT", transaction(amount="48000.12"), transaction(amount="210.25"), reference="R9"),
    entry("77.31", "DBIT", transaction("<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"), reference="R8"),
)


def advice_workbook() -> bytes:
    book, target = Workbook(), BytesIO()
    for row in [
        ["Invoice", "Date", "Paid"],
        ["INV-1", datetime(2026, 1, 15), 48210.37],
        ["INV-2", "", "1,234.56"],
    ]:
        book.active.append(row)
    book.save(target)
    return target.getvalue()


WORKBOOK = workbook(
    ("15.01.2026", "Invoice 1001", 48210.37), ("16.01.2026", "00123", "1.234,56"), preamble=False
)
ADVICE_WORKBOOK = advice_workbook()
DOCUMENTS = (
    pdf(TABLE, "Remittance advice. Payment date: 2026-01-07, Trace number: 00012345678", pageCompression=0),
    pdf(
        [["Rechnung", "Betrag"], ["4711", "1.234,56"], ["Summe", "1.234,56"]],
        "Zahlungsavis",
        pageCompression=0,
    ),
)
TWO_COLUMNS = replace(shipped_profile("debit-credit-columns"), currency="USD")
SEMICOLON = replace(shipped_profile("european-semicolon"), currency="EUR")
FLAG = replace(shipped_profile("credit-debit-flag"), currency="USD")


IN_TWO_COLUMNS = (
    b"Date,Description,Debit,Credit,Balance\n2026-01-15,a,,48210.37,\n2026-01-16,b,77.31,,500.12\n"
)
WITH_SEMICOLONS = (
    b"Date;Value date;Name;Account;Text;Amount;Currency\n"
    b"15.01.2026;16.01.2026;Ada;DE75512108001245126199;INV-1;48.210,37;EUR\n16.01.2026;;;;b;-77,31;\n"
)
WITH_A_FLAG = b"Date,Description,Amount,C/D\n2026-01-15,a,48210.37,C\n2026-01-16,b,77.31,DR\n"


SQUARE = {
    "payout": {"id": "po_9", "amount_money": {"amount": 384077, "currency_code": "USD"}},
    "payout_entries": [
        {"id": "e1", "payout_id": "po_9", "effective_at": "2026-01-15T10:00:00Z", "type": "CHARGE",
         "gross_amount_money": {"amount": 500013, "currency_code": "USD"},
         "fee_amount_money": {"amount": 1607, "currency_code": "USD"}, "type_charge_details": {"payment_id": "p1"}},
        {"id": "e2", "payout_id": "po_9", "effective_at": "2026-01-15T10:00:00Z", "type": "REFUND",
         "gross_amount_money": {"amount": -114329, "currency_code": "USD"}},
    ],
}  # fmt: skip
PONTO = {
    "data": [{"type": "transaction", "id": "t1", "attributes": {
        "amount": 48210.37, "currency": "EUR", "executionDate": "2026-01-15T00:00:00Z",
        "valueDate": "2026-01-15T00:00:00Z", "counterpartName": "Ada", "remittanceInformation": "INV-1",
        "remittanceInformationType": "unstructured"}}],
}  # fmt: skip
QONTO = {
    "transactions": [
        {"transaction_id": "q1", "amount_cents": 4821037, "amount": 48210.37, "side": "credit", "currency": "EUR",
         "settled_at": "2026-01-15T10:00:00.000Z", "status": "completed", "label": "Ada", "reference": "INV-1"}
    ],
}  # fmt: skip
MARKUP = {"texts": texts_of_markup, "read": partial(read_bank, SIGNED)}
FEED = {"texts": texts_of_json, "read": partial(read_bank, SIGNED), "grains": JSON}
BANK = {"read": partial(read_bank, SIGNED)}
TABLES = (WHOLE["CSV"], b'Date,Description,Amount\n01/15/2026,"a, ""b""","48,210.37"\n2026-01-16,c,-77.31\n')

CASES = {
    "OFX 1": Case(own("OFX 1.6"), OFX, weight=2, folders=("ofx1",), **MARKUP),
    "OFX 2, QBO and QFX": Case(
        (OFX_2,),
        OFX, weight=2, folders=("ofx2",), **MARKUP,
    ),
    "camt.053": Case(
        (*own("camt.053.001.08"), camt(statement(*ENTRIES)), camt(statement(*ENTRIES), version="02")),
        CAMT, weight=2, folders=("camt.053.001.*",), **MARKUP,
    ),
    "camt.052 and camt.054": Case(
        (*own("camt.054.001.08"), camt(statement(*ENTRIES), message="BkToCstmrAcctRpt")),
        CAMT, folders=("camt.052.001.*", "camt.054.001.*"), **MARKUP,
    ),
    "MT940": Case(
        (*own("MT940"), swift.message(":61:2601150115RCR48210,37NTRFNONREF//R9", ":86:/EREF/X1//REMI/USTD//INV-1/")),
        SWIFT, weight=2, folders=("mt940", "mt940-fragment"), in_columns=True, **BANK,
    ),
    "MT942": Case(own("MT942"), SWIFT, folders=("mt942",), in_columns=True, **BANK),
    "BAI2": Case(own("BAI2"), COMMAS, weight=2, folders=("bai2",), **BANK),
    "BAI lockbox": Case(own("BAI lockbox"), COLUMNS, folders=("lockbox",), in_columns=True, **BANK),
    "Nacha": Case(
        (*own("Nacha CTX", "Nacha return"), nacha.file(*nacha.batch(nacha.entry(cents=4821037), credit=4821037))),
        COLUMNS, weight=2, folders=("nacha",), in_columns=True, **BANK,
    ),
    "X12 820": Case(own("X12 820"), SEGMENTS, folders=("x12_820",), **BANK),
    "QIF": Case(own("QIF"), QIF, folders=("qif",), **BANK),
    "CSV, signed amounts": Case(TABLES, COMMAS, folders=("csv",), in_columns=True, **BANK),
    "CSV, two columns": Case(
        (IN_TWO_COLUMNS,), COMMAS, partial(read_bank, TWO_COLUMNS), in_columns=True,
    ),
    "CSV, semicolons": Case(
        (WITH_SEMICOLONS,), COMMAS, partial(read_bank, SEMICOLON), in_columns=True, folders=("csv",)
    ),
    "CSV, a flag for the sign": Case((WITH_A_FLAG,), COMMAS, partial(read_bank, FLAG), in_columns=True),
    "CSV, payouts": Case(
        (payouts.CSV.encode(),), COMMAS, partial(read_bank, shipped_profile("stripe-payouts")), in_columns=True
    ),
    "CSV, advices": Case(
        (payouts.ROWS.encode(),), COMMAS, partial(read_bank, parse_profile(payouts.ADVICE, where="advice")),
        in_columns=True,
    ),
    "CSV, a profile proposed": Case((*TABLES, WITH_SEMICOLONS), COMMAS, read_table, folders=("csv",)),
    "XLSX": Case(
        (WORKBOOK, *own("XLSX")), grains(TAGS, TAGS, DIGITS), partial(read_bank, SHEET), texts_of_workbook,
        in_columns=True, is_zip=True,
    ),
    "JSON of the Berlin Group and GoCardless": Case(
        as_json(feeds.berlin(feeds.berlin_line("48210.37"), feeds.berlin_line("-7.1")), feeds.berlin()),
        folders=("json",), **FEED,
    ),
    "JSON of Plaid": Case(as_json([feeds.plaid(48210.37)], {"added": [feeds.plaid()], "removed": []}), **FEED),
    "JSON of Ponto and Qonto": Case(as_json(PONTO, QONTO), **FEED),
    "payouts of Stripe": Case(
        (*own("Stripe"), *as_json({"data": [payouts.stripe("charge", 4821037), payouts.stripe("payout", -4821037)]})),
        **FEED,
    ),
    "payouts of PayPal": Case(as_json({"transaction_details": [feeds.paypal("48210.37", "-77.31")]}), **FEED),
    "payouts of GoCardless": Case(own("GoCardless"), **FEED),
    "payouts of Square": Case(as_json(SQUARE), **FEED),
    "mail, words and HTML": Case(mails(), MAIL, read_mail, texts_of_mail, in_columns=True, weight=2),
    "mail, attachments": Case(mails_with_documents(), MAIL, read_mail, texts_of_mail, in_columns=True),
    "advices, tables": Case((*ADVICE_TABLES, *own("X12 820")), COMMAS, read_advice, in_columns=True),
    "advices, workbooks": Case(
        (WORKBOOK, ADVICE_WORKBOOK), grains(TAGS, TAGS, DIGITS), read_advice, texts_of_workbook,
        in_columns=True, is_zip=True,
    ),
    "advices, PDF": Case(DOCUMENTS, PDF, read_advice, texts_of_pdf, in_columns=True, weight=2),
}  # fmt: skip
SHARE_S = TOTAL_S / sum(case.weight for case in CASES.values())


def samples(case: Case) -> list[bytes]:
    """Ours, and the small real ones of the shared corpus where it is there."""
    real = [
        path.read_bytes()
        for folder in case.folders
        for path in sorted((CORPUS / "bank" / "dev").glob(f"{folder}/**/*"))
        if path.is_file() and path.stat().st_size <= LARGEST_SAMPLE
    ]
    return [*case.samples, *real]


# ---- the laws


def held_kib() -> int:
    """The most this process held since its mark was last taken back (Linux), or ever (elsewhere)."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0])


def forget_held() -> None:
    """Take the mark of the most memory back to what is held now, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    except OSError:
        return


def check(case: Case, data: bytes) -> None:
    """One file: read or refused, soon, and without an amount that it does not state."""
    began = time.thread_time()
    try:
        claims = [claim for claim in case.read(data) if any(claim.amounts)]
    except ArsyncError as error:
        assert error.what  # noqa: PT017 - a named error is as good an end as a value
        claims = []
    assert time.thread_time() - began < SOON_S, "too slow"
    if claims:
        stated = Numbers(case.texts(data))
        for claim in claims:
            missing = [
                one
                for one in claim.amounts
                if one and not stated.state(one.minor, in_columns=case.in_columns)
            ]
            assert len(missing) <= claim.made, f"amounts that the file does not state: {missing}"


def fuzz(name: str, numbered: Iterable[tuple[int, Random]]) -> None:
    """Wound and read, turn after turn; a finding says how to meet it again."""
    case, whole = CASES[name], samples(CASES[name])
    forget_held()
    before = held_kib()
    for number, chance in numbered:
        sample = chance.choice(whole)
        if case.is_zip and chance.random() < 0.9:
            data = wounded_zip(sample, case.grains, chance)
        else:
            data = wounded(sample, case.grains, chance, whole)
        try:
            check(case, data)
            assert held_kib() - before < HELD_KIB, "too much memory"
        except Exception as found:
            # Workbooks and PDFs hold the time they were made: the seed alone does not bring back each byte.
            kept = Path(gettempdir()) / f"arsync-fuzz-{hashlib.sha256(data).hexdigest()[:12]}"
            kept.write_bytes(data)
            again = f"check(CASES[{name!r}], Path({str(kept)!r}).read_bytes())"
            raise AssertionError(f"FUZZ_SEED={SEED} turn {number}; again with {again}: {found!r}") from found


@pytest.mark.parametrize("name", CASES)
def test_what_is_wounded_is_read_when_whole(name):
    """Else only the refusal would be fuzzed."""
    read = CASES[name].read
    claims = [claim for sample in CASES[name].samples for claim in read(sample)]
    assert any(any(claim.amounts) for claim in claims) or read is read_table


@pytest.mark.parametrize("name", CASES)
def test_the_first_wounds_of_every_reader(name):
    fuzz(name, islice(chances(f"{SEED}-{name}"), 40))


@pytest.mark.long
@pytest.mark.first
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", CASES)
def test_an_hour_of_wounds(name):
    fuzz(name, turns(f"{SEED}-{name}", SHARE_S * CASES[name].weight))
