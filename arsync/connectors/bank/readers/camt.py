"""camt.053 statements, camt.052 reports and camt.054 notifications, every version, bare or in an envelope.

Units   amounts are unsigned in the file; `CdtDbtInd` alone gives the sign (`RvslInd` is information).
Shape   bytes -> statements; the file goes by in pieces, and no tree of it is ever built.
Law     each booked Ntry is a line or a problem; the parts of a batch add up to it or it has none. What a
        report or notification says is provisional: the booked statement says it again.
Errors  `UnsafeFile` (DOCTYPE, too deep), `TruncatedFile`, `FileRefused` (not well-formed, no statement).
Source  ISO 20022 camt.052/053/054.001.01 to .14 message definition reports; Swiss Payment Standards 2025.
"""

import re
from collections.abc import Iterable, Iterator

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers.camt_entry import Account, read_entry
from arsync.connectors.bank.readers.camt_fields import (
    Fields,
    Scope,
    first,
    magnitude,
    read_day,
    scopes,
    signed,
)
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import BankLineRead, Standing
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import FileRefused

_CHUNK_BYTES = 64 * 1024
_NAMES = {"camt.053": "Stmt", "camt.052": "Rpt", "camt.054": "Ntfctn"}
# White space before the declaration and NUL bytes after the end are padding of the transfer, not XML.
_PADDING = b" \t\r\n\x00"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_DECLARED = re.compile(
    rb"\A(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.-]{1,20})[\"']"
)


def read(data: bytes, kind: str, profile: Profile) -> tuple[tuple[Draft, ...], tuple[str, ...], str]:
    """Read one camt file of this kind ("camt.053" ...): its statements, warnings about the file, its codec."""
    utf_8, codec = _as_utf_8(data)
    walk = Walk(_NAMES[kind], profile)
    for scope, statement in scopes(_chunks(utf_8)):
        walk.take(scope, statement)
    if not walk.drafts:
        raise FileRefused(f"the {kind} message holds no statement", do="export the period again")
    return tuple(walk.drafts), tuple(walk.warnings), codec


def _chunks(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), _CHUNK_BYTES):
        yield data[at : at + _CHUNK_BYTES]


def _as_utf_8(data: bytes) -> tuple[bytes, str]:
    """The file in UTF-8, and the codec it came in."""
    if data[:2] in _UTF_16:
        codec = "utf-16" if data[:2] in _UTF_16[:2] else "utf-16-le" if data[:1] == b"<" else "utf-16-be"
    else:
        data = data.strip(_PADDING)
        declared = _DECLARED.search(data[:400])
        codec = declared[1].decode("ascii").lower() if declared else "utf-8"
    if codec in {"utf-8", "utf8", "us-ascii", "ascii"}:
        return data, "utf-8"
    try:
        return data.decode(codec).strip("\x00 \t\r\n").encode("utf-8"), codec.removesuffix(
            "-le"
        ).removesuffix("-be")
    except (UnicodeError, LookupError):
        raise FileRefused(
            f"the file is not text in {codec}, as it declares",
            do="download it again; nothing of it was imported",
        ) from None


class Walk:
    """The state of one pass over the file."""

    def __init__(self, name: str, profile: Profile) -> None:
        self.name, self.profile = name, profile
        self.drafts: list[Draft] = []
        self.warnings: list[str] = []
        self._balances: list[Fields] = []
        self._account: Account | None = None

    def take(self, scope: Scope, statement: Scope | None) -> None:
        """Take one finished element; `statement` is the one around it, as far as it is read."""
        if scope.name == "GrpHdr":
            if first(scope.fields, "MsgPgntn/LastPgInd") == "false":
                self.warnings.append("more-pages-follow")
        elif scope.name == "Bal":
            self._balances.append(scope.fields)
        elif scope.name == "Ntry" and statement is not None:
            self._account = self._account or self._named(statement.fields)
            read_entry(scope, self._account)
        elif scope.name == "Stmt":
            self._ends(scope.fields)

    def _named(self, head: Fields) -> Account:
        identifier = first(
            head, "Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/BBAN", "Acct/Id/PrtryAcct/Id", "Acct/Id/UPIC"
        )
        agent = first(
            head, *(f"Acct/Svcr/FinInstnId/{x}" for x in ("BICFI", "BIC", "ClrSysMmbId/MmbId", "Othr/Id"))
        )
        identifier = identifier or self.profile.account or ""
        account = identity.account_id("bank" if identifier else "unknown", identifier, agent or "")
        standing: Standing = "booked" if self.name == "Stmt" else "provisional"
        draft = Draft(account, first(head, "Acct/Ccy"), standing, statement_id=first(head, "Id"))
        return Account(f"{self.name}[{len(self.drafts) + 1}]", draft, self.profile)

    def _ends(self, head: Fields) -> None:
        final = self._named(head)
        account, self._account = self._account or final, None
        balances, self._balances = self._balances, []
        draft = account.draft
        if draft.account != final.draft.account:
            raise FileRefused("the account is named after its entries", where=account.name, do="ask the bank")
        draft.opening, draft.closing = _balances(balances, account)
        _check_totals(head, account)
        draft.currency = (
            final.draft.currency
            or _any_currency(draft.opening, draft.closing, draft.lines)
            or self.profile.currency
        )
        if first(head, "CpyDplctInd") in {"DUPL", "CODU"}:
            draft.warnings.append("bank-calls-it-a-duplicate")
        if first(head, "StmtPgntn/LastPgInd", "RptPgntn/LastPgInd", "NtfctnPgntn/LastPgInd") == "false":
            draft.warnings.append("more-pages-follow")
        sequence = first(head, "LglSeqNb", "ElctrncSeqNb", "StmtPgntn/PgNb") or ""
        draft.sequence = texts.count(sequence)
        draft.from_date = read_day(first(head, "FrToDt/FrDtTm", "FrToDt/FrDt"))
        draft.to_date = read_day(first(head, "FrToDt/ToDtTm", "FrToDt/ToDt"))
        self.drafts.append(draft)


def _any_currency(opening: Money | None, closing: Money | None, lines: Iterable[BankLineRead]) -> str | None:
    amounts = (opening, closing, *(line.amount for line in lines))
    return next((amount.currency for amount in amounts if amount is not None), None)


def _balances(balances: list[Fields], account: Account) -> tuple[Money | None, Money | None]:
    """The booked balances around the entries: OPBD else PRCD, and CLBD; ITBD on a page in the middle."""
    dated: dict[str, list[tuple[str, Money]]] = {}
    for position, fields in enumerate(balances, 1):
        code = first(fields, "Tp/CdOrPrtry/Cd", "Tp/Cd") or ""
        if code not in {"OPBD", "PRCD", "CLBD", "ITBD"}:
            continue
        day = first(fields, "Dt/Dt", "Dt/DtTm", "Dt") or ""
        try:
            dated.setdefault(code, []).append((day[:10], signed(fields, "Amt", None)))
        except AmountUnreadable as error:
            where = f"{account.name}/Bal[{position}]"
            do = "compare with the statement on paper, or ask the bank"
            account.draft.problem("balance-unreadable", where, "Bal/Amt", error.raw, str(error), do)
    interim = sorted(dated.get("ITBD", []), key=_day_of)
    opening = sorted(dated.get("OPBD") or dated.get("PRCD") or interim[:1], key=_day_of)
    closing = sorted(dated.get("CLBD") or interim[1:], key=_day_of)
    return (opening[0][1] if opening else None), (closing[-1][1] if closing else None)


def _day_of(dated: tuple[str, Money]) -> str:
    return dated[0]


def _check_totals(head: Fields, account: Account) -> None:
    """Hold the bank's own totals against what was read. Pending entries may or may not be counted."""
    if account.not_booked:
        return
    read = [line.amount for line in account.draft.lines]
    checks = (
        ("TtlNtries/NbOfNtries", account.entries),
        ("TtlCdtNtries/NbOfNtries", sum(amount.minor >= 0 for amount in read)),
        ("TtlDbtNtries/NbOfNtries", sum(amount.minor < 0 for amount in read)),
    )
    for path, count in checks:
        given = first(head, f"TxsSummry/{path}")
        if given is not None and texts.count(given) != count:
            why = f"the bank counts {given}, the file holds {count}"
            _total_problem(account, path, given, why)
    for path, sign in (("TtlCdtNtries/Sum", 1), ("TtlDbtNtries/Sum", -1)):
        given = first(head, f"TxsSummry/{path}")
        currencies = {amount.currency for amount in read}
        if given is None or len(currencies) != 1:
            continue
        total = Money(sum(abs(a.minor) for a in read if a.minor * sign > 0), currencies.pop())
        if not _equals(given, total):
            why = f"the bank's sum is {given}, the entries give {total.text()}"
            _total_problem(account, path, given, why)


def _equals(given: str, total: Money) -> bool:
    try:
        return magnitude(given, total.currency) == total
    except AmountUnreadable:
        return False


def _total_problem(account: Account, path: str, given: str, why: str) -> None:
    where = f"{account.name}/TxsSummry/{path}"
    account.draft.problem(
        "control-totals-differ", where, path, given, why, "ask the bank for the whole statement"
    )
