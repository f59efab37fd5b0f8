"""camt.053 bank-to-customer statements, every version, bare or in an envelope.

Units   amounts are unsigned in the file; `CdtDbtInd` alone gives the sign (`RvslInd` is information).
Shape   bytes -> statements. Elements are read by local name and leave the tree once their entry is read,
        so that memory holds the result and the chunk being parsed, never the whole tree.
Law     each booked Ntry is a line or a problem; the parts of a batch add up to it or it has none.
Errors  `UnsafeFile` (DOCTYPE, too deep), `TruncatedFile`, `FileRefused` (not well-formed, no statement).
Source  ISO 20022 camt.053.001.02 to .14 message definition reports; Swiss Payment Standards 2025 for batches.
"""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO

from lxml import etree

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.proof import prove
from arsync.connectors.bank.readers.camt_entry import Draft, Entry, read_entry
from arsync.connectors.bank.readers.camt_fields import (
    Fields,
    first,
    flat,
    flatten,
    local_name,
    magnitude,
    read_day,
    signed,
)
from arsync.core.bank import BankLineRead, Problem, Statement
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import FileRefused, TruncatedFile, UnsafeFile

_ENTRY_TAGS = ("{*}Ntry", "{*}Stmt", "{*}GrpHdr")
# White space before the declaration and NUL bytes after the end are padding of the transfer, not XML.
_PADDING = b" \t\r\n\x00"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_TOO_MUCH = re.compile(r"Excessive depth|huge|amplification|Maximum", re.IGNORECASE)
_CUT_OFF = re.compile(
    r"Premature end|no element found|Couldn't find end|EndTag|Start tag expected", re.IGNORECASE
)


def read(data: bytes, profile: Profile) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
    """Read the statements of one camt.053 file, and warnings about the file as a whole."""
    if (
        b"<!DOCTYPE" in data
        or "<!DOCTYPE".encode("utf-16-le") in data
        or "<!DOCTYPE".encode("utf-16-be") in data
    ):
        raise _doctype()
    walk = _Walk(profile)
    try:
        for element in walk.elements(data):
            walk.take(element)
    except etree.XMLSyntaxError as error:
        raise _not_xml(str(error)) from None
    if not walk.statements:
        raise FileRefused("the camt.053 message holds no statement", do="export the period again")
    return tuple(walk.statements), texts.once(walk.warnings)


def _doctype() -> UnsafeFile:
    return UnsafeFile(
        "the file declares a DOCTYPE, which has no place in camt", do="ask the bank for a plain file"
    )


def _not_xml(message: str) -> FileRefused:
    do = "download it again; nothing of it was imported"
    if _TOO_MUCH.search(message):
        return UnsafeFile(f"the XML is nested too deep or too large in one place: {message}", do=do)
    if _CUT_OFF.search(message):
        return TruncatedFile(f"the XML ends before it should: {message}", do=do)
    return FileRefused(f"the file is not well-formed XML: {message}", do=do)


class _Walk:
    """The state of one pass over the file."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.statements: list[Statement] = []
        self.warnings: list[str] = []
        self.draft: Draft | None = None

    def elements(self, data: bytes) -> Iterator[etree._Element]:
        parsing = etree.iterparse(
            BytesIO(data if data[:2] in _UTF_16 else data.strip(_PADDING)),
            events=("end",),
            tag=_ENTRY_TAGS,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        at_start = True
        for _, element in parsing:
            if at_start:
                if element.getroottree().docinfo.internalDTD is not None:
                    raise _doctype()
                at_start = False
            yield element

    def take(self, element: etree._Element) -> None:
        name = local_name(element.tag)
        parent = element.getparent()
        if name == "GrpHdr":
            self._group_header(flat(element))
        elif name == "Stmt":
            self._statement_ends(element)
        elif parent is not None and local_name(parent.tag) == "Stmt":
            draft = self.draft = self.draft or _draft(parent, len(self.statements) + 1, self.profile)
            _take_entry(element, draft, self.profile)
            before = element.getprevious()
            # The entry itself must stay until the parser has left it; the one before it can go.
            if before is not None and before.tag == element.tag:
                parent.remove(before)

    def _group_header(self, fields: Fields) -> None:
        if first(fields, "MsgPgntn/LastPgInd") == "false":
            self.warnings.append("more-pages-follow")

    def _statement_ends(self, element: etree._Element) -> None:
        index = len(self.statements) + 1
        final = _draft(element, index, self.profile)
        draft, self.draft = self.draft or final, None
        if draft.account != final.account:
            raise FileRefused(
                "the account is named after its entries", where=f"Stmt[{index}]", do="ask the bank"
            )
        self.statements.append(_statement(element, draft, final, self.profile))
        element.clear()


def _head(statement: etree._Element) -> dict[str, list[str]]:
    """The fields of a Stmt that are neither entries nor balances."""
    fields: dict[str, list[str]] = {}
    for child in statement:
        name = local_name(child.tag)
        if name in {"Ntry", "Bal"}:
            continue
        if len(child):
            flatten(child, name + "/", fields)
        elif child.text and child.text.strip():
            fields.setdefault(name, []).append(child.text.strip())
    return fields


def _draft(statement: etree._Element, index: int, profile: Profile) -> Draft:
    head = _head(statement)
    identifier = first(
        head, "Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/BBAN", "Acct/Id/PrtryAcct/Id", "Acct/Id/UPIC"
    )
    agent = first(
        head, *(f"Acct/Svcr/FinInstnId/{x}" for x in ("BICFI", "BIC", "ClrSysMmbId/MmbId", "Othr/Id"))
    )
    identifier = identifier or profile.account or ""
    account = identity.account_id("bank" if identifier else "unknown", identifier, agent or "")
    return Draft(index, account, first(head, "Id") or "", first(head, "Acct/Ccy"))


def _statement(element: etree._Element, draft: Draft, final: Draft, profile: Profile) -> Statement:
    head = _head(element)
    balances = [flat(child) for child in element if local_name(child.tag) == "Bal"]
    opening, closing = _balances(balances, draft)
    _check_totals(head, draft)
    currency = final.currency or _any_currency(opening, closing, draft.lines) or profile.currency
    if draft.account.scheme == "unknown":
        draft.warnings.append("account-missing")
    if first(head, "CpyDplctInd") in {"DUPL", "CODU"}:
        draft.warnings.append("bank-calls-it-a-duplicate")
    if first(head, "StmtPgntn/LastPgInd") == "false":
        draft.warnings.append("more-pages-follow")
    sequence = first(head, "LglSeqNb", "ElctrncSeqNb", "StmtPgntn/PgNb") or ""
    proven, difference = prove(opening, closing, draft.lines, draft.problems)
    return Statement(
        account=draft.account,
        currency=currency,
        statement_id=first(head, "Id"),
        sequence=int(sequence) if sequence.isascii() and sequence.isdigit() else None,
        opening=opening,
        closing=closing,
        from_date=read_day(first(head, "FrToDt/FrDtTm", "FrToDt/FrDt")),
        to_date=read_day(first(head, "FrToDt/ToDtTm", "FrToDt/ToDt")),
        lines=tuple(draft.lines),
        proven=proven,
        difference=difference,
        problems=tuple(draft.problems),
        warnings=texts.once(draft.warnings + [problem.code for problem in draft.problems]),
    )


def _any_currency(opening: Money | None, closing: Money | None, lines: Iterable[BankLineRead]) -> str | None:
    amounts = (opening, closing, *(line.amount for line in lines))
    return next((amount.currency for amount in amounts if amount is not None), None)


def _balances(balances: list[dict[str, list[str]]], draft: Draft) -> tuple[Money | None, Money | None]:
    """The booked balances around the entries: OPBD else PRCD, and CLBD; ITBD on a page in the middle."""
    dated: dict[str, list[tuple[str, Money]]] = {}
    for position, fields in enumerate(balances, 1):
        code = first(fields, "Tp/CdOrPrtry/Cd", "Tp/Cd") or ""
        if code not in {"OPBD", "PRCD", "CLBD", "ITBD"}:
            continue
        day = first(fields, "Dt/Dt", "Dt/DtTm") or ""
        try:
            dated.setdefault(code, []).append((day[:10], signed(fields, "Amt", None)))
        except AmountUnreadable as error:
            where = f"Stmt[{draft.index}]/Bal[{position}]"
            do = "compare with the statement on paper, or ask the bank"
            draft.problems.append(Problem("balance-unreadable", where, "Bal/Amt", error.raw, str(error), do))
    interim = sorted(dated.get("ITBD", []), key=_day_of)
    opening = sorted(dated.get("OPBD") or dated.get("PRCD") or interim[:1], key=_day_of)
    closing = sorted(dated.get("CLBD") or interim[1:], key=_day_of)
    return (opening[0][1] if opening else None), (closing[-1][1] if closing else None)


def _day_of(dated: tuple[str, Money]) -> str:
    return dated[0]


def _check_totals(head: Fields, draft: Draft) -> None:
    """Hold the bank's own totals against what was read. Pending entries may or may not be counted."""
    if draft.not_booked:
        return
    read = [line.amount for line in draft.lines]
    checks = (
        ("TtlNtries/NbOfNtries", draft.entries),
        ("TtlCdtNtries/NbOfNtries", sum(amount.minor >= 0 for amount in read)),
        ("TtlDbtNtries/NbOfNtries", sum(amount.minor < 0 for amount in read)),
    )
    for path, count in checks:
        given = first(head, f"TxsSummry/{path}")
        if given is not None and not (given.isdigit() and int(given) == count):
            why = f"the bank counts {given}, the file holds {count}"
            draft.problems.append(_total_problem(draft, path, given, why))
    for path, sign in (("TtlCdtNtries/Sum", 1), ("TtlDbtNtries/Sum", -1)):
        given = first(head, f"TxsSummry/{path}")
        currencies = {amount.currency for amount in read}
        if given is None or len(currencies) != 1:
            continue
        total = Money(sum(abs(a.minor) for a in read if a.minor * sign > 0), currencies.pop())
        if not _equals(given, total):
            why = f"the bank's sum is {given}, the entries give {total.text()}"
            draft.problems.append(_total_problem(draft, path, given, why))


def _equals(given: str, total: Money) -> bool:
    try:
        return magnitude(given, total.currency) == total
    except AmountUnreadable:
        return False


def _total_problem(draft: Draft, path: str, given: str, why: str) -> Problem:
    where = f"Stmt[{draft.index}]/TxsSummry/{path}"
    return Problem("control-totals-differ", where, path, given, why, "ask the bank for the whole statement")


def _take_entry(element: etree._Element, draft: Draft, profile: Profile) -> None:
    """Read one Ntry into the draft: a line, a problem, or a named count of what is not booked."""
    draft.entries += 1
    fields: dict[str, list[str]] = {}
    transactions: list[Fields] = []
    for child in element:
        name = local_name(child.tag)
        if name == "NtryDtls":
            for detail in child:
                if local_name(detail.tag) == "TxDtls":
                    transactions.append(flat(detail))
                else:
                    flatten(detail, "Btch/", fields)
        elif name == "TxDtls":  # version 1 has no NtryDtls around it
            transactions.append(flat(child))
        elif len(child):
            flatten(child, name + "/", fields)
        else:
            fields.setdefault(name, []).append((child.text or "").strip())
            if name == "Amt":
                fields["Amt@Ccy"] = [child.get("Ccy") or ""]
    status = first(fields, "Sts/Cd", "Sts", "Sts/Prtry")
    if status not in {None, "BOOK"}:
        draft.not_booked += 1
        draft.warnings.append("information-not-read" if status == "INFO" else "pending-not-read")
        return
    if status is None:
        draft.warnings.append("status-missing")
    locator = f"Stmt[{draft.index}]/Ntry[{draft.entries}]"
    raw = etree.tostring(element, encoding="unicode", with_tail=False)
    read_entry(Entry(fields, tuple(transactions), locator, raw, draft, profile))
