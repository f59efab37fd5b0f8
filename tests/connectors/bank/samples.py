"""Small bank files of our own, written the way banks write them."""

OFX_HEADER = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."


def ofx_line(amount="100.00", *, fitid="F1", posted="20260115", kind="CREDIT", **more):
    """One STMTTRN as SGML; further leaves by name."""
    leaves = {"TRNTYPE": kind, "DTPOSTED": posted, "TRNAMT": amount, "FITID": fitid, **more}
    given = "".join(f"<{name}>{value}\n" for name, value in leaves.items() if value is not None)
    return f"<STMTTRN>\n{given}</STMTTRN>\n"


def ofx_account(*lines, account="4711", currency="USD", balance="1000.00"):
    """One STMTTRNRS."""
    return (
        f"<STMTTRNRS><STMTRS><CURDEF>{currency}\n<BANKACCTFROM><BANKID>121000248\n<ACCTID>{account}\n"
        "<ACCTTYPE>CHECKING\n</BANKACCTFROM>\n<BANKTRANLIST>\n<DTSTART>20260101\n<DTEND>20260131\n"
        f"{''.join(lines)}</BANKTRANLIST>\n<LEDGERBAL><BALAMT>{balance}\n<DTASOF>20260131\n</LEDGERBAL>\n"
        "</STMTRS></STMTTRNRS>\n"
    )


def ofx_file(*accounts, header=OFX_HEADER):
    """A whole OFX 1 file."""
    return f"{header}<OFX>\n<BANKMSGSRSV1>\n{''.join(accounts)}</BANKMSGSRSV1>\n</OFX>\n".encode()


def ofx(*lines, **more):
    """A file of one account."""
    return ofx_file(ofx_account(*lines, **more))


def transaction(inside="", *, amount=None, sign=None, end_to_end="E1", reference=None, currency="EUR"):
    """One TxDtls; `inside` is further XML after Refs and amounts."""
    references = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    own = f'<Amt Ccy="{currency}">{amount}</Amt>' if amount else ""
    direction = f"<CdtDbtInd>{sign}</CdtDbtInd>" if sign else ""
    refs = f"<Refs>{references}<EndToEndId>{end_to_end}</EndToEndId></Refs>"
    return f"<TxDtls>{refs}{own}{direction}{inside}</TxDtls>"


def entry(
    amount="100.00",
    sign="CRDT",
    *transactions,
    reference="R1",
    booked="<Dt>2026-01-15</Dt>",
    status="<Cd>BOOK</Cd>",
    currency="EUR",
    more="",
):
    """One Ntry."""
    own = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    details = f"<NtryDtls>{''.join(transactions)}</NtryDtls>" if transactions else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>{status}</Sts>'
        f"<BookgDt>{booked}</BookgDt><ValDt><Dt>2026-01-16</Dt></ValDt>{own}{more}{details}</Ntry>"
    )


def balance(code, amount, sign="CRDT", day="2026-01-15", currency="EUR"):
    """One Bal."""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>'
    )


def statement(*entries, balances="", sequence=7, iban="DE89370400440532013000", more=""):
    """One Stmt."""
    return (
        f"<Stmt><Id>S{sequence}</Id><ElctrncSeqNb>{sequence}</ElctrncSeqNb><Acct><Id><IBAN>{iban}</IBAN></Id>"
        f"<Ccy>EUR</Ccy></Acct>{balances}{more}{''.join(entries)}</Stmt>"
    )


def camt(*statements, version="08", message="BkToCstmrStmt", before="", wrap=("", "")):
    """A whole camt file."""
    namespace = NAMESPACE.replace("053", {"BkToCstmrAcctRpt": "052"}.get(message, "053")) + version
    name = {"BkToCstmrAcctRpt": "Rpt", "BkToCstmrDbtCdtNtfctn": "Ntfctn"}.get(message, "Stmt")
    inside = "".join(statements).replace("<Stmt>", f"<{name}>").replace("</Stmt>", f"</{name}>")
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>{before}{wrap[0]}<Document xmlns='{namespace}'><{message}>"
        f"<GrpHdr><MsgId>M1</MsgId></GrpHdr>{inside}</{message}></Document>{wrap[1]}"
    ).encode()
