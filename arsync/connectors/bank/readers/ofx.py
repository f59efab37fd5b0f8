"""OFX 1 (SGML) and 2 (XML): bank, card and the cash lines of investment statements.

Units   amounts as the file writes them, signed; dates are the local part of DTPOSTED, never shifted to UTC.
Shape   decoded text -> statements. One tokeniser serves both: a leaf ends where the next tag begins.
Law     each STMTTRN is a line or a problem; a file cut inside a statement is refused.
Errors  `TruncatedFile`, `UnsafeFile` (DOCTYPE), `UnsupportedFormat` (no statement inside), `FileRefused`.
Source  OFX 1.6 and 2.2 specifications, chapters 2, 3 and 11.
"""

import html
import re
from dataclasses import dataclass, field
from datetime import date

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.amounts import amount_problem_code, read_money
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.proof import prove
from arsync.core.bank import AccountId, BankLineRead, CodeFamily, Correction, Problem, Statement
from arsync.core.money import AmountUnreadable, Money, exponent
from arsync.errors import FileRefused, TruncatedFile, UnsafeFile, UnsupportedFormat

_ATTRIBUTES = r"(?:\s+[A-Za-z_][\w.:-]*\s*=[^<>]*)?\s*"
_VALUE = rf"((?:[^<]+|<(?!/?[A-Za-z][\w.:-]*{_ATTRIBUTES}/?>))*)"
_FIELD = re.compile(rf"<(/?)(?:\w+:)?([A-Za-z][\w.-]*){_ATTRIBUTES}(/?)>{_VALUE}")
_STATEMENTS = ("STMTRS", "CCSTMTRS", "INVSTMTRS")
_ACCOUNTS = ("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM")
_LEAVES = [
    "CURDEF",
    "DTSTART",
    "DTEND",
    "BANKID",
    "BRANCHID",
    "ACCTID",
    "ACCTTYPE",
    "BROKERID",
    "BALAMT",
    "DTASOF",
    "SEVERITY",
    "CODE",
    "MESSAGE",
]
_LINE_ENDS = ("BANKTRANLIST", "INVBANKTRAN", "INVTRANLIST", "LEDGERBAL", "AVAILBAL", *_STATEMENTS)
_STRUCTURAL = "|".join((*_LINE_ENDS, *_ACCOUNTS, *_LEAVES, "STMTTRN", "OFX"))
_STRUCTURE = re.compile(rf"<(/?)(?:\w+:)?({_STRUCTURAL}){_ATTRIBUTES}(/?)>([^<]*)", re.IGNORECASE)
_INVESTMENT = re.compile(
    r"<(?:BUY|SELL|INCOME|REINVEST|TRANSFER|SPLIT|RETOFCAP|CLOSUREOPT|JRNL|MARGIN|INVEXPENSE)\w*>", re.I
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CLOCK = r"[T ]?[0-9]{2}(?::?[0-9]{2}){0,2}(?:[.,:][0-9]*)?"
_DATE = re.compile(rf"([0-9]{{4}})(-?)([0-9]{{2}})\2([0-9]{{2}})(?:{_CLOCK})?\s*(?:Z|\[[^\]]*\]?)?", re.ASCII)
_FIRST_YEAR = 1900  # earlier ones are what programs write for "no date"
_CHILDREN = {
    "PAYEE": frozenset(
        ["NAME", "ADDR1", "ADDR2", "ADDR3", "CITY", "STATE", "POSTALCODE", "COUNTRY", "PHONE"]
    ),
    "BANKACCTTO": frozenset(["BANKID", "BRANCHID", "ACCTID", "ACCTTYPE", "ACCTKEY"]),
    "CCACCTTO": frozenset(["ACCTID", "ACCTKEY"]),
    "CURRENCY": frozenset(["CURRATE", "CURSYM"]),
    "ORIGCURRENCY": frozenset(["CURRATE", "CURSYM"]),
}
_USUAL = frozenset(
    ["STMTTRN", "TRNTYPE", "DTPOSTED", "TRNAMT", "FITID", "NAME", "MEMO", "CHECKNUM", "REFNUM"]
)
_REPEATABLE = frozenset(["NAME", "MEMO", "EXTDNAME", "PAYEE.NAME"])
_FAMILIES: dict[str, CodeFamily] = {
    "DIRECTDEP": "transfer_in",
    "XFER": "transfer_in",
    "CHECK": "cheque",
    "ATM": "cash",
    "CASH": "cash",
    "FEE": "fee",
    "SRVCHG": "fee",
    "INT": "interest",
}
_MONEY_OUT = frozenset(["DEBIT", "CHECK", "PAYMENT", "POS", "FEE", "SRVCHG", "DIRECTDEBIT", "REPEATPMT"])
_MONEY_IN = frozenset(["CREDIT", "DEP", "DIRECTDEP"])
# Comments and CDATA are masked character for character, so that offsets stay those of the file.
_SKIP, _LT, _AMP, _GT = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
_MASK = str.maketrans({"<": _LT, "&": _AMP, ">": _GT})
_UNMASK = str.maketrans({_SKIP: None, _LT: "<", _AMP: "&", _GT: ">"})
_HEAD_CHARACTERS = 4096


@dataclass(slots=True)
class _Draft:
    """A statement while its tags go by; lines are built at its end, when account and currency are known."""

    kind: str
    fields: dict[str, str] = field(default_factory=dict)
    spans: list[tuple[int, int, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the lines of one statement share."""

    account: AccountId
    currency: str | None
    currency_assumed: bool
    profile: Profile


def read(text: str, profile: Profile) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
    """Read the statements of one OFX file, and warnings about the file as a whole."""
    _refuse_doctype(text)
    masked = _mask(text)
    drafts, states, warnings = _structure(masked)
    locate = _LineNumbers(text)
    statements = tuple(
        _statement(draft, text, masked, locate, profile)
        for draft in drafts
        if draft.spans or draft.kind != "INVSTMTRS"
    )
    if statements:
        warnings += ["bank-reports-an-error"] * ("ERROR" in states)
        warnings += ["pending-not-read"] * ("<STMTTRNP>" in masked)
        warnings += ["investment-transactions-not-read"] * (_INVESTMENT.search(masked) is not None)
        return statements, texts.once(warnings)
    if "ERROR" in states:
        raise FileRefused(
            f"the file is an error message of the bank: {states['ERROR']}", do="download it again"
        )
    raise UnsupportedFormat(
        "an OFX file without a bank or card statement",
        do="export the account's transactions; sign-on, profile and investment files hold no receipts",
    )


def _refuse_doctype(text: str) -> None:
    if "<!doctype" in text[:_HEAD_CHARACTERS].lower() or "<!ENTITY" in text:
        raise UnsafeFile(
            "the file declares a DOCTYPE, which has no place in OFX", do="ask the bank for a plain file"
        )


def _mask(text: str) -> str:
    """Hide comments and unfold CDATA without moving any character; linear in the text."""
    pieces: list[str] = []
    position = 0
    start = text.find("<!")
    while start >= 0:
        comment, cdata = text.startswith("<!--", start), text.startswith("<![CDATA[", start)
        end = text.find("-->" if comment else "]]>", start) if comment or cdata else start
        if end < 0:  # never closed: what looks like a tag inside it still counts
            break
        if comment or cdata:
            inside = text[start : end + 3]
            hidden = _SKIP * len(inside) if comment else _SKIP * 9 + inside[9:-3].translate(_MASK) + _SKIP * 3
            pieces.extend((text[position:start], hidden))
            position = end + 3
        start = text.find("<!", max(position, start + 2))
    return "".join((*pieces, text[position:])) if pieces else text


class _Walk:
    """The state of one walk over the structural tags."""

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self.states: dict[str, str] = {}
        self.warnings: list[str] = []
        self.draft: _Draft | None = None
        self.within = ""
        self.line_start: int | None = None
        self.code = ""
        self.severity = ""

    def take(self, found: re.Match[str]) -> None:
        closing, name, value = bool(found[1]), found[2].upper(), found[4].translate(_UNMASK).strip()
        if name == "STMTTRN":
            self._end_line(found.end(3) + 1 if closing else found.start(), closed=closing)
            if not closing and not found[3]:
                self.line_start = found.start()
        elif name in _LINE_ENDS:
            self._end_line(found.start(), closed=False)
            self._aggregate(name, closing=closing)
        elif self.line_start is not None or closing:
            self.within = "" if name in _ACCOUNTS and self.line_start is None else self.within
        elif name in _ACCOUNTS:
            self.within = "ACCOUNT"
        else:
            self._leaf(name, value)

    def _aggregate(self, name: str, *, closing: bool) -> None:
        if name not in _STATEMENTS:
            self.within = "" if closing or not name.endswith("BAL") else name
        elif closing:
            self.draft = None
        else:
            if self.draft:
                self.warnings.append("statement-not-closed")
            self.draft = _Draft(name)
            self.drafts.append(self.draft)
            self.within = ""

    def _leaf(self, name: str, value: str) -> None:
        if name in {"CODE", "SEVERITY", "MESSAGE"}:
            self._status(name, value)
        elif self.draft and value:
            key = f"{self.within}.{name}" if self.within else name
            self.draft.fields.setdefault(key, value)

    def _status(self, name: str, value: str) -> None:
        if name == "CODE":
            self.code = value
        elif name == "SEVERITY":
            self.severity = value.upper()
            self.states.setdefault(self.severity, f"code {self.code}")
        elif self.severity == "ERROR":
            self.states["ERROR"] = f"code {self.code}, {value}"

    def _end_line(self, position: int, *, closed: bool) -> None:
        if self.line_start is None:
            return
        if self.draft is None:
            self.warnings.append("line-outside-a-statement")
            self.draft = _Draft("STMTRS")
            self.drafts.append(self.draft)
        self.draft.spans.append((self.line_start, position, closed))
        self.line_start = None


def _structure(text: str) -> tuple[list[_Draft], dict[str, str], list[str]]:
    walk = _Walk()
    closed = False
    for found in _STRUCTURE.finditer(text):
        if found[2].upper() == "OFX":
            closed = bool(found[1])
        else:
            walk.take(found)
    if walk.line_start is not None or (walk.draft and not closed):
        raise TruncatedFile(
            "the file ends inside a statement", do="download it again; nothing of it was imported"
        )
    if not closed:
        walk.warnings.append("file-not-closed")
    return walk.drafts, walk.states, walk.warnings


class _LineNumbers:
    """Offsets to line numbers, for offsets that only grow."""

    def __init__(self, text: str) -> None:
        self._text, self._end = text, "\n" if "\n" in text else "\r"
        self._offset, self._line = 0, 1

    def at(self, offset: int) -> int:
        """The line number of an offset, from 1."""
        self._line += self._text.count(self._end, self._offset, offset)
        self._offset = offset
        return self._line


def _statement(draft: _Draft, text: str, masked: str, locate: _LineNumbers, profile: Profile) -> Statement:
    given = draft.fields.get("CURDEF", "").upper()
    currency = given or profile.currency
    account = _account(draft, profile)
    scope = _Scope(account, currency, not given, profile)
    lines: list[BankLineRead] = []
    problems: list[Problem] = []
    for start, end, closed in draft.spans:
        locator = f"line {locate.at(start)}"
        line, line_problems = _line(text[start:end], masked[start:end], locator, scope, closed=closed)
        lines.extend(line)
        problems.extend(line_problems)
    closing, warnings = _closing(draft, currency, profile)
    if account.scheme == "unknown":
        warnings.append("account-missing")
    proven, difference = prove(None, closing, lines, problems)
    return Statement(
        account=account,
        currency=currency,
        statement_id=None,
        sequence=None,
        opening=None,
        closing=closing,
        from_date=read_date(draft.fields.get("DTSTART", "")),
        to_date=read_date(draft.fields.get("DTEND", "")),
        lines=tuple(lines),
        proven=proven,
        difference=difference,
        problems=tuple(problems),
        warnings=texts.once(warnings + [problem.code for problem in problems]),
    )


def _account(draft: _Draft, profile: Profile) -> AccountId:
    fields = draft.fields
    # Some files leave out the aggregate around the account; its leaves are then the statement's.
    identifier = fields.get("ACCOUNT.ACCTID") or fields.get("ACCTID") or profile.account or ""
    scheme = {"STMTRS": "bank", "CCSTMTRS": "card", "INVSTMTRS": "broker"}[draft.kind]
    bank = (fields.get(f"ACCOUNT.{name}", "") for name in ("BANKID", "BROKERID", "BRANCHID"))
    return identity.account_id(scheme if identifier else "unknown", identifier, " ".join(filter(None, bank)))


def _closing(draft: _Draft, currency: str | None, profile: Profile) -> tuple[Money | None, list[str]]:
    """The ledger balance; not when 5000 may mean 50.00, as some banks write it."""
    raw = draft.fields.get("LEDGERBAL.BALAMT")
    if raw is None or currency is None or draft.kind == "INVSTMTRS":
        return None, []
    try:
        money = read_money(raw, currency, profile.amounts)
        if (
            not money
            or "." in raw
            or "," in raw
            or exponent(currency) == 0
            or profile.balance_unit == "major"
        ):
            return money, []
        if profile.balance_unit == "minor":
            return Money(int(money.decimal()), currency), []
    except AmountUnreadable:
        return None, ["balance-unreadable"]
    return None, ["balance-unit-unclear"]


def read_date(raw: str) -> date | None:
    """The calendar day of an OFX date-time as written; its zone never moves it. None when it is none."""
    found = _DATE.fullmatch(raw.strip())
    if not found or int(found[1]) < _FIRST_YEAR:
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None


def _fields(block: str) -> tuple[dict[str, str], set[str]]:
    """The leaves of one STMTTRN, and the names that stand twice with different values."""
    fields: dict[str, str] = {}
    twice: set[str] = set()
    parent = ""
    for closing, name, _, value in _FIELD.findall(block):
        tag = name if name in _USUAL else name.upper()
        if tag in _CHILDREN:
            parent = "" if closing else tag
            continue
        if closing or not (stripped := value.strip()):
            continue
        key = f"{parent}.{tag}" if parent and tag in _CHILDREN[parent] else tag
        if key not in fields:
            fields[key] = stripped
        elif key in _REPEATABLE:
            fields[key] += f" {stripped}"
        elif fields[key] != stripped:
            twice.add(key)
    return fields, twice


def _clean(value: str) -> str:
    if "&" in value:
        value = _ENTITY.sub(lambda found: html.unescape(found[0]), value)
    return value


def _line(
    raw: str, masked: str, locator: str, scope: _Scope, *, closed: bool
) -> tuple[tuple[BankLineRead, ...], tuple[Problem, ...]]:
    """Read one STMTTRN: a line, a problem, or a line and a problem about one of its fields."""
    fields, twice = _fields(masked)
    if masked is not raw and masked != raw:
        fields = {key: _clean(value).translate(_UNMASK).strip() for key, value in fields.items()}
    elif "&" in raw:
        fields = {key: _clean(value) for key, value in fields.items()}
    currency = fields.get("CURRENCY.CURSYM", "").upper() or scope.currency
    try:
        amount = _amount(fields, twice, currency, scope.profile)
    except AmountUnreadable as error:
        return (), (_amount_problem(error, currency, locator, raw),)
    booked = None if "DTPOSTED" in twice else read_date(fields.get("DTPOSTED", ""))
    problems = () if booked else (_date_problem(fields.get("DTPOSTED", ""), locator),)
    warnings = _line_warnings(fields, amount, scope, twice, closed=closed)
    return (_built(fields, amount, booked, locator, scope, warnings, raw),), problems


def _amount(fields: dict[str, str], twice: set[str], currency: str | None, profile: Profile) -> Money:
    raw = fields.get("TRNAMT", "")
    if currency is None:
        raise AmountUnreadable(raw, "neither the file nor the profile names a currency")
    if "TRNAMT" in twice:
        raise AmountUnreadable(raw, "the line gives two different amounts")
    money = read_money(raw, currency, profile.amounts)
    return -money if profile.invert_sign else money


def _amount_problem(error: AmountUnreadable, currency: str | None, locator: str, raw: str) -> Problem:
    code = amount_problem_code(error, currency)
    do = {
        "amount-ambiguous": "declare the bank's decimal mark in its profile and read the file again",
        "currency-unreadable": "declare the account's currency in its profile and read the file again",
    }.get(code, "look at the line in the file and enter it by hand, or ask the bank")
    return Problem(code, locator, "TRNAMT", raw.strip(), str(error), do)


def _date_problem(raw: str, locator: str) -> Problem:
    why = f"{raw!r} is not a date of the form YYYYMMDD" if raw else "the line has no booking date"
    return Problem("date-unreadable", locator, "DTPOSTED", raw, why, "look at the line and give its date")


def _built(
    fields: dict[str, str],
    amount: Money,
    booked: date | None,
    locator: str,
    scope: _Scope,
    warnings: tuple[str, ...],
    raw: str,
) -> BankLineRead:
    get = fields.get
    fitid, kind = get("FITID"), get("TRNTYPE", "").upper()
    name = get("NAME") or get("PAYEE.NAME")
    text, joined, cut = texts.join((name, get("EXTDNAME"), get("MEMO")))
    trust = identity.trust_of(fitid, scope.profile.id_trust)
    payer_account = get("BANKACCTTO.ACCTID") or get("CCACCTTO.ACCTID")
    valued = get("DTAVAIL") or get("DTUSER")
    value_date = read_date(valued) if valued else None
    content = identity.Content(booked or get("DTPOSTED", ""), value_date, kind, payer_account or "", text)
    correction = get("CORRECTFITID")
    return BankLineRead(
        locator=locator,
        key=identity.line_key(scope.account, trust, fitid, amount, content),
        occurrence=1,
        provider_id=fitid,
        provider_id_trust=trust,
        booking_date=booked,
        value_date=value_date,
        amount=amount,
        payer_name=name or get("EXTDNAME"),
        payer_account=payer_account,
        text=text,
        text_joined=joined,
        bank_reference=get("REFNUM"),
        cheque_number=get("CHECKNUM") or get("CHKNUM"),
        code_family=_family(kind, amount),
        raw_codes={key: fields[key] for key in _RAW_CODES if key in fields},
        corrects=Correction(correction, get("CORRECTACTION", "").upper()) if correction else None,
        warnings=warnings + cut,
        raw=raw,
    )


def _family(kind: str, amount: Money) -> CodeFamily:
    return "other" if kind == "XFER" and amount.minor < 0 else _FAMILIES.get(kind, "other")


_RAW_CODES = ("TRNTYPE", "SIC", "CURRENCY.CURRATE", "ORIGCURRENCY.CURSYM", "ORIGCURRENCY.CURRATE", "SRVRTID")


def _line_warnings(
    fields: dict[str, str], amount: Money, scope: _Scope, twice: set[str], *, closed: bool
) -> tuple[str, ...]:
    warnings: list[str] = []
    kind = fields.get("TRNTYPE", "").upper()
    against = kind in _MONEY_OUT if amount.minor > 0 else kind in _MONEY_IN and amount.minor < 0
    valued = fields.get("DTAVAIL") or fields.get("DTUSER")
    if against and "CORRECTFITID" not in fields:
        warnings.append("sign-against-type")
    if not closed:
        warnings.append("line-not-closed")
    if twice:
        warnings.append("field-repeated")
    if amount.currency != scope.currency:
        warnings.append("currency-differs")
    elif scope.currency_assumed:
        warnings.append("currency-from-profile")
    if valued and read_date(valued) is None:
        warnings.append("value-date-unreadable")
    return tuple(warnings)
