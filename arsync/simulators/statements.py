"""Bank files as banks write them: OFX, camt.053 and a lockbox's CSV, from the same lines.

Units   amounts are whole cents of US dollars, money in positive.
Law     opening + lines = closing in every file that states both.
Source  OFX 1.0.2; ISO 20022 camt.053.001.08; the CSV is the usual lockbox export, declared by `LOCKBOX_PROFILE`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

LOCKBOX_PROFILE = """\
# How our lockbox bank writes its file: one row per cheque, a running balance, the remitter as keyed.
name = "lockbox"
currency = "USD"
account = "55-0100-7"
amounts.decimal_mark = "."

[csv]
header = ["Date", "Check", "Remitter", "Stub", "Amount", "Balance"]
date_formats = ["%m/%d/%Y"]

[csv.columns]
booking_date = "Date"
cheque_number = "Check"
payer_name = "Remitter"
text = ["Stub"]
amount = "Amount"
balance = "Balance"
"""


@dataclass(frozen=True, slots=True)
class Written:
    """One line of a statement as the bank writes it."""

    on: date
    cents: int
    payer: str
    text: str
    cheque: str = ""
    is_return: bool = False
    kind: str = ""  # OFX transaction type where it is not CREDIT or DEBIT
    as_written: str = ""  # the amount as the file has it, where a person's hand slipped


def dollars(cents: int) -> str:
    """`1234.50`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"


def ofx(bank: str, number: str, lines: Sequence[Written], opening_cents: int) -> bytes:
    """An OFX 1 file: SGML, names cut at 32 characters, only the closing balance stated."""
    body = "".join(_ofx_line(place, line) for place, line in enumerate(lines, 1))
    first, last = f"{lines[0].on:%Y%m%d}", f"{lines[-1].on:%Y%m%d}"
    closing = dollars(opening_cents + sum(line.cents for line in lines))
    text = (
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\n"
        "COMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n"
        "<OFX>\n<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>"
        f"<DTSERVER>{last}<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>\n"
        "<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>\n<STMTRS><CURDEF>USD\n"
        f"<BANKACCTFROM><BANKID>{bank}<ACCTID>{number}<ACCTTYPE>CHECKING</BANKACCTFROM>\n"
        f"<BANKTRANLIST><DTSTART>{first}<DTEND>{last}\n{body}</BANKTRANLIST>\n"
        f"<LEDGERBAL><BALAMT>{closing}<DTASOF>{last}</LEDGERBAL>\n"
        "</STMTRS></STMTTRNRS></BANKMSGSRSV1>\n</OFX>\n"
    )
    return text.encode("cp1252")


def _ofx_line(place: int, line: Written) -> str:
    kind = line.kind or ("CREDIT" if line.cents > 0 else "DEBIT")
    memo = f"<MEMO>{escape(line.text)}\n" if line.text else ""
    return (
        f"<STMTTRN>\n<TRNTYPE>{kind}\n<DTPOSTED>{line.on:%Y%m%d}120000\n<TRNAMT>{dollars(line.cents)}\n"
        f"<FITID>{line.on:%Y%m%d}{place:04}\n<NAME>{escape(line.payer.upper()[:32].strip())}\n{memo}</STMTTRN>\n"
    )


def camt(number: str, lines: Sequence[Written], opening_cents: int) -> bytes:
    """A camt.053 file of one statement, opening and closing balance stated."""
    closing = opening_cents + sum(line.cents for line in lines)
    first, last = lines[0].on.isoformat(), lines[-1].on.isoformat()
    entries = "".join(_entry(place, line) for place, line in enumerate(lines, 1))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>\n'
        f"<GrpHdr><MsgId>{last}-1</MsgId><CreDtTm>{last}T20:00:00</CreDtTm></GrpHdr>\n"
        f"<Stmt><Id>{last}-1</Id><ElctrncSeqNb>41</ElctrncSeqNb><CreDtTm>{last}T20:00:00</CreDtTm>\n"
        f"<Acct><Id><Othr><Id>{number}</Id></Othr></Id><Ccy>USD</Ccy></Acct>\n"
        f"{_balance('OPBD', opening_cents, first)}{_balance('CLBD', closing, last)}{entries}"
        "</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def _balance(code: str, cents: int, day: str) -> str:
    sign = "CRDT" if cents >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="USD">{dollars(abs(cents))}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n'
    )


def _entry(place: int, line: Written) -> str:
    sign, party = ("CRDT", "Dbtr") if line.cents > 0 else ("DBIT", "Cdtr")
    back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if line.is_return else ""
    name = f"<RltdPties><{party}><Pty><Nm>{escape(line.payer)}</Nm></Pty></{party}></RltdPties>"
    text = f"<RmtInf><Ustrd>{escape(line.text)}</Ustrd></RmtInf>" if line.text else ""
    reference, day = f"W{line.on:%y%m%d}{place:04}", line.on.isoformat()
    return (
        f'<Ntry><Amt Ccy="USD">{dollars(abs(line.cents))}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls>"
        f"<Refs><AcctSvcrRef>{reference}</AcctSvcrRef><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
        f"{name}{text}{back}</TxDtls></NtryDtls></Ntry>\n"
    )


def lockbox_csv(lines: Sequence[Written], opening_cents: int) -> bytes:
    """A lockbox file with a running balance; see `LOCKBOX_PROFILE`."""
    rows, balance_cents = ["Date,Check,Remitter,Stub,Amount,Balance"], opening_cents
    for line in lines:
        balance_cents += line.cents
        amount = line.as_written or dollars(line.cents)
        remitter = line.payer.upper().replace('"', '""')
        cells = (
            f'{line.on:%m/%d/%Y},{line.cheque},"{remitter}","{line.text}","{amount}",{dollars(balance_cents)}'
        )
        rows.append(cells)
    return ("\r\n".join(rows) + "\r\n").encode()
