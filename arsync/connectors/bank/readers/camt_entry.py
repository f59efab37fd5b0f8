"""One camt entry: its fields to a line, its transactions to parts.

Shape   `Entry` -> one `BankLineRead` or one `Problem` in its draft; pure but for the draft it fills.
Law     parts add up to their entry exactly, or there are none and a problem or warning says why.
Source  ISO 20022 camt.053 ReportEntry and EntryTransaction; Swiss Payment Standards 2025 for batches.
"""

from dataclasses import dataclass
from datetime import date

from arsync.connectors.bank import identity, remit, texts
from arsync.connectors.bank.amounts import amount_problem_code
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers.camt_fields import (
    SIGNS,
    Fields,
    Scope,
    first,
    magnitude,
    one,
    read_day,
    signed,
)
from arsync.connectors.bank.readers.draft import Draft
from arsync.core.bank import BankLineRead, CodeFamily, Remittance, RemittanceLine, Trust
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
class Account:
    """One Stmt, Rpt or Ntfctn while its entries go by."""

    name: str  # "Stmt[1]", for locators
    draft: Draft
    profile: Profile
    entries: int = 0
    not_booked: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the line of an entry and its parts share."""

    fields: Fields
    account: Account
    locator: str
    raw: str
    booked: date | None
    value_date: date | None
    is_reversal: bool


def read_entry(scope: Scope, account: Account) -> None:
    """Add one Ntry to its draft: a line, a problem, both, or a named count of what is not booked."""
    account.entries += 1
    fields, draft = scope.fields, account.draft
    status = one(fields, "Sts")
    if status not in {None, "BOOK"}:
        account.not_booked += 1
        draft.warnings.append("information-not-read" if status == "INFO" else "pending-not-read")
        return
    if status is None:
        draft.warnings.append("status-missing")
    locator = f"{account.name}/Ntry[{account.entries}]"
    try:
        amount = signed(fields, "Amt", draft.currency or account.profile.currency)
    except AmountUnreadable as error:
        currency = one(fields, "Amt@Ccy") or draft.currency or account.profile.currency
        code = amount_problem_code(error, currency)
        name = {"sign-unreadable": "CdtDbtInd", "currency-unreadable": "Amt@Ccy"}.get(code, "Amt")
        do = "look at the entry in the file and enter it by hand, or ask the bank"
        draft.problem(code, locator, name, scope.raw, str(error), do)
        return
    given = one(fields, "BookgDt")
    booked = read_day(given)
    if booked is None:
        why = f"{given!r} is not a date" if given else "the entry has no booking date"
        draft.problem(
            "date-unreadable", locator, "BookgDt", given or "", why, "look at the entry and give its date"
        )
    entry = _Entry(
        fields,
        account,
        locator,
        scope.raw,
        booked,
        read_day(one(fields, "ValDt")),
        one(fields, "RvslInd") in {"true", "1"},
    )
    draft.lines.append(_line(entry, scope.children, amount))


def _line(entry: _Entry, transactions: list[Scope], amount: Money) -> BankLineRead:
    # With one transaction, its fields are the line's; with several, each is a part of its own.
    single = transactions[0] if len(transactions) == 1 else Scope("TxDtls")
    fields, draft = entry.fields, entry.account.draft
    pieces = [piece for transaction in transactions for piece in _remittance(transaction)]
    text, joined, warnings = texts.join((*pieces, *fields.get("AddtlNtryInf", ())))
    provider_id, trust = _provider_id(entry, single.fields)
    is_return = _is_return(fields, single.fields)
    payer_name, payer_account = _other_side(draft, single.fields, amount, is_return=is_return)
    code = first(fields, "BkTxCd/Domn/Fmly/SubFmlyCd", "BkTxCd/Prtry/Cd") or ""
    content = identity.Content(entry.booked or "", entry.value_date, code, payer_account or "", text)
    key = identity.line_key(draft.account, trust, provider_id, amount, content)
    if amount.currency != (draft.currency or amount.currency):
        warnings += ("currency-differs",)
    if single.fields and _own_amount_differs(single.fields, amount):
        warnings += ("detail-amount-differs",)
    parts, odd = (
        _parts(entry, transactions, amount, key) if len(transactions) > 1 else ((), _undetailed(fields))
    )
    is_return = is_return or (bool(parts) and all(part.is_return for part in parts))
    end_to_end_id = _end_to_end_id(single.fields)
    original, unread = _original(single.fields, amount)
    _advise(entry, single, (entry.locator, key), amount, (payer_name, payer_account))
    return BankLineRead(
        locator=entry.locator,
        key=key,
        occurrence=1,
        provider_id=provider_id,
        provider_id_trust=trust,
        booking_date=entry.booked,
        value_date=entry.value_date,
        amount=amount,
        original_amount=original,
        payer_name=payer_name,
        ultimate_payer_name=_ultimate(single.fields, amount),
        payer_account=payer_account,
        end_to_end_id=end_to_end_id,
        creditor_reference=_creditor_reference(single),
        text=text,
        text_joined=joined,
        bank_reference=one(fields, "AcctSvcrRef")
        or one(single.fields, "Refs/AcctSvcrRef")
        or one(fields, "NtryRef"),
        cheque_number=one(single.fields, "Refs/ChqNb"),
        code_family=_family((fields, single.fields), is_return=is_return, is_reversal=entry.is_reversal),
        raw_codes=_codes(fields, single.fields),
        return_reason=first(single.fields, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        original_reference=end_to_end_id if is_return else None,
        is_return=is_return,
        is_reversal=entry.is_reversal,
        parts=parts,
        warnings=texts.once((*warnings, *odd, *unread)) if warnings or odd or unread else (),
        raw=entry.raw,
    )


def _remittance(transaction: Scope) -> list[str]:
    fields = transaction.fields
    pieces = list(fields.get("RmtInf/Ustrd", ()))
    for path in ("RfrdDocInf/Nb", "CdtrRefInf/Ref", "AddtlRmtInf") if transaction.children else ():
        for structured in transaction.children:
            pieces += structured.fields.get(path, ())
    pieces += fields.get("AddtlTxInf", ())
    return pieces


def _creditor_reference(transaction: Scope) -> str | None:
    return next((found for s in transaction.children if (found := one(s.fields, "CdtrRefInf/Ref"))), None)


def _advise(
    entry: _Entry,
    transaction: Scope,
    named: tuple[str, str],
    amount: Money,
    payer: tuple[str | None, str | None],
) -> None:
    """The structured remittance of one transaction, if it has any."""
    if not transaction.children:
        return
    documents = [s for s in transaction.children if "RfrdDocInf/Nb" in s.fields or _has_amounts(s.fields)]
    if not documents:
        return
    locator, key = named
    draft = entry.account.draft
    try:
        lines = [_document(structured.fields, amount.currency) for structured in documents]
    except AmountUnreadable as error:
        draft.problem("remittance-unreadable", locator, "RmtInf/Strd", error.raw, str(error), remit.ASK)
        return
    made = Remittance(
        key="",
        locator=locator,
        on=entry.booked,
        payer_name=payer[0] or "",
        payer_account=payer[1] or "",
        currency=amount.currency,
        total=amount,
        grade="bank file",
        reference=first(transaction.fields, "Refs/EndToEndId", "Refs/AcctSvcrRef") or "",
        line_key=key,
        lines=tuple(lines),
    )
    draft.remittances.append(remit.sealed(made))


def _has_amounts(fields: Fields) -> bool:
    return any(path.startswith("RfrdDocAmt/") for path in fields)


def _document(fields: Fields, currency: str) -> RemittanceLine:
    def money(*paths: str) -> Money | None:
        for path in paths:
            raw = one(fields, path)
            if raw is not None:
                return magnitude(raw, first(fields, f"{path}@Ccy") or currency)
        return None

    paid, credit = money("RfrdDocAmt/RmtdAmt"), money("RfrdDocAmt/CdtNoteAmt")
    return RemittanceLine(
        reference=" ".join(fields.get("RfrdDocInf/Nb", ())),
        paid=-credit if paid is None and credit is not None else paid,
        gross=money("RfrdDocAmt/DuePyblAmt"),
        discount=money("RfrdDocAmt/DscntApldAmt/Amt", "RfrdDocAmt/DscntApldAmt"),
        document_date=read_day(first(fields, "RfrdDocInf/RltdDt", "RfrdDocInf/RltdDt/Dt")),
        note=" ".join(fields.get("AddtlRmtInf", ())),
    )


def _provider_id(entry: _Entry, single: Fields) -> tuple[str | None, Trust]:
    """The entry's own reference, else its one transaction's, else NtryRef as far as the profile trusts it."""
    profile = entry.account.profile
    reference = one(entry.fields, "AcctSvcrRef") or one(single, "Refs/AcctSvcrRef")
    if reference:
        return reference, identity.trust_of(reference, profile.id_trust)
    number = one(entry.fields, "NtryRef")
    if not number:
        return None, "C"
    year = entry.booked.year if entry.booked else ""
    trust = identity.trust_of(number, profile.entry_reference_trust)
    return f"{entry.account.draft.statement_id or ''}/{year}/{number}", trust


def _other_side(
    draft: Draft, transaction: Fields, amount: Money, *, is_return: bool
) -> tuple[str | None, str | None]:
    """Name and account of the other side: the debtor of money in, the creditor of money out.

    In a return some banks keep the roles of the original payment; then the other side is the one
    that is not our own account.
    """
    if not transaction:
        return None, None
    role, opposite = ("Dbtr", "Cdtr") if amount.minor >= 0 else ("Cdtr", "Dbtr")
    name, account = _party(transaction, role)
    if is_return and ((name is None and account is None) or _is_ours(draft, account)):
        return _party(transaction, opposite)
    return name, account


_PARTY_PATHS = {
    role: (f"RltdPties/{role}/Nm", f"RltdPties/{role}/Agt/FinInstnId/Nm", f"RltdPties/{role}Acct")
    for role in ("Dbtr", "Cdtr")
}


def _party(transaction: Fields, role: str) -> tuple[str | None, str | None]:
    name, agent, account = _PARTY_PATHS[role]
    return first(transaction, name, agent), one(transaction, account)


def _is_ours(draft: Draft, account: str | None) -> bool:
    return bool(account) and identity.account_id("bank", account or "").key == draft.account.key


def _ultimate(transaction: Fields, amount: Money) -> str | None:
    return first(transaction, "RltdPties/UltmtDbtr/Nm" if amount.minor >= 0 else "RltdPties/UltmtCdtr/Nm")


def _end_to_end_id(transaction: Fields) -> str | None:
    found = one(transaction, "Refs/EndToEndId")
    return None if found is None or identity.trust_of(found, "A") == "C" else found


def _original(transaction: Fields, amount: Money) -> tuple[Money | None, tuple[str, ...]]:
    """The instructed amount, where it was in another currency."""
    raw, currency = one(transaction, "AmtDtls/InstdAmt/Amt"), one(transaction, "AmtDtls/InstdAmt/Amt@Ccy")
    if raw is None or currency is None or currency == amount.currency:
        return None, ()
    try:
        money = magnitude(raw, currency)
    except AmountUnreadable:
        return None, ("original-amount-unreadable",)
    return (money if amount.minor >= 0 else -money), ()


def _is_return(entry: Fields, transaction: Fields) -> bool:
    if not _RETURN_PATHS.isdisjoint(transaction):
        return True
    path = "BkTxCd/Domn/Fmly/SubFmlyCd"
    return one(entry, path) in _RETURNS or one(transaction, path) in _RETURNS


def _family(sources: tuple[Fields, Fields], *, is_return: bool, is_reversal: bool) -> CodeFamily:
    if is_return:
        return "return"
    if is_reversal:
        return "reversal"
    for fields in sources:
        domain = one(fields, "BkTxCd/Domn/Cd")
        if domain == "FORX":
            return "fx"
        if domain is None:
            continue
        sub = one(fields, "BkTxCd/Domn/Fmly/SubFmlyCd") or ""
        family = _SUBFAMILIES.get(sub) or _FAMILIES.get(one(fields, "BkTxCd/Domn/Fmly/Cd") or "")
        if family:
            return family
    return "other"


def _codes(entry: Fields, transaction: Fields) -> dict[str, str]:
    entry_get, transaction_get = entry.get, transaction.get
    return {
        path: found[0]
        for path in _CODE_PATHS
        if (found := entry_get(path) or transaction_get(path)) is not None
    }


def _own_amount(transaction: Fields, entry_amount: Money) -> Money | None:
    """A transaction's own amount in the entry's currency, signed; None when it gives none."""
    sign = one(transaction, "CdtDbtInd") or ("CRDT" if entry_amount.minor >= 0 else "DBIT")
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        raw, currency = one(transaction, path), first(transaction, f"{path}@Ccy")
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


def _undetailed(fields: Fields) -> tuple[str, ...]:
    declared = texts.count(one(fields, "Btch/NbOfTxs") or "")
    return ("batch-without-details",) if declared is not None and declared > 1 else ()


def _parts(
    entry: _Entry, transactions: list[Scope], amount: Money, key: str
) -> tuple[tuple[BankLineRead, ...], tuple[str, ...]]:
    """The transactions of a batch, if their amounts are all known and add up to the entry; and warnings."""
    draft = entry.account.draft
    do = "the entry is kept whole; find out from the bank what it is made of, then split it by hand"
    try:
        amounts = [_own_amount(transaction.fields, amount) for transaction in transactions]
    except AmountUnreadable as error:
        draft.problem("part-unreadable", entry.locator, "NtryDtls/TxDtls", error.raw, str(error), do)
        return (), ()
    known = [own for own in amounts if own is not None]
    if len(known) < len(amounts):
        return (), ("parts-without-amounts",)
    total = Money(sum(own.minor for own in known), amount.currency)
    if total != amount:
        why = f"the {len(known)} transactions add up to {total}, the entry is {amount}"
        draft.problem("parts-do-not-add-up", entry.locator, "NtryDtls/TxDtls", entry.raw, why, do)
        return (), ()
    pairs = zip(transactions, known, strict=True)
    return tuple(
        _part(entry, index, transaction, own, key) for index, (transaction, own) in enumerate(pairs)
    ), ()


def _part(entry: _Entry, index: int, transaction: Scope, amount: Money, parent_key: str) -> BankLineRead:
    fields = transaction.fields
    text, joined, warnings = texts.join(_remittance(transaction))
    reference = one(fields, "Refs/AcctSvcrRef")
    is_return = _is_return(entry.fields, fields)
    payer_name, payer_account = _other_side(entry.account.draft, fields, amount, is_return=is_return)
    end_to_end_id = _end_to_end_id(fields)
    original, unread = _original(fields, amount)
    locator = f"{entry.locator}/TxDtls[{index + 1}]"
    key = identity.part_key(parent_key, index, reference, amount)
    _advise(entry, transaction, (locator, key), amount, (payer_name, payer_account))
    return BankLineRead(
        locator=locator,
        key=key,
        occurrence=1,
        provider_id=reference,
        provider_id_trust=identity.trust_of(reference, "A"),
        booking_date=entry.booked,
        value_date=entry.value_date,
        amount=amount,
        original_amount=original,
        payer_name=payer_name,
        ultimate_payer_name=_ultimate(fields, amount),
        payer_account=payer_account,
        end_to_end_id=end_to_end_id,
        creditor_reference=_creditor_reference(transaction),
        text=text,
        text_joined=joined,
        bank_reference=reference,
        cheque_number=one(fields, "Refs/ChqNb"),
        code_family=_family((fields, entry.fields), is_return=is_return, is_reversal=entry.is_reversal),
        raw_codes=_codes(fields, entry.fields),
        return_reason=first(fields, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        original_reference=end_to_end_id if is_return else None,
        is_return=is_return,
        is_reversal=entry.is_reversal,
        warnings=warnings + unread,
    )
