"""What a connector author brings: a simulator with one set of books, and a bookkeeper's hand on it.

Shape   references are those the connector gives (`Ref("item", "Invoice:157")`). Whatever is made is dated by
        the clock the simulator was given.
Law     what a bench tells comes from the simulator's own books, never through the connector. New books hold
        no items and no payments.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from arsync.connectors.contract import Kind, Ref, Settle, Tokens
from arsync.core.money import Money, exponent


class NotStaged(NotImplementedError):
    """The manifest declares something that this bench cannot put on stage yet; write that method."""


class Bench(ABC):
    """One simulated platform. The methods that are not abstract are needed by what a manifest declares."""

    url: str  # where the simulator listens, "http://127.0.0.1:PORT"
    client_id: str = "client-id-of-the-suite"
    client_secret: str = "client-secret-of-the-suite"  # noqa: S105 - the simulator's
    currency: str = "USD"  # the books' home currency
    page_rows: int = 100  # the most records one answer holds; let the simulator give few, if it can
    product: str = ""  # platform id of a product that adjustments are booked on (post_credit)
    waiting_account: str = ""  # platform id of an account for money of unknown payers (park)
    receiving_account: str = ""  # platform id of the account a receipt goes to, where it must name one
    bank_account: str = ""  # platform id of a bank account (park, post_entry, refund, deposit)
    undeposited_account: str = (
        ""  # platform id of the account where payments wait for their deposit (deposit)
    )
    receivable_account: str = ""  # platform id of the receivable control account (post_entry)
    fee_account: str = ""  # platform id of an account for the bank's fees (post_entry, deposit)

    # ---- signing in

    @abstractmethod
    def settings(self, url: str) -> Any:  # noqa: ANN401 - each connector its own
        """The connector's settings when its platform, token address included, is reached at `url`."""

    @abstractmethod
    def grant(self) -> Tokens:
        """Consent, given anew."""

    @abstractmethod
    def revoke(self) -> None:
        """Consent, taken back: no token is good any more."""

    def expire(self) -> bool:
        """End every access token now; a refresh token gives another. False: tokens of this platform never end."""
        return False

    # ---- the books, by hand

    @abstractmethod
    def customer(self, name: str) -> Ref:
        """A new customer."""

    @abstractmethod
    def invoice(self, customer: Ref, amount: Money) -> Ref:
        """A new invoice."""

    def invoices(self, customer: Ref, count: int) -> Sequence[Ref]:
        """Many invoices, all stamped with the same time."""
        return [self.invoice(customer, Money(100_00 + number, self.currency)) for number in range(count)]

    @abstractmethod
    def touch(self, ref: Ref) -> None:
        """Somebody changes a word of a record: its amounts stay, its version and its time of change do not."""

    @abstractmethod
    def remove(self, ref: Ref) -> None:
        """Somebody deletes a record, or makes it inactive where the platform does that instead."""

    @abstractmethod
    def refuse(self) -> None:
        """From now on the books take no writing, for a reason that lasts: a closed period, a missing right."""

    def payment(self, customer: Ref, total: Money, settles: Sequence[Settle] = ()) -> Ref:
        """A payment booked by somebody else, waiting to be brought to the bank."""
        raise NotStaged("payment")

    def credit(self, customer: Ref, amount: Money) -> Ref:
        """A credit memo over a positive amount."""
        raise NotStaged("credit")

    def line(self, customer: Ref, amount: Money) -> Ref:
        """An item to pay that is one line of a larger document (`Writes.target` "line")."""
        raise NotStaged("line")

    def other(self, kind: Kind) -> Ref:
        """A record of a kind that is neither customer, item nor payment: terms, an account, a product."""
        raise NotStaged(f"other: {kind}")

    # ---- what the books say

    @abstractmethod
    def open(self) -> Mapping[Ref, Money]:
        """Everything with something open, by its reference.

        Signed: what is owed is positive; credits, and payments by their unapplied part, are negative.
        """

    @abstractmethod
    def changes(self) -> int:
        """How many writes through the API the books have taken since the beginning; a replay is none."""

    def balance(self, account: str) -> Money:
        """What is on an account (park, post_entry, refund, deposit)."""
        raise NotStaged("balance")

    # ---- answers, spoiled on their way

    def respell(self, answer: bytes, amount: Money, spelling: str) -> bytes:
        """Write an amount in another way wherever a JSON answer holds it, in major or in minor units."""
        spellings = {amount.text(): spelling, str(amount.minor): _in_minor_units(spelling, amount.currency)}

        def spelled(match: re.Match[bytes]) -> bytes:
            token = match[0].decode()
            new = spellings.get(token.strip('"'))
            if new is None:
                return match[0]
            return (new if _NUMBER.fullmatch(new) and token[0] != '"' else f'"{new}"').encode()

        return _TOKEN.sub(spelled, answer)

    def extend(self, answer: bytes) -> bytes:
        """Add a field that nobody announced to every object of a JSON answer."""
        return _TOKEN.sub(lambda match: match[0] + (_UNANNOUNCED if match[0] == b"{" else b""), answer)


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\d.]+|\{(?=\s*")')
_NUMBER = re.compile(r"\d+(\.\d+)?")
_UNANNOUNCED = b'"zzUnannounced": "kept?", '


def _in_minor_units(spelling: str, currency: str) -> str:
    """`12.345` of a currency with cents is `1234.5`; what is no number stays."""
    whole, mark, rest = spelling.partition(".")
    if not mark or not _NUMBER.fullmatch(spelling):
        return spelling
    digits = exponent(currency)
    return whole + rest[:digits] + (f".{rest[digits:]}" if rest[digits:] else "")
