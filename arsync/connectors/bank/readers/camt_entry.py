"""One camt entry: its fields to a line, its transactions to parts.

Shape   `Entry` -> one `BankLineRead` or one `Problem` in its draft; pure but for the draft it fills.
Law     parts add up to their entry exactly, or there are none and a problem or warning says why.
Source  ISO 20022 camt.053 ReportEntry and EntryTransaction; Swiss Payment Standards 2025 for batches.
"""

from dataclasses import dataclass, field
from datetime import date

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.amounts import amount_problem_code
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers.camt_fields import (
    SIGNS,
    Fields,
    every,
    first,
    magnitude,
    read_day,
    signed,
)
from arsync.core.bank import AccountId, BankLineRead, CodeFamily, Problem, Trust
from arsync.core.money import AmountUnreadable, Money

_RETURNS = frozenset({"RRTN", "UPDD", "UPCQ", "UPCT", "PRDD"})
_RETURN_PATHS = frozenset(
    {"RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/AddtlInf", "RtrInf/OrgnlBkTxCd/Prtry/Cd"}
)
_CODE_PATHS = (
    "BkTxCd/Domn/Cd",
    "BkTxCd/Domn/Fmly/Cd",
    "BkTxCd/Domn/Fmly/SubFmlyCd",
    "BkTxCd/Prtry/Cd",
    "BkTxCd/Prtry/Issr",
    "RtrInf/Rsn/Cd",
    "RtrInf/Rsn/Prtry",
    "Purp/Cd",
)
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


@dataclass(slots=True)
class Draft:
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
class Entry:
    """One Ntry and what is needed around it."""

    fields: Fields
    transactions: tuple[Fields, ...]
    locator: str
    raw: str
    draft: Draft
    profile: Profile

    def one(self, *paths: str) -> str | None:
        """The first value of the entry at one of these paths."""
        return first(self.fields, *paths)


def read_entry(entry: Entry) -> None:
    """Add the entry to its draft: a line, a problem, or a line and a problem about one of its fields."""
    draft = entry.draft
    try:
        amount = signed(entry.fields, "Amt", draft.currency or entry.profile.currency)
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


def _amount_problem(entry: Entry, error: AmountUnreadable) -> Problem:
    currency = entry.one("Amt@Ccy") or entry.draft.currency or entry.profile.currency
    code = amount_problem_code(error, currency)
    name = {"sign-unreadable": "CdtDbtInd", "currency-unreadable": "Amt@Ccy"}.get(code, "Amt")
    do = "look at the entry in the file and enter it by hand, or ask the bank"
    return Problem(code, entry.locator, name, entry.raw, str(error), do)


def _line(entry: Entry, amount: Money, booked: date | None) -> BankLineRead:
    warnings: list[str] = []
    # With one transaction, its fields are the line's; with several, each is a part of its own.
    single: Fields = entry.transactions[0] if len(entry.transactions) == 1 else {}
    pieces = [piece for transaction in entry.transactions for piece in _remittance(transaction)]
    text, joined, cut = texts.join((*pieces, *every(entry.fields, "AddtlNtryInf")))
    value_date = read_day(entry.one("ValDt/Dt", "ValDt/DtTm"))
    code = entry.one("BkTxCd/Domn/Fmly/SubFmlyCd") or entry.one("BkTxCd/Prtry/Cd") or ""
    provider_id, trust = _provider_id(entry, single, booked)
    is_return = _is_return(entry.fields, single)
    payer_name, payer_account = _other_side(entry, single, amount, is_return=is_return)
    content = identity.Content(booked or "", value_date, code, payer_account or "", text)
    key = identity.line_key(entry.draft.account, trust, provider_id, amount, content)
    if single and _own_amount_differs(single, amount):
        warnings.append("detail-amount-differs")
    if amount.currency != (entry.draft.currency or amount.currency):
        warnings.append("currency-differs")
    parts = _parts(entry, amount, booked, value_date, key, warnings)
    is_return = is_return or (bool(parts) and all(part.is_return for part in parts))
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
        payer_name=payer_name,
        ultimate_payer_name=_ultimate(single, amount),
        payer_account=payer_account,
        end_to_end_id=_end_to_end_id(single),
        creditor_reference=first(single, "RmtInf/Strd/CdtrRefInf/Ref"),
        text=text,
        text_joined=joined,
        bank_reference=entry.one("AcctSvcrRef") or first(single, "Refs/AcctSvcrRef") or entry.one("NtryRef"),
        cheque_number=first(single, "Refs/ChqNb"),
        code_family=_family((entry.fields, single), is_return=is_return, is_reversal=is_reversal),
        raw_codes=_codes(entry.fields, single),
        return_reason=first(single, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        is_return=is_return,
        is_reversal=is_reversal,
        parts=parts,
        warnings=texts.once((*warnings, *cut)),
        raw=entry.raw,
    )


def _remittance(transaction: Fields) -> list[str]:
    return every(
        transaction,
        "RmtInf/Ustrd",
        "RmtInf/Strd/RfrdDocInf/Nb",
        "RmtInf/Strd/CdtrRefInf/Ref",
        "RmtInf/Strd/AddtlRmtInf",
        "AddtlTxInf",
    )


def _provider_id(entry: Entry, single: Fields, booked: date | None) -> tuple[str | None, Trust]:
    """The entry's own reference, else its one transaction's, else NtryRef as far as the profile trusts it."""
    reference = entry.one("AcctSvcrRef") or first(single, "Refs/AcctSvcrRef")
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


_ACCOUNT_PATHS = {
    role: tuple(f"RltdPties/{role}Acct/Id/{scheme}" for scheme in ("IBAN", "Othr/Id", "BBAN", "PrtryAcct/Id"))
    for role in ("Dbtr", "Cdtr")
}
_NAME_PATHS = {
    role: tuple(f"RltdPties/{role}/{name}" for name in ("Pty/Nm", "Nm", "Agt/FinInstnId/Nm"))
    for role in ("Dbtr", "Cdtr")
}


def _account_of(transaction: Fields, role: str) -> str | None:
    return first(transaction, *_ACCOUNT_PATHS[role])


def _other_side(
    entry: Entry, transaction: Fields, amount: Money, *, is_return: bool
) -> tuple[str | None, str | None]:
    """Name and account of the other side: the debtor of money in, the creditor of money out.

    In a return some banks keep the roles of the original payment; then the other side is the one
    that is not our own account.
    """
    role, opposite = _roles(amount)
    name, account = _name_of(transaction, role), _account_of(transaction, role)
    if is_return and ((name is None and account is None) or _is_ours(entry, account)):
        return _name_of(transaction, opposite), _account_of(transaction, opposite)
    return name, account


def _is_ours(entry: Entry, account: str | None) -> bool:
    return bool(account) and identity.account_id("bank", account or "").key == entry.draft.account.key


def _name_of(transaction: Fields, role: str) -> str | None:
    return first(transaction, *_NAME_PATHS[role])


def _ultimate(transaction: Fields, amount: Money) -> str | None:
    role = _roles(amount)[0]
    return first(transaction, f"RltdPties/Ultmt{role}/Nm", f"RltdPties/Ultmt{role}/Pty/Nm")


def _end_to_end_id(transaction: Fields) -> str | None:
    found = first(transaction, "Refs/EndToEndId")
    return None if found is None or identity.trust_of(found, "A") == "C" else found


def _original(transaction: Fields, amount: Money, warnings: list[str]) -> Money | None:
    """The instructed amount, where it was in another currency."""
    raw, currency = (first(transaction, f"AmtDtls/InstdAmt/Amt{x}") for x in ("", "@Ccy"))
    if raw is None or currency is None or currency == amount.currency:
        return None
    try:
        money = magnitude(raw, currency)
    except AmountUnreadable:
        warnings.append("original-amount-unreadable")
        return None
    return money if amount.minor >= 0 else -money


def _is_return(entry: Fields, transaction: Fields) -> bool:
    if not _RETURN_PATHS.isdisjoint(transaction):
        return True
    return any(first(fields, "BkTxCd/Domn/Fmly/SubFmlyCd") in _RETURNS for fields in (entry, transaction))


def _family(sources: tuple[Fields, Fields], *, is_return: bool, is_reversal: bool) -> CodeFamily:
    if is_return:
        return "return"
    if is_reversal:
        return "reversal"
    for fields in sources:
        if first(fields, "BkTxCd/Domn/Cd") == "FORX":
            return "fx"
        sub = first(fields, "BkTxCd/Domn/Fmly/SubFmlyCd") or ""
        family = _SUBFAMILIES.get(sub) or _FAMILIES.get(first(fields, "BkTxCd/Domn/Fmly/Cd") or "")
        if family:
            return family
    return "other"


def _codes(entry: Fields, transaction: Fields) -> dict[str, str]:
    return {
        path: fields[path][0] for fields in (transaction, entry) for path in _CODE_PATHS if path in fields
    }


def _own_amount(transaction: Fields, entry_amount: Money) -> Money | None:
    """A transaction's own amount in the entry's currency, signed; None when it gives none."""
    sign = first(transaction, "CdtDbtInd") or ("CRDT" if entry_amount.minor >= 0 else "DBIT")
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        raw, currency = first(transaction, path), first(transaction, f"{path}@Ccy")
        if raw is not None and currency in {None, entry_amount.currency} and sign in SIGNS:
            money = magnitude(raw, entry_amount.currency)
            return money if sign == "CRDT" else -money
    return None


def _own_amount_differs(transaction: Fields, amount: Money) -> bool:
    try:
        own = _own_amount(transaction, amount)
    except AmountUnreadable:
        return True
    return own is not None and own != amount


def _parts(
    entry: Entry, amount: Money, booked: date | None, value_date: date | None, key: str, warnings: list[str]
) -> tuple[BankLineRead, ...]:
    """The transactions of a batch, if their amounts are all known and add up to the entry."""
    if len(entry.transactions) <= 1:
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


def _parts_problem(entry: Entry, code: str, raw: str, why: str) -> Problem:
    do = "the entry is kept whole; find out from the bank what it is made of, then split it by hand"
    return Problem(code, entry.locator, "NtryDtls/TxDtls", raw, why, do)


def _part(
    entry: Entry,
    index: int,
    transaction: Fields,
    amount: Money,
    dates: tuple[date | None, date | None],
    parent_key: str,
) -> BankLineRead:
    text, joined, cut = texts.join(_remittance(transaction))
    reference = first(transaction, "Refs/AcctSvcrRef")
    warnings = list(cut)
    is_return = _is_return(entry.fields, transaction)
    payer_name, payer_account = _other_side(entry, transaction, amount, is_return=is_return)
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
        payer_name=payer_name,
        ultimate_payer_name=_ultimate(transaction, amount),
        payer_account=payer_account,
        end_to_end_id=_end_to_end_id(transaction),
        creditor_reference=first(transaction, "RmtInf/Strd/CdtrRefInf/Ref"),
        text=text,
        text_joined=joined,
        bank_reference=reference,
        cheque_number=first(transaction, "Refs/ChqNb"),
        code_family=_family((transaction, entry.fields), is_return=is_return, is_reversal=False),
        raw_codes=_codes(entry.fields, transaction),
        return_reason=first(transaction, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        is_return=is_return,
        warnings=tuple(warnings),
    )
