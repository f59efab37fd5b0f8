"""camt.053 bank-to-customer statements, every version, bare or in an envelope.

Units   amounts are unsigned in the file; `CdtDbtInd` alone gives the sign (`RvslInd` is information).
Shape   bytes -> statements. Elements are read by local name and dropped as soon as their entry is read,
        so that memory holds the result and one entry, never the tree.
Law     each booked Ntry is a line or a problem; the parts of a batch add up to it or it has none.
Errors  `UnsafeFile` (DOCTYPE, too deep), `TruncatedFile`, `FileRefused` (not well-formed, no statement).
Source  ISO 20022 camt.053.001.02 to .14 message definition reports; Swiss Payment Standards 2025 for batches.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO

from lxml import etree

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.profile import Profile
from arsync.connectors.bank.proof import prove
from arsync.core.bank import AccountId, BankLineRead, CodeFamily, Problem, Statement
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import FileRefused, TruncatedFile, UnsafeFile

Flat = Mapping[str, list[str]]
"""Element content by path of local names: `{"RltdPties/Dbtr/Nm": ["Ada"], "Amt@Ccy": ["EUR"]}`."""

_ENTRY_TAGS = ("{*}Ntry", "{*}Stmt", "{*}GrpHdr")
_DECIMAL = re.compile(r"\+?(?:[0-9]{1,40}(?:\.[0-9]{0,5})?|\.[0-9]{1,5})", re.ASCII)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T.*|Z|[+-][0-9:]+)?", re.ASCII)
_SIGNS = {"CRDT": 1, "DBIT": -1}
_RETURNS = frozenset({"RRTN", "UPDD", "UPCQ", "UPCT", "PRDD"})
_FAMILIES: dict[str, CodeFamily] = {
    "RCDT": "transfer_in",
    "RRCT": "transfer_in",
    "IDDT": "direct_debit_in",
    "MCRD": "card_payout",
    "RCHQ": "cheque",
    "ICHQ": "cheque",
    "LBOX": "lockbox",
    "CNTR": "cash",
}
_SUBFAMILIES: dict[str, CodeFamily] = {"CHRG": "fee", "FEES": "fee", "COMM": "fee", "INTR": "interest"}
_TOO_MUCH = re.compile(r"Excessive depth|huge|amplification|Maximum", re.IGNORECASE)
_CUT_OFF = re.compile(r"Premature end|no element found|Couldn't find end|EndTag|Start tag expected", re.IGNORECASE)


@dataclass(slots=True)
class _Draft:
    """One Stmt while its entries go by."""

    index: int
    account: AccountId
    statement_id: str
    currency: str | None
    lines: list[BankLineRead] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    entries: int = 0
    not_booked: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    """One Ntry and what is needed around it."""

    fields: Flat
    transactions: tuple[Flat, ...]
    locator: str
    raw: str
    draft: _Draft
    profile: Profile

    def one(self, *paths: str) -> str | None:
        return _first(self.fields, *paths)


def read(data: bytes, profile: Profile) -> tuple[str, tuple[Statement, ...], tuple[str, ...]]:
    """Read a camt.053 file; return its codec, statements, and warnings about the file as a whole."""
    if b"<!DOCTYPE" in data or "<!DOCTYPE".encode("utf-16-le") in data or "<!DOCTYPE".encode("utf-16-be") in data:
        raise _doctype()
    walk = _Walk(profile)
    try:
        for element in walk.elements(data):
            walk.take(element)
    except etree.XMLSyntaxError as error:
        raise _not_xml(str(error)) from None
    if not walk.statements:
        raise FileRefused("the camt.053 message holds no statement", do="export the period again")
    return walk.codec, tuple(walk.statements), texts.once(walk.warnings)


def _doctype() -> UnsafeFile:
    return UnsafeFile("the file declares a DOCTYPE, which has no place in camt", do="ask the bank for a plain file")


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
        self.codec = "utf-8"
        self.statements: list[Statement] = []
        self.warnings: list[str] = []
        self.draft: _Draft | None = None

    def elements(self, data: bytes) -> Iterator[etree._Element]:
        parsing = etree.iterparse(
            BytesIO(data),
            events=("end",),
            tag=_ENTRY_TAGS,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        first = True
        for _, element in parsing:
            if first:
                info = element.getroottree().docinfo
                if info.internalDTD is not None:
                    raise _doctype()
                self.codec, first = (info.encoding or "utf-8").lower(), False
            yield element

    def take(self, element: etree._Element) -> None:
        name = _local(element.tag)
        parent = element.getparent()
        if name == "GrpHdr":
            self._group_header(_flat(element))
        elif name == "Stmt":
            self._statement_ends(element)
        elif parent is not None and _local(parent.tag) == "Stmt":
            draft = self.draft = self.draft or _draft(parent, len(self.statements) + 1, self.profile)
            _take_entry(element, draft, self.profile)
            before = element.getprevious()
            # The entry itself must stay until the parser has left it; the one before it can go.
            if before is not None and before.tag == element.tag:
                parent.remove(before)

    def _group_header(self, fields: Flat) -> None:
        if _first(fields, "MsgPgntn/LastPgInd") == "false":
            self.warnings.append("more-pages-follow")

    def _statement_ends(self, element: etree._Element) -> None:
        index = len(self.statements) + 1
        final = _draft(element, index, self.profile)
        draft, self.draft = self.draft or final, None
        if draft.account != final.account:
            raise FileRefused("the account is named after its entries", where=f"Stmt[{index}]", do="ask the bank")
        self.statements.append(_statement(element, draft, final, self.profile))
        element.clear()


_LOCAL_NAMES: dict[str, str] = {}
_LOCAL_NAMES_LIMIT = 4096


def _local(tag: str) -> str:
    """The name without its namespace; remembered, because a file repeats some fifty names."""
    name = _LOCAL_NAMES.get(tag)
    if name is None:
        name = tag.rpartition("}")[2]
        if len(_LOCAL_NAMES) < _LOCAL_NAMES_LIMIT:
            _LOCAL_NAMES[tag] = name
    return name


def _flat(element: etree._Element) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    _flatten(element, "", fields)
    return fields


def _flatten(element: etree._Element, prefix: str, fields: dict[str, list[str]]) -> None:
    """Collect leaves; depth is bounded by the parser (256)."""
    for child in element:
        path = prefix + _local(child.tag)
        if len(child):
            _flatten(child, path + "/", fields)
            continue
        text = child.text
        if text:
            text = text.strip()
            if text:
                fields.setdefault(path, []).append(text)
        currency = child.get("Ccy")
        if currency is not None:
            fields.setdefault(path + "@Ccy", []).append(currency)


def _first(fields: Flat, *paths: str) -> str | None:
    for path in paths:
        found = fields.get(path)
        if found:
            return found[0]
    return None


def _head(statement: etree._Element) -> dict[str, list[str]]:
    """The fields of a Stmt that are neither entries nor balances."""
    fields: dict[str, list[str]] = {}
    for child in statement:
        name = _local(child.tag)
        if name in {"Ntry", "Bal"}:
            continue
        if len(child):
            _flatten(child, name + "/", fields)
        elif child.text and child.text.strip():
            fields.setdefault(name, []).append(child.text.strip())
    return fields


def _draft(statement: etree._Element, index: int, profile: Profile) -> _Draft:
    head = _head(statement)
    identifier = _first(head, "Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/BBAN", "Acct/Id/PrtryAcct/Id", "Acct/Id/UPIC")
    agent = _first(head, *(f"Acct/Svcr/FinInstnId/{x}" for x in ("BICFI", "BIC", "ClrSysMmbId/MmbId", "Othr/Id")))
    identifier = identifier or profile.account or ""
    account = identity.account_id("bank" if identifier else "unknown", identifier, agent or "")
    return _Draft(index, account, _first(head, "Id") or "", _first(head, "Acct/Ccy"))


def _statement(element: etree._Element, draft: _Draft, final: _Draft, profile: Profile) -> Statement:
    head = _head(element)
    balances = [_flat(child) for child in element if _local(child.tag) == "Bal"]
    opening, closing = _balances(balances, draft)
    _check_totals(head, draft)
    currency = final.currency or _any_currency(opening, closing, draft.lines) or profile.currency
    if draft.account.scheme == "unknown":
        draft.warnings.append("account-missing")
    if _first(head, "CpyDplctInd") in {"DUPL", "CODU"}:
        draft.warnings.append("bank-calls-it-a-duplicate")
    if _first(head, "StmtPgntn/LastPgInd") == "false":
        draft.warnings.append("more-pages-follow")
    sequence = _first(head, "LglSeqNb", "ElctrncSeqNb", "StmtPgntn/PgNb") or ""
    proven, difference = prove(opening, closing, draft.lines, draft.problems)
    return Statement(
        account=draft.account,
        currency=currency,
        statement_id=_first(head, "Id"),
        sequence=int(sequence) if sequence.isascii() and sequence.isdigit() else None,
        opening=opening,
        closing=closing,
        from_date=read_day(_first(head, "FrToDt/FrDtTm", "FrToDt/FrDt")),
        to_date=read_day(_first(head, "FrToDt/ToDtTm", "FrToDt/ToDt")),
        lines=tuple(draft.lines),
        proven=proven,
        difference=difference,
        problems=tuple(draft.problems),
        warnings=texts.once(draft.warnings + [problem.code for problem in draft.problems]),
    )


def _any_currency(opening: Money | None, closing: Money | None, lines: Iterable[BankLineRead]) -> str | None:
    known = opening or closing
    if opening is not None:
        return opening.currency
    return closing.currency if closing is not None else next((line.amount.currency for line in lines), None)


def _balances(balances: list[dict[str, list[str]]], draft: _Draft) -> tuple[Money | None, Money | None]:
    """The booked balances around the entries: OPBD else PRCD, and CLBD; ITBD on a page in the middle."""
    dated: dict[str, list[tuple[str, Money]]] = {}
    for position, fields in enumerate(balances, 1):
        code = _first(fields, "Tp/CdOrPrtry/Cd", "Tp/Cd") or ""
        if code not in {"OPBD", "PRCD", "CLBD", "ITBD"}:
            continue
        day = _first(fields, "Dt/Dt", "Dt/DtTm") or ""
        try:
            dated.setdefault(code, []).append((day[:10], _signed(fields, "Amt", None)))
        except AmountUnreadable as error:
            where = f"Stmt[{draft.index}]/Bal[{position}]"
            do = "compare with the statement on paper, or ask the bank"
            draft.problems.append(Problem("balance-unreadable", where, "Bal/Amt", error.raw, str(error), do))
    interim = sorted(dated.get("ITBD", []), key=lambda pair: pair[0])
    first = min(dated.get("OPBD") or dated.get("PRCD") or interim[:1] or [None], key=lambda p: p[0] if p else "")
    last = max(dated.get("CLBD") or interim[1:] or [None], key=lambda p: p[0] if p else "")
    return (first[1] if first else None), (last[1] if last else None)


def _check_totals(head: Flat, draft: _Draft) -> None:
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
        given = _first(head, f"TxsSummry/{path}")
        if given is not None and not (given.isdigit() and int(given) == count):
            why = f"the bank counts {given}, the file holds {count}"
            draft.problems.append(_total_problem(draft, path, given, why))
    for path, sign in (("TtlCdtNtries/Sum", 1), ("TtlDbtNtries/Sum", -1)):
        given = _first(head, f"TxsSummry/{path}")
        currencies = {amount.currency for amount in read}
        if given is None or len(currencies) != 1:
            continue
        total = Money(sum(abs(a.minor) for a in read if a.minor * sign > 0), currencies.pop())
        if not _equals(given, total):
            why = f"the bank's sum is {given}, the entries give {total.text()}"
            draft.problems.append(_total_problem(draft, path, given, why))


def _equals(given: str, total: Money) -> bool:
    try:
        return _magnitude(given, total.currency) == total
    except AmountUnreadable:
        return False


def _total_problem(draft: _Draft, path: str, given: str, why: str) -> Problem:
    where = f"Stmt[{draft.index}]/TxsSummry/{path}"
    return Problem("control-totals-differ", where, path, given, why, "ask the bank for the whole statement")


def read_day(raw: str | None) -> date | None:
    """The calendar day of an ISO date or date-time as written; its zone never moves it."""
    found = _DAY.fullmatch(raw or "")
    if not found:
        return None
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        return None


def _magnitude(raw: str, currency: str) -> Money:
    if not _DECIMAL.fullmatch(raw):
        raise AmountUnreadable(raw, "not an unsigned decimal number with at most 5 decimals")
    return Money.of(raw, currency)


def _signed(fields: Flat, path: str, fallback: str | None, sign_path: str = "CdtDbtInd") -> Money:
    raw = _first(fields, path) or ""
    currency = _first(fields, f"{path}@Ccy") or fallback
    if currency is None:
        raise AmountUnreadable(raw, "no currency is given")
    sign = _SIGNS.get(_first(fields, sign_path) or "")
    if sign is None:
        raise AmountUnreadable(_first(fields, sign_path) or "", "CdtDbtInd is neither CRDT nor DBIT")
    money = _magnitude(raw, currency)
    return money if sign > 0 else -money


def _take_entry(element: etree._Element, draft: _Draft, profile: Profile) -> None:
    """Read one Ntry into the draft: a line, a problem, or a named count of what is not booked."""
    draft.entries += 1
    fields: dict[str, list[str]] = {}
    transactions: list[Flat] = []
    for child in element:
        name = _local(child.tag)
        if name == "NtryDtls":
            for detail in child:
                if _local(detail.tag) == "TxDtls":
                    transactions.append(_flat(detail))
                else:
                    _flatten(detail, "Btch/", fields)
        elif len(child):
            _flatten(child, name + "/", fields)
        else:
            fields.setdefault(name, []).append((child.text or "").strip())
            if name == "Amt":
                fields["Amt@Ccy"] = [child.get("Ccy") or ""]
    status = _first(fields, "Sts/Cd", "Sts", "Sts/Prtry")
    if status not in {None, "BOOK"}:
        draft.not_booked += 1
        draft.warnings.append("information-not-read" if status == "INFO" else "pending-not-read")
        return
    if status is None:
        draft.warnings.append("status-missing")
    locator = f"Stmt[{draft.index}]/Ntry[{draft.entries}]"
    raw = etree.tostring(element, encoding="unicode", with_tail=False)
    _read_entry(_Entry(fields, tuple(transactions), locator, raw, draft, profile))


def _read_entry(entry: _Entry) -> None:
    draft = entry.draft
    try:
        amount = _signed(entry.fields, "Amt", draft.currency or entry.profile.currency)
    except AmountUnreadable as error:
        draft.problems.append(_amount_problem(entry, error))
        return
    booked = read_day(entry.one("BookgDt/Dt", "BookgDt/DtTm"))
    if booked is None:
        given = entry.one("BookgDt/Dt", "BookgDt/DtTm") or ""
        why = f"{given!r} is not a date" if given else "the entry has no booking date"
        do = "look at the entry and give its date"
        draft.problems.append(Problem("date-unreadable", entry.locator, "BookgDt", given, why, do))
    draft.lines.append(_line(entry, amount, booked))


def _amount_problem(entry: _Entry, error: AmountUnreadable) -> Problem:
    code, name = "amount-unreadable", "Amt"
    if "CdtDbtInd" in error.why:
        code, name = "sign-unreadable", "CdtDbtInd"
    elif "currency" in error.why:
        code, name = "currency-unreadable", "Amt@Ccy"
    do = "look at the entry in the file and enter it by hand, or ask the bank"
    return Problem(code, entry.locator, name, entry.raw, str(error), do)


def _line(entry: _Entry, amount: Money, booked: date | None) -> BankLineRead:
    warnings: list[str] = []
    # With one transaction, its fields are the line's; with several, each is a part of its own.
    single: Flat = entry.transactions[0] if len(entry.transactions) == 1 else {}
    pieces = [piece for transaction in entry.transactions for piece in _remittance(transaction)]
    text, joined, cut = texts.join((*pieces, *_all(entry.fields, "AddtlNtryInf")))
    value_date = read_day(entry.one("ValDt/Dt", "ValDt/DtTm"))
    code = entry.one("BkTxCd/Domn/Fmly/SubFmlyCd") or entry.one("BkTxCd/Prtry/Cd") or ""
    provider_id, trust = _provider_id(entry, single, booked)
    payer_account = _party(entry, single, amount, "Acct")
    content = identity.Content(booked or "", value_date, code, payer_account or "", text)
    key = identity.line_key(entry.draft.account, trust, provider_id, amount, content)
    if single and _own_amount_differs(single, amount):
        warnings.append("detail-amount-differs")
    if amount.currency != (entry.draft.currency or amount.currency):
        warnings.append("currency-differs")
    parts = _parts(entry, amount, booked, value_date, key, warnings)
    is_return = _is_return(entry.fields, single) or (bool(parts) and all(part.is_return for part in parts))
    is_reversal = entry.one("RvslInd") in {"true", "1"}
    return BankLineRead(
        locator=entry.locator,
        key=key,
        occurrence=1,
        provider_id=provider_id,
        provider_id_trust=trust,
        booking_date=booked,
        value_date=value_date,
        amount=amount,
        original_amount=_original(single, amount, warnings),
        payer_name=_party(entry, single, amount, "Nm"),
        ultimate_payer_name=_ultimate(single, amount),
        payer_account=payer_account,
        end_to_end_id=_end_to_end_id(single),
        creditor_reference=_first(single, "RmtInf/Strd/CdtrRefInf/Ref"),
        text=text,
        text_joined=joined,
        bank_reference=entry.one("AcctSvcrRef") or _first(single, "Refs/AcctSvcrRef") or entry.one("NtryRef"),
        cheque_number=_first(single, "Refs/ChqNb"),
        code_family=_family((entry.fields, single), is_return=is_return, is_reversal=is_reversal),
        raw_codes=_codes(entry.fields, single),
        return_reason=_first(single, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        is_return=is_return,
        is_reversal=is_reversal,
        parts=parts,
        warnings=texts.once((*warnings, *cut)),
        raw=entry.raw,
    )


def _all(fields: Flat, *paths: str) -> list[str]:
    return [text for path in paths for text in fields.get(path, ())]


def _remittance(transaction: Flat) -> list[str]:
    return _all(
        transaction,
        "RmtInf/Ustrd",
        "RmtInf/Strd/RfrdDocInf/Nb",
        "RmtInf/Strd/CdtrRefInf/Ref",
        "RmtInf/Strd/AddtlRmtInf",
        "AddtlTxInf",
    )


def _provider_id(entry: _Entry, single: Flat, booked: date | None) -> tuple[str | None, identity.Trust]:
    """The entry's own reference; else the one transaction's; else NtryRef, as far as the profile trusts it."""
    reference = entry.one("AcctSvcrRef") or _first(single, "Refs/AcctSvcrRef")
    if reference:
        return reference, identity.trust_of(reference, entry.profile.id_trust)
    number = entry.one("NtryRef")
    if not number:
        return None, "C"
    year = booked.year if booked else ""
    trust = identity.trust_of(number, entry.profile.entry_reference_trust)
    return f"{entry.draft.statement_id}/{year}/{number}", trust


def _roles(amount: Money) -> tuple[str, str]:
    return ("Dbtr", "Cdtr") if amount.minor >= 0 else ("Cdtr", "Dbtr")


def _account_of(transaction: Flat, role: str) -> str | None:
    account = f"RltdPties/{role}Acct/Id"
    return _first(transaction, f"{account}/IBAN", f"{account}/Othr/Id", f"{account}/BBAN", f"{account}/PrtryAcct/Id")


def _party(entry: _Entry, transaction: Flat, amount: Money, what: str) -> str | None:
    """Name or account of the other side: the debtor of money in, the creditor of money out.

    In a return some banks keep the roles of the original payment; then the other side is the one
    that is not our own account.
    """
    if not transaction:
        return None
    role, opposite = _roles(amount)
    if _is_return({}, transaction) and _is_ours(entry, _account_of(transaction, role)):
        role = opposite
    elif _is_return({}, transaction) and not _name_of(transaction, role) and not _account_of(transaction, role):
        role = opposite
    return _name_of(transaction, role) if what == "Nm" else _account_of(transaction, role)


def _is_ours(entry: _Entry, account: str | None) -> bool:
    return bool(account) and identity.account_id("bank", account or "").key == entry.draft.account.key


def _name_of(transaction: Flat, role: str) -> str | None:
    party = f"RltdPties/{role}"
    return _first(transaction, f"{party}/Nm", f"{party}/Pty/Nm", f"{party}/Agt/FinInstnId/Nm")


def _ultimate(transaction: Flat, amount: Money) -> str | None:
    role = _roles(amount)[0]
    return _first(transaction, f"RltdPties/Ultmt{role}/Nm", f"RltdPties/Ultmt{role}/Pty/Nm")


def _end_to_end_id(transaction: Flat) -> str | None:
    found = _first(transaction, "Refs/EndToEndId")
    return None if found is None or identity.trust_of(found, "A") == "C" else found


def _original(transaction: Flat, amount: Money, warnings: list[str]) -> Money | None:
    """The instructed amount, where it was in another currency."""
    raw, currency = (_first(transaction, f"AmtDtls/InstdAmt/Amt{x}") for x in ("", "@Ccy"))
    if raw is None or currency is None or currency == amount.currency:
        return None
    try:
        money = _magnitude(raw, currency)
    except AmountUnreadable:
        warnings.append("original-amount-unreadable")
        return None
    return money if amount.minor >= 0 else -money


def _is_return(entry: Flat, transaction: Flat) -> bool:
    if any(path.startswith("RtrInf/") for path in transaction):
        return True
    return any(_first(fields, "BkTxCd/Domn/Fmly/SubFmlyCd") in _RETURNS for fields in (entry, transaction))


def _family(sources: tuple[Flat, Flat], *, is_return: bool, is_reversal: bool) -> CodeFamily:
    if is_return:
        return "return"
    if is_reversal:
        return "reversal"
    for fields in sources:
        if _first(fields, "BkTxCd/Domn/Cd") == "FORX":
            return "fx"
        sub = _first(fields, "BkTxCd/Domn/Fmly/SubFmlyCd") or ""
        family = _SUBFAMILIES.get(sub) or _FAMILIES.get(_first(fields, "BkTxCd/Domn/Fmly/Cd") or "")
        if family:
            return family
    return "other"


def _codes(entry: Flat, transaction: Flat) -> dict[str, str]:
    codes = {
        path: found[0]
        for fields in (transaction, entry)
        for path, found in fields.items()
        if path.startswith(("BkTxCd/", "RtrInf/Rsn"))
    }
    if _first(transaction, "Purp/Cd"):
        codes["Purp/Cd"] = transaction["Purp/Cd"][0]
    return codes


def _own_amount(transaction: Flat, entry_amount: Money) -> Money | None:
    """A transaction's own amount in the entry's currency, signed; None when it gives none."""
    sign = _first(transaction, "CdtDbtInd") or ("CRDT" if entry_amount.minor >= 0 else "DBIT")
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        raw, currency = _first(transaction, path), _first(transaction, f"{path}@Ccy")
        if raw is not None and currency in {None, entry_amount.currency} and sign in _SIGNS:
            money = _magnitude(raw, entry_amount.currency)
            return money if sign == "CRDT" else -money
    return None


def _own_amount_differs(transaction: Flat, amount: Money) -> bool:
    try:
        own = _own_amount(transaction, amount)
    except AmountUnreadable:
        return True
    return own is not None and own != amount


def _parts(
    entry: _Entry, amount: Money, booked: date | None, value_date: date | None, key: str, warnings: list[str]
) -> tuple[BankLineRead, ...]:
    """The transactions of a batch, if their amounts are all known and add up to the entry."""
    if len(entry.transactions) < 2:
        declared = entry.one("Btch/NbOfTxs")
        if declared and declared.isdigit() and int(declared) > 1:
            warnings.append("batch-without-details")
        return ()
    try:
        amounts = [_own_amount(transaction, amount) for transaction in entry.transactions]
    except AmountUnreadable as error:
        entry.draft.problems.append(_parts_problem(entry, "part-unreadable", error.raw, str(error)))
        return ()
    known = [own for own in amounts if own is not None]
    if len(known) < len(amounts):
        warnings.append("parts-without-amounts")
        return ()
    total = Money(sum(own.minor for own in known), amount.currency)
    if total != amount:
        why = f"the {len(known)} transactions add up to {total}, the entry is {amount}"
        entry.draft.problems.append(_parts_problem(entry, "parts-do-not-add-up", entry.raw, why))
        return ()
    return tuple(
        _part(entry, index, transaction, own, (booked, value_date), key)
        for index, (transaction, own) in enumerate(zip(entry.transactions, known, strict=True))
    )


def _parts_problem(entry: _Entry, code: str, raw: str, why: str) -> Problem:
    do = "the entry is kept whole; find out from the bank what it is made of, then split it by hand"
    return Problem(code, entry.locator, "NtryDtls/TxDtls", raw, why, do)


def _part(
    entry: _Entry,
    index: int,
    transaction: Flat,
    amount: Money,
    dates: tuple[date | None, date | None],
    parent_key: str,
) -> BankLineRead:
    text, joined, cut = texts.join(_remittance(transaction))
    reference = _first(transaction, "Refs/AcctSvcrRef")
    warnings = list(cut)
    is_return = _is_return(entry.fields, transaction)
    return BankLineRead(
        locator=f"{entry.locator}/TxDtls[{index + 1}]",
        key=identity.part_key(parent_key, index, reference, amount),
        occurrence=1,
        provider_id=reference,
        provider_id_trust=identity.trust_of(reference, "A"),
        booking_date=dates[0],
        value_date=dates[1],
        amount=amount,
        original_amount=_original(transaction, amount, warnings),
        payer_name=_party(entry, transaction, amount, "Nm"),
        ultimate_payer_name=_ultimate(transaction, amount),
        payer_account=_party(entry, transaction, amount, "Acct"),
        end_to_end_id=_end_to_end_id(transaction),
        creditor_reference=_first(transaction, "RmtInf/Strd/CdtrRefInf/Ref"),
        text=text,
        text_joined=joined,
        bank_reference=reference,
        cheque_number=_first(transaction, "Refs/ChqNb"),
        code_family=_family((transaction, entry.fields), is_return=is_return, is_reversal=False),
        raw_codes=_codes(entry.fields, transaction),
        return_reason=_first(transaction, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        is_return=is_return,
        warnings=tuple(warnings),
    )
