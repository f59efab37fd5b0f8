import time
import tracemalloc
from dataclasses import replace
from datetime import date

import pytest

from arsync.connectors.bank.bankprofile import GENERIC
from arsync.connectors.bank.mapping import read_file
from arsync.connectors.bank.readers.camt_fields import scopes
from arsync.core.money import Money
from arsync.errors import FileRefused, TruncatedFile, UnsafeFile
from tests.connectors.bank.samples import balance, camt, entry, statement, transaction

PARTY = (
    "<RltdPties><Dbtr>{}</Dbtr><DbtrAcct><Id><IBAN>DE75512108001245126199</IBAN></Id></DbtrAcct></RltdPties>"
)
TEXT = "<RmtInf><Ustrd>Invoice 10</Ustrd><Ustrd>01 thanks</Ustrd></RmtInf>"


def eur(minor):
    return Money(minor, "EUR")


def read_one(*entries, profile=GENERIC, **more):
    (read,) = read_file(camt(statement(*entries, **more)), profile).statements
    return read


def plain(version):
    """One entry, in the words of one version."""
    modern = version >= "08"
    name = "<Pty><Nm>Ada Ltd</Nm></Pty>" if modern else "<Nm>Ada Ltd</Nm>"
    status = "<Cd>BOOK</Cd>" if modern else "BOOK"
    return entry("100.00", "CRDT", transaction(PARTY.format(name) + TEXT), status=status)


VERSIONS = ("01", "02", "03", "04", "06", "07", "08", "10", "14")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_entry_in_every_version_is_the_same_line(version):
    def without_raw(data):
        (read,) = read_file(data).statements
        return [replace(line, raw="") for line in read.lines]

    lines = without_raw(camt(statement(plain(version)), version=version))
    assert lines == without_raw(camt(statement(plain("08"))))
    (line,) = lines
    assert (line.amount, line.booking_date, line.value_date) == (
        eur(100_00),
        date(2026, 1, 15),
        date(2026, 1, 16),
    )
    assert (line.payer_name, line.payer_account) == ("Ada Ltd", "DE75512108001245126199")
    assert (line.text, line.text_joined) == ("Invoice 10 01 thanks", "Invoice 1001 thanks")
    assert (line.end_to_end_id, line.bank_reference, line.provider_id, line.provider_id_trust) == (
        *("E1", "R1", "R1"),
        "B",
    )
    assert line.locator == "Stmt[1]/Ntry[1]"


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(
            ("<BizMsgEnvlp xmlns='urn:x'><AppHdr><Fr>b</Fr></AppHdr>", "</BizMsgEnvlp>"), id="AppHdr"
        ),
        pytest.param(("<s:Envelope xmlns:s='urn:soap'><s:Body>", "</s:Body></s:Envelope>"), id="SOAP"),
    ],
)
def test_an_envelope_changes_nothing(wrap):
    inside, bare = read_file(camt(statement(plain("08")), wrap=wrap)), read_file(camt(statement(plain("08"))))
    assert inside.statements[0].lines[0].key == bare.statements[0].lines[0].key


def test_a_prefix_or_no_namespace_changes_nothing():
    data = camt(statement(plain("08")))
    bare = data.replace(b" xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'", b"")
    assert read_file(bare).statements[0].lines[0].key == read_file(data).statements[0].lines[0].key
    prefixed = data.replace(b"<", b"<c:").replace(b"<c:/", b"</c:").replace(b"<c:?", b"<?")
    prefixed = prefixed.replace(b" xmlns=", b" xmlns:c=")
    assert read_file(prefixed).statements[0].lines[0].key == read_file(data).statements[0].lines[0].key


@pytest.mark.parametrize(
    ("before", "after"), [(b"\n \r\n", b"\n"), (b"", b"\x00" * 20)], ids=["white space before", "NUL after"]
)
def test_padding_around_the_document_changes_nothing(before, after):
    data = camt(statement(plain("08")))
    assert read_file(before + data + after).statements == read_file(data).statements


def test_transactions_without_details_around_them_are_those_of_version_1():
    whole = entry("3.00", "CRDT", *three(("1.00", "CRDT"), ("2.00", "CRDT")))
    bare = whole.replace("<NtryDtls>", "").replace("</NtryDtls>", "")
    assert [part.amount for part in read_one(bare).lines[0].parts] == [eur(1_00), eur(2_00)]


def test_utf_16_is_read_as_it_declares():
    data = camt(statement(plain("08"))).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    file = read_file(data)
    assert (file.codec, file.statements[0].lines[0].payer_name) == ("utf-16", "Ada Ltd")


@pytest.mark.parametrize(
    ("sign", "reversal", "minor"),
    [
        pytest.param("CRDT", "", 100_00, id="money in"),
        pytest.param("DBIT", "", -100_00, id="money out"),
        pytest.param(
            "DBIT", "<RvslInd>true</RvslInd>", -100_00, id="a reversal does not turn the sign again"
        ),
        pytest.param("CRDT", "<RvslInd>true</RvslInd>", 100_00, id="nor does one that comes in"),
    ],
)
def test_the_sign_is_in_the_indicator_alone(sign, reversal, minor):
    (line,) = read_one(entry("100.00", sign, more=reversal)).lines
    assert line.amount == eur(minor)
    assert line.is_reversal == bool(reversal)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(entry("1,00"), "amount-unreadable", id="a comma"),
        pytest.param(entry("-1.00"), "amount-unreadable", id="a sign of its own"),
        pytest.param(entry("1.001"), "amount-unreadable", id="finer than a cent"),
        pytest.param(entry("NaN"), "amount-unreadable", id="not a number"),
        pytest.param(entry("1e3"), "amount-unreadable", id="an exponent"),
        pytest.param(entry(""), "amount-unreadable", id="empty"),
        pytest.param(entry("9999999999999999"), "amount-unreadable", id="sixteen digits"),
        pytest.param(entry("1.00", more='<Amt Ccy="EUR">2</Amt>'), "amount-unreadable", id="two amounts"),
        pytest.param(
            entry("1.00", more="<CdtDbtInd>DBIT</CdtDbtInd>"), "sign-unreadable", id="two directions"
        ),
        pytest.param(entry("1.00", "BOTH"), "sign-unreadable", id="no known direction"),
        pytest.param(entry("1.00", ""), "sign-unreadable", id="no direction"),
        pytest.param(entry("1.00", currency="XQX"), "currency-unreadable", id="no such currency"),
    ],
)
def test_an_unreadable_entry_is_a_problem_and_the_others_stay(data, code):
    read = read_one(entry("5.00"), data, entry("6.00"))
    assert [line.amount for line in read.lines] == [eur(5_00), eur(6_00)]
    (problem,) = read.problems
    assert (problem.code, problem.locator) == (code, "Stmt[1]/Ntry[2]")
    assert problem.raw.startswith("<Ntry")
    assert read.proven == "unproven"


def test_zeros_beyond_the_cents_are_no_digits_lost():
    assert read_one(entry("8.85000")).lines[0].amount == eur(8_85)


@pytest.mark.parametrize(
    ("booked", "day"),
    [
        ("<DtTm>2026-01-15T23:59:59.999-08:00</DtTm>", date(2026, 1, 15)),
        ("<DtTm>2026-01-01T00:30:00+02:00</DtTm>", date(2026, 1, 1)),
        ("<Dt>2026-01-15Z</Dt>", date(2026, 1, 15)),
        ("<Dt>2026-02-30</Dt>", None),
        ("<Dt>15.01.2026</Dt>", None),
        ("", None),
    ],
)
def test_booking_dates_are_local_days(booked, day):
    read = read_one(entry(booked=booked))
    assert read.lines[0].booking_date == day
    assert [problem.code for problem in read.problems] == ([] if day else ["date-unreadable"])


@pytest.mark.parametrize("status", ["<Cd>PDNG</Cd>", "PDNG", "<Cd>FUTR</Cd>"])
def test_pending_entries_are_not_booked(status):
    read = read_one(entry("5.00"), entry("6.00", status=status))
    assert [line.amount for line in read.lines] == [eur(5_00)]
    assert read.warnings == ("pending-not-read",)


@pytest.mark.parametrize("count", ["\u00b2", "9" * 5000])
@pytest.mark.parametrize(
    ("path", "code"),
    [
        (
            "<TxsSummry><TtlNtries><NbOfNtries>{}</NbOfNtries></TtlNtries></TxsSummry>",
            ["control-totals-differ"],
        ),
        ("<LglSeqNb>{}</LglSeqNb>", []),
    ],
    ids=["a total", "a number"],
)
def test_a_count_that_is_none_is_read_as_none(count, path, code):
    (read,) = read_file(camt(statement(entry(), more=path.format(count)))).statements
    assert (len(read.lines), [problem.code for problem in read.problems], read.sequence in {None, 7}) == (
        1,
        code,
        True,
    )


@pytest.mark.parametrize("count", ["\u00b2", "9" * 5000])
def test_a_batch_that_counts_what_is_no_number_is_a_line(count):
    more = f"<NtryDtls><Btch><NbOfTxs>{count}</NbOfTxs></Btch></NtryDtls>"
    assert read_one(entry(more=more)).lines[0].warnings == ()


def three(*amounts_and_signs):
    return [
        transaction(amount=amount, sign=sign, end_to_end=f"E{i}", reference=f"T{i}")
        for i, (amount, sign) in enumerate(amounts_and_signs)
    ]


def test_a_batch_of_mixed_signs_has_parts_that_add_up():
    returned = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    parts = [*three(("80.00", "CRDT"), ("50.00", "CRDT")), transaction(returned, amount="30.00", sign="DBIT")]
    (line,) = read_one(entry("100.00", "CRDT", *parts)).lines
    assert [part.amount for part in line.parts] == [eur(80_00), eur(50_00), eur(-30_00)]
    assert len({part.key for part in line.parts}) == 3
    assert [part.provider_id for part in line.parts] == ["T0", "T1", None]
    assert [part.provider_id_trust for part in line.parts] == ["A", "A", "C"]
    assert [part.is_return for part in line.parts] == [False, False, True]
    assert line.parts[2].return_reason == "AC04"
    assert line.parts[1].locator == "Stmt[1]/Ntry[1]/TxDtls[2]"
    assert not line.is_return


@pytest.mark.parametrize(
    "amounts", [[("60.00", "CRDT"), ("39.99", "CRDT")], [("60.00", "CRDT"), ("x", "CRDT")]]
)
def test_parts_that_do_not_add_up_are_a_problem_and_the_entry_stays_whole(amounts):
    read = read_one(entry("100.00", "CRDT", *three(*amounts)))
    assert [(line.amount, line.parts) for line in read.lines] == [(eur(100_00), ())]
    (problem,) = read.problems
    assert problem.code in {"parts-do-not-add-up", "part-unreadable"}


def test_parts_without_amounts_are_named_and_their_texts_kept():
    parts = [
        transaction("<RmtInf><Ustrd>A1</Ustrd></RmtInf>"),
        transaction("<RmtInf><Ustrd>B2</Ustrd></RmtInf>"),
    ]
    (line,) = read_one(entry("100.00", "CRDT", *parts)).lines
    assert (line.parts, line.text, line.warnings) == ((), "A1 B2", ("parts-without-amounts",))


def test_a_batch_of_version_2_has_its_amounts_one_level_down():
    def old(amount):
        return transaction(f'<AmtDtls><TxAmt><Amt Ccy="EUR">{amount}</Amt></TxAmt></AmtDtls>')

    (line,) = read_one(entry("664.05", "DBIT", old("564.05"), old("100.00"))).lines
    assert [part.amount for part in line.parts] == [eur(-564_05), eur(-100_00)]


def test_the_instructed_amount_never_stands_for_the_entry():
    foreign = '<AmtDtls><InstdAmt><Amt Ccy="USD">200000</Amt></InstdAmt></AmtDtls>'
    (line,) = read_one(entry("4.10", "CRDT", transaction(foreign))).lines
    assert (line.amount, line.original_amount) == (eur(4_10), Money(200_000_00, "USD"))


def test_a_return_is_recognised_and_carries_the_end_to_end_id_of_the_payment():
    returned = (
        "<RltdPties><Dbtr><Pty><Nm>Payer</Nm></Pty></Dbtr><Cdtr><Pty><Nm>Us</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>"
        "DE89370400440532013000</IBAN></Id></CdtrAcct></RltdPties><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    )
    (line,) = read_one(entry("100.00", "DBIT", transaction(returned, end_to_end="INV-1001"))).lines
    assert (line.is_return, line.return_reason, line.code_family) == (True, "AC04", "return")
    assert line.end_to_end_id == "INV-1001"
    assert line.payer_name == "Payer", "the bank kept the roles of the payment: the creditor is ourselves"


@pytest.mark.parametrize("value", ["NOTPROVIDED", "0000000", "NONREF", "notprovided"])
def test_ids_that_say_nothing_are_none(value):
    (line,) = read_one(entry("1.00", "CRDT", transaction(end_to_end=value), reference=value)).lines
    assert line.end_to_end_id is None
    assert line.provider_id_trust == "C"


def test_an_entry_number_is_an_id_only_where_the_profile_says_so():
    def number(profile):
        (line,) = read_one(entry(reference=None, more="<NtryRef>1</NtryRef>"), profile=profile).lines
        return line.provider_id, line.provider_id_trust

    assert number(GENERIC) == ("S7/2026/1", "C")
    assert number(replace(GENERIC, entry_reference_trust="B")) == ("S7/2026/1", "B")


def test_structured_references_stand_apart_and_in_the_text():
    structured = (
        "<RmtInf><Strd><RfrdDocInf><Nb>INV-9</Nb></RfrdDocInf><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd>"
        "</CdOrPrtry></Tp><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf>"
    )
    (line,) = read_one(entry("1.00", "CRDT", transaction(structured))).lines
    assert line.creditor_reference == "RF18539007547034"
    assert line.text == "INV-9 RF18539007547034"


def code(family, sub):
    inside = f"<Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly>"
    return f"<BkTxCd><Domn><Cd>PMNT</Cd>{inside}</Domn></BkTxCd>"


@pytest.mark.parametrize(
    ("family", "sub", "word"),
    [
        ("RCDT", "ESCT", "transfer_in"),
        ("IDDT", "ESDD", "direct_debit_in"),
        ("IDDT", "UPDD", "return"),
        ("RCDT", "RRTN", "return"),
        ("LBOX", "LBDP", "lockbox"),
        ("RCHQ", "CCHQ", "cheque"),
        ("MCRD", "POSP", "card_payout"),
        ("MCOP", "CHRG", "fee"),
        ("ICDT", "ESCT", "other"),
    ],
)
def test_code_families(family, sub, word):
    (line,) = read_one(entry(more=code(family, sub))).lines
    assert line.code_family == word
    assert line.raw_codes["BkTxCd/Domn/Fmly/SubFmlyCd"] == sub


@pytest.mark.parametrize(
    ("closing", "proven", "difference"),
    [("150.00", "proven", 0), ("150.01", "unproven", 1), ("149.99", "unproven", -1)],
)
def test_opening_and_lines_make_closing_or_the_statement_is_unproven(closing, proven, difference):
    balances = balance("OPBD", "60.00") + balance("CLBD", closing)
    read = read_one(entry("100.00"), entry("10.00", "DBIT", reference="R2"), balances=balances)
    assert (read.proven, read.difference) == (proven, eur(difference))


def test_balances_below_zero_and_the_previous_closing_as_opening():
    balances = balance("PRCD", "60.00", "DBIT") + balance("CLBD", "40.00") + balance("CLAV", "99.00")
    read = read_one(entry("100.00"), balances=balances)
    assert (read.opening, read.closing, read.proven) == (eur(-60_00), eur(40_00), "proven")


def test_an_unreadable_balance_is_no_missing_one():
    read = read_one(entry("100.00"), balances=balance("OPBD", "x") + balance("CLBD", "40.00"))
    assert [problem.code for problem in read.problems] == ["balance-unreadable"]
    assert read.proven == "unproven"


@pytest.mark.parametrize(
    ("totals", "fits"),
    [
        ("<TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries>", True),
        ("<TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries>", False),
        ("<TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>100</Sum></TtlCdtNtries>", True),
        ("<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>10.01</Sum></TtlDbtNtries>", False),
    ],
)
def test_the_totals_of_the_bank_must_fit(totals, fits):
    entries = entry("100.00"), entry("10.00", "DBIT", reference="R2")
    read = read_one(*entries, more=f"<TxsSummry>{totals}</TxsSummry>")
    assert [problem.code for problem in read.problems] == ([] if fits else ["control-totals-differ"])


@pytest.mark.parametrize(
    ("message", "name"), [("BkToCstmrAcctRpt", "Rpt[1]"), ("BkToCstmrDbtCdtNtfctn", "Ntfctn[1]")]
)
def test_what_reports_and_notifications_say_is_provisional(message, name):
    (read,) = read_file(camt(statement(entry()), message=message)).statements
    assert read.standing == "provisional"
    assert [line.locator for line in read.lines] == [f"{name}/Ntry[1]"]
    (booked,) = read_file(camt(statement(entry()))).statements
    assert booked.standing == "booked"
    assert [line.key for line in booked.lines] == [line.key for line in read.lines], (
        "the same money has one key"
    )


def test_the_message_of_version_1_has_its_version_in_its_name():
    data = camt(statement(entry(), sequence=3), message="BkToCstmrAcctRpt").replace(b"AcctRpt", b"AcctRptV01")
    assert [len(read.lines) for read in read_file(data).statements] == [1]


def strd(number="INV-9", *, remitted="60.00", more=""):
    return (
        f"<Strd><RfrdDocInf><Nb>{number}</Nb><RltdDt>2026-01-02</RltdDt></RfrdDocInf><RfrdDocAmt>{more}"
        f'<RmtdAmt Ccy="EUR">{remitted}</RmtdAmt></RfrdDocAmt></Strd>'
    )


def test_structured_documents_are_a_remittance_of_their_line():
    discounted = strd(
        "INV-1",
        more='<DuePyblAmt Ccy="EUR">62.00</DuePyblAmt><DscntApldAmt><Amt Ccy="EUR">2.00</Amt></DscntApldAmt>',
    )
    inside = f"<RmtInf>{discounted}{strd('INV-2', remitted='40.00')}</RmtInf>"
    file = read_file(
        camt(statement(entry("100.00", "CRDT", transaction(PARTY.format("<Nm>Ada</Nm>") + inside))))
    )
    (advice,) = file.remittances
    (line,) = file.statements[0].lines
    assert (advice.line_key, advice.total, advice.grade, advice.payer_name) == (
        line.key,
        eur(100_00),
        "bank file",
        "Ada",
    )
    assert [(one.reference, one.paid, one.gross, one.discount) for one in advice.lines] == [
        ("INV-1", eur(60_00), eur(62_00), eur(2_00)),
        ("INV-2", eur(40_00), None, None),
    ]
    assert advice.lines[0].document_date == date(2026, 1, 2)
    assert advice.problems == ()


def test_documents_that_do_not_come_to_the_payment_are_a_problem_of_the_advice():
    inside = f"<RmtInf>{strd(remitted='60.00')}</RmtInf>"
    (advice,) = read_file(camt(statement(entry("100.00", "CRDT", transaction(inside))))).remittances
    assert [problem.code for problem in advice.problems] == ["remittance-does-not-add-up"]


DOCTYPES = {
    "external entity": "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>",
    "billion laughs": "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>",
    "plain": "<!DOCTYPE Document>",
}


@pytest.mark.parametrize("doctype", DOCTYPES.values(), ids=DOCTYPES.keys())
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_doctype_is_refused(doctype, codec):
    data = camt(statement(entry()), before=doctype).decode().replace("UTF-8", codec.upper())
    with pytest.raises(UnsafeFile):
        read_file(data.encode(codec))


def deep(levels):
    return camt(statement("<a>" * levels + "</a>" * levels))


BAD = {
    "cut short": (camt(statement(entry()))[:-60], TruncatedFile),
    "200,000 levels deep": (deep(200_000), UnsafeFile),
    "not well-formed": (camt(statement("<Ntry></Amt>")), FileRefused),
    "undefined entity": (camt(statement(entry(more="<X>&boom;</X>"))), FileRefused),
    "no statement": (camt(), FileRefused),
    "over the limit": (b"<Document><BkToCstmrStmt>" + b" " * (64 * 1024 * 1024), UnsafeFile),
}


@pytest.mark.parametrize(("data", "error"), BAD.values(), ids=BAD.keys())
def test_bad_files_end_soon_in_a_named_error(data, error):
    started = time.thread_time()
    with pytest.raises(error) as caught:
        read_file(data)
    assert caught.value.do
    assert time.thread_time() - started < 2


def test_memory_holds_one_entry_whatever_the_size_of_the_file():
    whole = camt(statement(*(entry(reference=f"R{i}", more="<X>x</X>" * 50) for i in range(100))))
    head, _, rest = whole.partition(b"<Ntry>")
    body, _, foot = rest.rpartition(b"</Ntry>")
    chunks = (head, *[b"<Ntry>" + body + b"</Ntry>"] * 200, foot)
    tracemalloc.start()
    entries = sum(scope.name == "Ntry" for scope, _ in scopes(iter(chunks)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert entries == 20_000
    assert peak < 2 * sum(map(len, chunks)) / 20


def test_two_megabytes_of_text_are_cut_and_named():
    text = f"<RmtInf><Ustrd>{'x' * 2_000_000}</Ustrd></RmtInf>"
    (line,) = read_one(entry("1.00", "CRDT", transaction(text))).lines
    assert (len(line.text), line.warnings) == (4096, ("text-cut",))
