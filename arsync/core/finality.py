"""Until when received money can be taken back: the return window of each way in which it may have come.

Units   windows are counted from the booking date: banking days, calendar days or months; both ends are days on which
        the money may still go back.
Shape   what a bank line says -> `Method` -> `Finality`; pure, the day it is asked for is handed in.
Law     only what the bank itself wrote decides the method (codes, never words: a payer writes words). What is not
        said is treated as a cheque, and says so. Windows end late rather than early.
Source  each row names its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from arsync.core.bank import CodeFamily
from arsync.core.bank_holidays import both
from arsync.core.dates import add_business_days

Method = Literal[
    "wire",
    "instant transfer",
    "bank transfer",
    "ach credit",
    "ach debit",
    "sepa direct debit",
    "sepa b2b direct debit",
    "bacs direct debit",
    "direct debit",
    "cheque",
    "card",
    "wallet",
    "cash",
    "not said",
]
Standing = Literal["may go back", "may be claimed back", "final", "not known"]
"""Goes back without our being asked; goes back where somebody proves a claim; neither any more; nobody can say,
because the bank does not say how it came and a cheque would be final by now."""

Unit = Literal["banking days", "days", "weeks", "months", "without an end"]


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, counted from the booking date."""

    count: int
    unit: Unit

    def end(self, booked: date) -> date:
        """The last day of it; `date.max` where it has none."""
        if self.unit == "without an end":
            return date.max
        if self.unit == "banking days":
            return add_business_days(booked, self.count, both(booked.year) | both(booked.year + 1))
        if self.unit == "months":
            return _months_later(booked, self.count)
        return booked + timedelta(days=self.count * (7 if self.unit == "weeks" else 1))


@dataclass(frozen=True, slots=True)
class Window:
    """How long money of one method can go back.

    Attributes:
        returned: without a reason that we could contest; None: not at all.
        claimed: where it was not authorised, or is forged; None: not at all.
        who: who takes it back, and on what ground.
        source: whose rule it is.
    """

    returned: Span | None
    claimed: Span | None
    who: str
    source: str


_CHEQUE = Window(
    Span(7, "banking days"),
    Span(12, "months"),
    "the payer's bank for want of funds; its customer where it is forged or altered",
    "Regulation CC, 12 CFR 229.13(h) and 229.31; UCC 4-301, 4-406(f)",
)
WINDOWS: Mapping[Method, Window] = {
    "wire": Window(None, None, "nobody: final when it is accepted", "UCC 4A-209, 4A-405; Regulation J"),
    "instant transfer": Window(
        None, None, "nobody: final when it is there", "rules of RTP, FedNow, SCT Inst and Faster Payments"
    ),
    "bank transfer": Window(
        None,
        None,
        "nobody without our consent: a recall is only a question",
        "SEPA Credit Transfer rulebook, recalls",
    ),
    "ach credit": Window(
        Span(5, "banking days"),
        None,
        "the payer's bank, by reversal of what was sent in error",
        "Nacha Operating Rules, section 2.10 (reversing entries)",
    ),
    "ach debit": Window(
        Span(2, "banking days"),
        Span(60, "days"),
        "the payer's bank; a consumer who did not authorise it",
        "Nacha Operating Rules, section 3.8 and appendix four (R05, R07, R10, R11, R51)",
    ),
    "sepa direct debit": Window(
        Span(8, "weeks"),
        Span(13, "months"),
        "the payer, without a reason; later where no mandate was given",
        "SEPA Direct Debit Core rulebook; directive (EU) 2015/2366, articles 71, 76 and 77",
    ),
    "sepa b2b direct debit": Window(
        Span(3, "banking days"),
        Span(13, "months"),
        "the payer's bank; its customer has no refund, but may say that no mandate was given",
        "SEPA Direct Debit Business to Business rulebook; directive (EU) 2015/2366, article 71",
    ),
    "bacs direct debit": Window(
        Span(5, "banking days"),
        Span(0, "without an end"),
        "the payer's bank, unpaid; the payer, under the Direct Debit Guarantee",
        "Bacs rules: unpaid direct debits (ARUDD) and indemnity claims",
    ),
    "direct debit": Window(
        Span(8, "weeks"),
        Span(13, "months"),
        "the payer; of a scheme that the bank does not name, so that the longest common windows are taken",
        "as SEPA Direct Debit Core",
    ),
    "cheque": _CHEQUE,
    "card": Window(
        Span(120, "days"),
        Span(540, "days"),
        "the cardholder, by dispute; later where something was to be delivered later",
        "dispute rules of Visa and Mastercard",
    ),
    "wallet": Window(Span(180, "days"), None, "the buyer, by dispute", "PayPal user agreement, disputes"),
    "cash": Window(None, None, "nobody", "it is cash"),
    "not said": Window(
        _CHEQUE.returned,
        None,
        "the bank does not say how it came; it may be a cheque",
        _CHEQUE.source,
    ),
}

EVER_BACK = frozenset(
    method for method, window in WINDOWS.items() if window.returned is not None or window.claimed is not None
)
"""Methods whose money is not final at once."""

# Codes that banks give, and what they say of the way in which money came.
_SUBFAMILIES: Mapping[str, Method] = {  # ISO 20022 external bank transaction codes
    "ESDD": "sepa direct debit",
    "BBDD": "sepa b2b direct debit",
    "RRTP": "instant transfer",
}
_FAMILIES: Mapping[str, Method] = {"RRCT": "instant transfer"}
_GERMAN: Mapping[str, Method] = {  # GVC of the Deutsche Kreditwirtschaft
    "166": "bank transfer", "194": "bank transfer", "168": "instant transfer",
    "171": "sepa direct debit", "192": "sepa direct debit",
    "174": "sepa b2b direct debit", "196": "sepa b2b direct debit",
    "170": "cheque", "183": "cheque",
}  # fmt: skip
_BAI: Mapping[str, Method] = {  # BAI2 uniform type codes
    "195": "wire", "191": "wire", "208": "wire", "158": "instant transfer",
    "142": "ach credit", "143": "ach credit", "165": "ach credit", "169": "ach credit", "166": "ach debit",
}  # fmt: skip
_SWIFT: Mapping[str, Method] = {"S103": "wire", "S202": "wire"}
_OFX: Mapping[str, Method] = {"DIRECTDEP": "ach credit", "POS": "card"}
_BY_FAMILY: Mapping[CodeFamily, Method] = {
    "cheque": "cheque",
    "lockbox": "cheque",
    "cash": "cash",
    "card": "card",
    "card_payout": "card",
    "payout": "card",
    "wallet": "wallet",
}
_DEBITS: Mapping[str, Method] = {
    "EUR": "sepa direct debit",
    "USD": "ach debit",
    "GBP": "bacs direct debit",
}


def method_of(family: CodeFamily, codes: Mapping[str, str], currency: str) -> Method:
    """How money came, by what the bank says of its line.

    Args:
        family: the code family of the line.
        codes: its raw codes, by the names the readers give them.
        currency: of the amount; it tells the schemes of direct debits apart.
    """
    sub, iso = codes.get("BkTxCd/Domn/Fmly/SubFmlyCd", ""), codes.get("BkTxCd/Domn/Fmly/Cd", "")
    kind = codes.get("type", "")
    said = (
        _SUBFAMILIES.get(sub)
        or _FAMILIES.get(iso)
        or _GERMAN.get(codes.get("GVC", ""))
        or _BAI.get(kind)
        or _SWIFT.get(kind)
        or _OFX.get(codes.get("TRNTYPE", ""))
    )
    if said:
        return said
    if family == "transfer_in":
        return "ach credit" if "transaction code" in codes or currency == "USD" else "bank transfer"
    if family == "direct_debit_in":
        return _DEBITS.get(currency, "direct debit")
    return _BY_FAMILY.get(family, "not said")


@dataclass(frozen=True, slots=True)
class Finality:
    """Until when one receipt can go back.

    Attributes:
        returned_until: the last day on which it goes back without our being asked; None: never did.
        claimed_until: the last day of a claim; None: there is none.
    """

    method: Method
    returned_until: date | None
    claimed_until: date | None

    def on(self, day: date) -> Standing:
        """What it is on a day."""
        if self.returned_until is not None and day <= self.returned_until:
            return "may go back"
        if self.claimed_until is not None and day <= self.claimed_until:
            return "may be claimed back"
        return "not known" if self.method == "not said" else "final"

    def told(self, day: date) -> str:
        """One clause for people, such as `may go back until 2026-12-01 (cheque)`."""
        standing = self.on(day)
        if standing == "final":
            return f"final ({self.method})"
        if standing == "not known":
            return "not known: the bank does not say how it came"
        until = self.returned_until if standing == "may go back" else self.claimed_until
        assert until is not None
        ends = "without an end" if until == date.max else f"until {until}"
        how = "how it came is not said" if self.method == "not said" else self.method
        return f"{standing} {ends} ({how})"


def finality(method: Method, booked: date) -> Finality:
    """Until when money of a method, booked on a day, can go back."""
    window = WINDOWS[method]
    ends = [span.end(booked) if span else None for span in (window.returned, window.claimed)]
    return Finality(method, *ends)


def _months_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year, first = day.year + years, month + 1
    last = (date(year + first // 12, first % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, first, min(day.day, last))
