"""The policy of a ledger: a document people read, versioned and approved in the store.

Shape   TOML text -> `Policy`; what is not said has the careful default (nothing is given away, nothing is
        booked unasked).
Units   amounts are decimal text in the currency they are listed under; kept as minor units. Shares of one
        are text or TOML numbers and are probabilities, not money.
Errors  `ConfigError` names the key and the allowed values; an unknown key is an error, never ignored.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from arsync.core.decisions import EvidenceClass, Reason
from arsync.core.matching.normalise import normalise_account
from arsync.core.matching.snapshot import MatchPolicy
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import ConfigError

AdjustmentKind = Literal[
    "cash discount", "small difference", "write-off", "deduction", "bad debt", "fee", "fx", "goodwill"
]
ADJUSTMENT_KINDS: tuple[AdjustmentKind, ...] = get_args(AdjustmentKind)
_POSTS = (Reason.SHORT_PAY.value, Reason.OVER_PAY.value, Reason.DEDUCTION.value)
ClosedPeriod = Literal["queue", "first open date"]
WriteBack = Literal["off", "note", "field"]
_NO_TAX = "NON"
_MOST_SPREAD_BP, _MOST_LATE_DAYS = 1_000, 10  # beyond these everything would be worth anything
_HUNDREDTHS = re.compile(r"\d{1,9}(\.\d{1,2})?", re.ASCII)

DEFAULT_TEXT = """\
# What arsync may do by itself in this ledger. Each applied version is kept;
# `arsync policy diff` shows what a change would change.

[match]
# Classes of evidence that may apply cash by themselves when the ledger is in `auto`:
# "reference", "remittance", "one item", "balance", "block", "set", "exchange"
automatic = ["reference", "remittance", "one item", "balance"]
alias_confirmations = 2   # clerk confirmations before a learned payer counts as known
wait_days = 0             # business days a receipt may wait for an advice
several = "queue"         # where several sets of items or customers fit: "queue" them, or "weigh" them and apply
                          # what outweighs all others together
posts = []                # differences that are booked by rule: "short-pay" and "deduction" stay open on their item,
                          # "over-pay" is kept on account
threshold = 0.98          # least probability to apply without a person
threshold_large = 0.995   # the same for large amounts

[match.large]             # from here on an amount is large
# USD = "50000.00"

[match.small_difference]  # largest difference given up without a person; nothing listed means zero
# USD = "0.50"
# percent = 1             # and at most so much of what was asked for

[match.given_up_a_year]   # the most that is given up so for one customer in a calendar year; not listed: no such limit
# USD = "5.00"

[match.most]              # a larger receipt is never applied without a person
# USD = "250000.00"

[match.exchange]          # money in another currency than the items: how much of their worth at the day's rate may be
                          # missing. Only with rates (`arsync rates import`), and alone only with "exchange" above
spread_bp = 120           # hundredths of a per cent that the bank kept
fee = "45.00"             # and a fee, in the receipt's currency
better_bp = 10            # how much better than the published one the bank's rate may be
unseen = "60.00"          # without an advice of what was sent, the most that could be short or over and not be seen,
                          # in the receipt's currency; beyond it a person confirms
late_days = 3             # business days that the bank may have booked it late

[do_not_accept]           # no money of these is applied or linked without a person
customers = []            # names as in the books; everybody below them too
accounts = []             # payers' bank accounts

[discount]
grace_days = 0            # days after the terms' discount date

[write_off]               # largest amount a clerk may write off; more needs a second person, a manager
# USD = "25.00"

[write_off_a_month]       # the most one person may give up alone in a calendar month; not listed: no such limit
# USD = "200.00"

[adjustments]             # document, account and tax of what is given up; a kind not mapped here goes to the queue
# "cash discount" = { product = "42" }
# "small difference" = { product = "43" }
# "write-off" = { product = "43", tax_code = "NON" }
# "fee" = { product = "44", account = "61" }   # the account carries fees that a bank or a payout keeps
# "deduction" = { product = "45" }
# "bad debt" = { product = "46" }             # never with a tax code: a lost debt does not by itself give tax back
# "fx" = { product = "47" }
# "goodwill" = { product = "48" }

[closed_period]
receipts = "queue"        # or "first open date": book a receipt dated in closed books on the first day that is open

[unproven_statement]
receipts = "queue"        # of a statement whose balances do not come out; or "apply": trust its readable lines

[write_back]
state = "off"             # "note": a tag in the private note of open items; "field": a custom field of ours
# field = "AR status"     # the custom field's name, with state = "field"

[quality]
one_in = 50               # of what is applied without a person, one in so many is shown to a clerk who does not see
                          # what was applied; 0: none
most_wrong = 50           # in 10,000: a class of evidence that is worse than that for certain (95 %) goes back to
                          # propose until a manager lifts it

[learning]
history = "use"           # statistics of this ledger's own customers: payers' names that clerks confirmed, and how late
                          # each usually pays; "ignore": confirmations teach nothing, the forecast goes by due dates
days = 730                # so long after its last confirmation a learned payer is forgotten

[unidentified]
at_period_end = "leave"   # or "book": receipts nobody could identify are booked to `account` at month end
# account = "96"
"""


@dataclass(frozen=True, slots=True)
class BookedAs:
    """Where an adjustment is booked.

    A credit memo names the platform's product (which carries the account) and tax code; what a bank or a payout
    keeps is booked straight to the account.
    """

    product: str | None
    tax_code: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The parsed document."""

    match: MatchPolicy = field(default_factory=MatchPolicy)
    given_up_a_year_minor: dict[str, int] = field(default_factory=dict)  # for one customer; absent = no limit
    never_customers: frozenset[str] = frozenset()
    never_accounts: frozenset[str] = frozenset()  # normalised
    write_off_minor: dict[str, int] = field(default_factory=dict)  # clerk's limit by currency; absent = zero
    write_off_a_month_minor: dict[str, int] = field(default_factory=dict)  # of one person; absent = no limit
    sample_one_in: int = 50  # automatic applications for each that is checked blind; 0 = none
    most_wrong_in_10_000: int = 50  # beyond it a class of evidence no longer applies by itself
    adjustments: dict[str, BookedAs] = field(default_factory=dict)
    unidentified: Literal["leave", "book"] = "leave"
    unidentified_account: str | None = None
    closed_period: ClosedPeriod = "queue"
    unproven_statement: Literal["queue", "apply"] = "queue"
    write_back: WriteBack = "off"
    write_back_field: str | None = None
    learns: bool = True

    @property
    def fee_account(self) -> str | None:
        """The platform's account for what a bank or a payout keeps."""
        booked = self.adjustments.get("fee")
        return booked.account if booked else None


def parse(text: str, where: str = "policy") -> Policy:
    """The policy a document states.

    Raises:
        ConfigError: not TOML, an unknown key, or a value that is not allowed.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"the policy is not valid TOML: {error}", where=where, do="correct the line named"
        ) from None
    reader = _Reader(where)
    reader.only(
        "",
        document,
        {
            "do_not_accept",
            "match",
            "discount",
            "write_off",
            "adjustments",
            "unidentified",
            "closed_period",
            "unproven_statement",
            "write_back",
            "learning",
            "quality",
            "write_off_a_month",
        },
    )
    match, discount = reader.table(document, "match"), reader.table(document, "discount")
    reader.only(
        "match",
        match,
        {
            "automatic",
            "alias_confirmations",
            "wait_days",
            "several",
            "posts",
            "threshold",
            "threshold_large",
            "large",
            "small_difference",
            "given_up_a_year",
            "most",
            "exchange",
        },
    )
    abroad = reader.table(match, "exchange")
    reader.only("match.exchange", abroad, {"spread_bp", "fee", "better_bp", "late_days", "unseen"})
    reader.only("discount", discount, {"grace_days"})
    refused = reader.table(document, "do_not_accept")
    reader.only("do_not_accept", refused, {"customers", "accounts"})
    unidentified = reader.table(document, "unidentified")
    reader.only("unidentified", unidentified, {"at_period_end", "account"})
    choice = reader.choice(unidentified, "unidentified.at_period_end", ("leave", "book"), "leave")
    account = unidentified.get("account")
    if choice == "book" and not account:
        raise reader.wrong(
            "unidentified.account", account, "the platform id of an account, because at_period_end is book"
        )
    closed, back = reader.table(document, "closed_period"), reader.table(document, "write_back")
    reader.only("closed_period", closed, {"receipts"})
    unproven = reader.table(document, "unproven_statement")
    reader.only("unproven_statement", unproven, {"receipts"})
    reader.only("write_back", back, {"state", "field"})
    learning = reader.table(document, "learning")
    reader.only("learning", learning, {"history", "days"})
    quality = reader.table(document, "quality")
    reader.only("quality", quality, {"one_in", "most_wrong"})
    state, own_field = reader.choice(back, "write_back.state", get_args(WriteBack), "off"), back.get("field")
    if state == "field" and not (isinstance(own_field, str) and own_field):
        raise reader.wrong(
            "write_back.field", own_field, "the name of a custom field, because state is field"
        )
    default = MatchPolicy()
    return Policy(
        match=MatchPolicy(
            automatic=reader.classes(match, default.automatic),
            alias_confirmations=reader.whole(
                match, "match.alias_confirmations", default.alias_confirmations, 1
            ),
            small_difference_minor=reader.amounts(match, "match.small_difference", but=("percent",)),
            small_difference_bp=100
            * reader.whole(reader.table(match, "small_difference"), "match.small_difference.percent", 100, 0),
            most_minor=reader.amounts(match, "match.most"),
            exchange_spread_bp=reader.whole(
                abroad, "match.exchange.spread_bp", default.exchange_spread_bp, 0, _MOST_SPREAD_BP
            ),
            exchange_fee_hundredths=reader.hundredths(
                abroad, "match.exchange.fee", default.exchange_fee_hundredths
            ),
            exchange_unseen_hundredths=reader.hundredths(
                abroad, "match.exchange.unseen", default.exchange_unseen_hundredths
            ),
            exchange_better_bp=reader.whole(
                abroad, "match.exchange.better_bp", default.exchange_better_bp, 0, _MOST_SPREAD_BP
            ),
            exchange_days=reader.whole(
                abroad, "match.exchange.late_days", default.exchange_days, 0, _MOST_LATE_DAYS
            ),
            discount_grace_days=reader.whole(discount, "discount.grace_days", 0, 0),
            alias_days=reader.whole(learning, "learning.days", default.alias_days, 1),
            wait_days=reader.whole(match, "match.wait_days", default.wait_days, 0),
            weighed=reader.choice(match, "match.several", ("queue", "weigh"), "queue") == "weigh",
            posts=reader.some(match, "match.posts", _POSTS),
            threshold=reader.share(match, "match.threshold", default.threshold),
            threshold_large=reader.share(match, "match.threshold_large", default.threshold_large),
            large_minor=reader.amounts(match, "match.large"),
        ),
        given_up_a_year_minor=reader.amounts(match, "match.given_up_a_year"),
        never_customers=reader.names(refused, "do_not_accept.customers"),
        never_accounts=frozenset(map(normalise_account, reader.names(refused, "do_not_accept.accounts"))),
        write_off_minor=reader.amounts(document, "write_off"),
        write_off_a_month_minor=reader.amounts(document, "write_off_a_month"),
        sample_one_in=reader.whole(quality, "quality.one_in", 50, 0),
        most_wrong_in_10_000=reader.whole(quality, "quality.most_wrong", 50, 0),
        adjustments=reader.mappings(reader.table(document, "adjustments")),
        unidentified=choice,  # type: ignore[arg-type]  # `choice` returns one of the two
        unidentified_account=str(account) if account else None,
        closed_period=reader.choice(closed, "closed_period.receipts", get_args(ClosedPeriod), "queue"),  # type: ignore[arg-type]  # `choice` returns one of the two
        unproven_statement=reader.choice(
            unproven, "unproven_statement.receipts", ("queue", "apply"), "queue"
        ),  # type: ignore[arg-type]  # `choice` returns one of the two
        write_back=state,  # type: ignore[arg-type]  # `choice` returns one of the three
        write_back_field=own_field if state == "field" else None,
        learns=reader.choice(learning, "learning.history", ("use", "ignore"), "use") == "use",
    )


class _Reader:
    """Reads values of one document; every error names the key."""

    def __init__(self, where: str) -> None:
        self.where = where

    def wrong(self, key: str, value: object, allowed: str) -> ConfigError:
        return ConfigError(
            f"{key} is {value!r}; allowed: {allowed}", where=self.where, do=f"correct {key} and apply again"
        )

    def only(self, prefix: str, table: Mapping[str, Any], allowed: set[str]) -> None:
        for key in table:
            if key not in allowed:
                name = f"{prefix}.{key}" if prefix else key
                raise ConfigError(
                    f"{name} is not a setting; allowed here: {', '.join(sorted(allowed))}",
                    where=self.where,
                    do="check the spelling",
                )

    def table(self, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        found = document.get(key, {})
        if not isinstance(found, dict):
            raise self.wrong(key, found, "a table")
        return found

    def whole(
        self, table: Mapping[str, Any], key: str, default: int, least: int, most: int | None = None
    ) -> int:
        value = table.get(key.rpartition(".")[2], default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, value, f"a whole number from {least}")
        if most is not None and value > most:
            raise self.wrong(key, value, f"a whole number from {least} to {most}")
        return value

    def hundredths(self, table: Mapping[str, Any], key: str, default: int) -> int:
        """An amount of whichever currency, in hundredths of its unit."""
        value = table.get(key.rpartition(".")[2])
        if value is None:
            return default
        if not isinstance(value, str) or _HUNDREDTHS.fullmatch(value) is None:
            raise self.wrong(key, value, 'an amount in quotes with two digits at most, like "45.00"')
        whole, _, part = value.partition(".")
        return int(whole) * 100 + int(part.ljust(2, "0"))

    def share(self, table: Mapping[str, Any], key: str, default: float) -> float:
        value = table.get(key.rpartition(".")[2], default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
            raise self.wrong(key, value, "a number above 0 and up to 1")
        return float(value)

    def choice(self, table: Mapping[str, Any], key: str, allowed: tuple[str, ...], default: str) -> str:
        value = table.get(key.rpartition(".")[2], default)
        if value not in allowed:
            raise self.wrong(key, value, ", ".join(allowed))
        return str(value)

    def amounts(self, document: Mapping[str, Any], key: str, but: Sequence[str] = ()) -> dict[str, int]:
        result = {}
        table = self.table(document, key.rpartition(".")[2])
        for currency, value in table.items():
            if currency in but:
                continue
            if not isinstance(value, str):
                raise self.wrong(f"{key}.{currency}", value, 'an amount in quotes, like "25.00"')
            try:
                amount = Money.of(value, currency)
            except AmountUnreadable as why:
                raise self.wrong(f"{key}.{currency}", value, f'an amount like "25.00" ({why.why})') from None
            if amount.minor < 0:
                raise self.wrong(f"{key}.{currency}", value, "zero or more")
            result[currency] = amount.minor
        return result

    def classes(self, match: Mapping[str, Any], default: frozenset[str]) -> frozenset[str]:
        value = match.get("automatic")
        allowed = [c.value for c in EvidenceClass if c not in (EvidenceClass.NONE, EvidenceClass.PARTIAL)]
        if value is None:
            return default
        if not isinstance(value, list) or any(name not in allowed for name in value):
            raise self.wrong("match.automatic", value, "a list of " + ", ".join(allowed))
        return frozenset(value)

    def some(self, table: Mapping[str, Any], key: str, allowed: Sequence[str]) -> frozenset[str]:
        value = table.get(key.rpartition(".")[2], [])
        if not isinstance(value, list) or any(name not in allowed for name in value):
            raise self.wrong(key, value, "a list of " + ", ".join(allowed))
        return frozenset(value)

    def names(self, table: Mapping[str, Any], key: str) -> frozenset[str]:
        value = table.get(key.rpartition(".")[2], [])
        if not isinstance(value, list) or not all(isinstance(name, str) and name.strip() for name in value):
            raise self.wrong(key, value, "a list of names in quotes")
        return frozenset(value)

    def mappings(self, table: Mapping[str, Any]) -> dict[str, BookedAs]:
        self.only("adjustments", table, set(ADJUSTMENT_KINDS))
        result = {}
        for kind, value in table.items():
            shape = '{ product = "platform id", tax_code = "optional", account = "platform id" }'
            if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
                raise self.wrong(f"adjustments.{kind}", value, shape)
            self.only(f"adjustments.{kind}", value, {"product", "tax_code", "account"})
            if "product" not in value and (kind != "fee" or "account" not in value):
                raise self.wrong(f"adjustments.{kind}", value, shape)
            if kind == "bad debt" and value.get("tax_code") not in (None, _NO_TAX):
                # The law of most countries asks for more than a lost debt before tax paid may be claimed back.
                raise self.wrong(f"adjustments.{kind}.tax_code", value["tax_code"], f"none, or {_NO_TAX}")
            result[kind] = BookedAs(value.get("product"), value.get("tax_code"), value.get("account"))
        return result


def with_mapping(text: str, kind: AdjustmentKind, booked: BookedAs) -> str:
    """The policy text with one adjustment mapped anew; everything else, comments too, stays as it is.

    Raises:
        ConfigError: the text is written so that one line cannot be changed safely.
    """
    said = [("product", booked.product), ("tax_code", booked.tax_code), ("account", booked.account)]
    values = ", ".join(f"{name} = {json.dumps(value)}" for name, value in said if value is not None)
    ours = f'"{kind}" = {{ {values} }}'
    old = re.compile(rf'\s*["\']?{re.escape(kind)}["\']?\s*=')
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if re.match(r"\s*\[adjustments\]", line)), None)
    if start is None:
        lines += ["", "[adjustments]"]
        start = len(lines) - 1
    end = next((n for n in range(start + 1, len(lines)) if re.match(r"\s*\[", lines[n])), len(lines))
    kept = [line for line in lines[start + 1 : end] if not old.match(line)]
    changed = "\n".join([*lines[: start + 1], ours, *kept, *lines[end:]]) + "\n"
    try:
        after = parse(changed)
    except ConfigError:
        after = None
    if after != replace(parse(text), adjustments={**parse(text).adjustments, kind: booked}):
        raise ConfigError(
            f"the mapping of {kind!r} cannot be changed in this policy by itself",
            where="[adjustments]",
            do="edit it: arsync policy show > policy.toml, then arsync policy apply policy.toml",
        )
    return changed
