"""What a bank file says: statements of one account, their lines, and what could not be read.

Units   amounts are `Money`, signed: positive is money in. Dates are the bank's own local dates.
Shape   `BankFile` holds `Statement`s, these `BankLineRead`s; a `Problem` stands for what could not be read.
Law     every line of a file is in `lines` or in `problems`, with its raw text; none is dropped or made 0.
        A statement's `standing` says what its lines are worth: only booked lines are money of their own.
Errors  none: these are values. A file that cannot be read at all is an `arsync.errors.FileRefused`.
Source  the standards named in arsync/connectors/bank/README.md
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from arsync.core.money import Money

Trust = Literal["A", "B", "C"]
"""How far a bank's own id may be believed: A unique and stable, B plausible, C unusable."""

Proven = Literal["proven", "unproven", "no balances"]

Standing = Literal["booked", "provisional", "detail"]
"""What a statement's lines are: booked on the account; announced, until the booked statement says the same
(camt.052, camt.054, MT942); or what one sum booked elsewhere is made of (lockbox, ACH batch, payout)."""

Grade = Literal["bank file", "known sender", "unknown"]
"""How far a remittance may be believed, by where it came from."""

CodeFamily = Literal[
    "transfer_in",
    "direct_debit_in",
    "card",
    "card_payout",
    "wallet",
    "cheque",
    "lockbox",
    "cash",
    "return",
    "reversal",
    "refund",
    "chargeback",
    "payout",
    "fee",
    "interest",
    "fx",
    "other",
]


_RETURN_WORDS = re.compile(
    r"\b(?:NSF|CHARGE ?BACK|RETURNED (?:ITEM|CHECK|CHEQUE|DEPOSIT|PAYMENT|ACH|DEBIT)|RETURN(?:ED)? ITEM"
    r"|DEPOSITED ITEM RETURN(?:ED)?|ACH RETURN|UNPAID (?:CHECK|CHEQUE)|R(?:UE|Ü)CKLASTSCHRIFT)\b"
)


def says_returned(text: str) -> bool:
    """Whether the words of a line on which money left say that the bank gave a payment back.

    Formats without a code for it (OFX, CSV) leave only the words. The bank's fee for it is not the payment.
    """
    said = text.upper()
    return bool(_RETURN_WORDS.search(said)) and not re.search(r"\bFEES?\b", said)


@dataclass(frozen=True, slots=True)
class AccountId:
    """A bank account as the file names it.

    Attributes:
        scheme: iban, bank, card, broker, other, or unknown (the file names no account).
        identifier: the text as given.
        bank_id: the bank's BIC, routing number or sort code, as given; empty when absent.
        key: normalised; equal keys are the same account, whatever the format.
    """

    scheme: str
    identifier: str
    bank_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A field or line that could not be read; a person must look.

    Attributes:
        code: stable word for what is wrong (see the README's table).
        locator: line number or XPath inside the file.
        field: name of the field in the file's own words.
        raw: the value or line exactly as given.
        why: one sentence.
        do: what to do next.
    """

    code: str
    locator: str
    field: str
    raw: str
    why: str
    do: str


@dataclass(frozen=True, slots=True)
class Correction:
    """An OFX line that replaces or deletes an earlier one, named by its provider id."""

    provider_id: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLineRead:
    """One booked line, or one transaction inside a batch line.

    Attributes:
        locator: line number (text formats) or XPath (XML).
        key: identity hash; with `occurrence` unique within an account.
        occurrence: 1 for the first line with this key in the file, 2 for the second ...
        booking_date: None only where a `Problem` has the same locator.
        text: remittance text, pieces joined with a space; `text_joined` joins them without.
        is_return: the bank gives back a payment; is_reversal: the bank takes back its own booking.
        original_reference: the bank's or payer's name of what a return takes back (trace, end-to-end id).
        parts: the transactions of a batch; empty, or they add up to `amount` exactly.
        raw: the source text of the line.
    """

    locator: str
    key: str
    occurrence: int
    provider_id: str | None
    provider_id_trust: Trust
    booking_date: date | None
    value_date: date | None
    amount: Money
    original_amount: Money | None = None
    payer_name: str | None = None
    ultimate_payer_name: str | None = None
    payer_account: str | None = None
    end_to_end_id: str | None = None
    creditor_reference: str | None = None
    text: str = ""
    text_joined: str = ""
    bank_reference: str | None = None
    cheque_number: str | None = None
    code_family: CodeFamily = "other"
    raw_codes: Mapping[str, str] = field(default_factory=dict)
    return_reason: str | None = None
    original_reference: str | None = None
    is_return: bool = False
    is_reversal: bool = False
    corrects: Correction | None = None
    parts: "tuple[BankLineRead, ...]" = ()
    warnings: tuple[str, ...] = ()
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one file says about one account and currency.

    Attributes:
        currency: None when neither file nor profile names it; then every line is a problem.
        sequence: the bank's statement number, for finding gaps.
        opening: booked balance before the first line; closing: after the last.
        total: for `detail` the one sum that a bank books for all lines; None when the file names none.
        reference: for `detail` what the bank's line may carry to be recognised (payout or batch number).
        removed: provider ids of earlier lines the bank takes back.
        proven: opening + lines = closing (for `detail`: lines = total) and everything was readable;
            `no balances` when the file gives nothing to prove by, `unproven` otherwise.
        difference: closing - (opening + lines), or total - lines, when these are known.
        warnings: stable codes, in the order found, each once.
    """

    account: AccountId
    currency: str | None
    statement_id: str | None
    sequence: int | None
    opening: Money | None
    closing: Money | None
    from_date: date | None
    to_date: date | None
    lines: tuple[BankLineRead, ...]
    proven: Proven
    difference: Money | None
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...] = ()
    standing: Standing = "booked"
    total: Money | None = None
    reference: str | None = None
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemittanceLine:
    """One document a payer says it pays.

    Attributes:
        reference: the document's number as given; may be empty where only a note explains an amount.
        paid: what of the payment is for it; negative for a credit or claim taken. None when not given.
        gross, discount: the document's amount and what was taken off it, where given.
    """

    reference: str
    paid: Money | None = None
    gross: Money | None = None
    discount: Money | None = None
    document_date: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remittance:
    """What a payer says one payment is for.

    Attributes:
        key: identity hash; the same advice in two files has the same key.
        locator: line number, segment or XPath inside the file.
        on: the payment's date, else the message's; None when neither is given.
        total: what the payment comes to, by the advice's own word.
        reference: what ties it to the money: trace number, cheque number, end-to-end id.
        line_key: key of the bank line or part in the same file it belongs to; None for an advice alone.
        lines: add up to `total` where both are known, or `problems` says that they do not.
    """

    key: str
    locator: str
    on: date | None
    payer_name: str = ""
    payer_account: str = ""
    currency: str | None
    total: Money | None
    grade: Grade
    reference: str = ""
    line_key: str | None = None
    lines: tuple[RemittanceLine, ...] = ()
    problems: tuple[Problem, ...] = ()
    raw: str = ""


@dataclass(frozen=True, slots=True)
class BankFile:
    """One file, read. `sha256` is of the bytes as they came; equal hashes are the same import."""

    sha256: str
    format: str
    codec: str
    statements: tuple[Statement, ...]
    warnings: tuple[str, ...]
    remittances: tuple[Remittance, ...] = ()
