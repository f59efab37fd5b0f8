"""What a bank file says: statements of one account, their lines, and what could not be read.

Units   amounts are `Money`, signed: positive is money in. Dates are the bank's own local dates.
Shape   `BankFile` holds `Statement`s, these `BankLineRead`s; a `Problem` stands for what could not be read.
Law     every line of a file is in `lines` or in `problems`, with its raw text; none is dropped or made 0.
Errors  none: these are values. A file that cannot be read at all is an `arsync.errors.FileRefused`.
Source  ISO 20022 camt.053, OFX 1.6 and 2.2; docs: arsync/connectors/bank/README.md
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

CodeFamily = Literal[
    "transfer_in",
    "direct_debit_in",
    "card_payout",
    "cheque",
    "lockbox",
    "cash",
    "return",
    "reversal",
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
        proven: opening + lines = closing and everything was readable; `no balances` when the file
            gives no two of them, `unproven` otherwise.
        difference: closing - (opening + lines), when both balances are known.
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


@dataclass(frozen=True, slots=True)
class BankFile:
    """One file, read. `sha256` is of the bytes as they came; equal hashes are the same import."""

    sha256: str
    format: str
    codec: str
    statements: tuple[Statement, ...]
    warnings: tuple[str, ...]
