"""The policy of a ledger: a document people read, versioned and approved in the store.

Shape   TOML text -> `Policy`; what is not said has the careful default (nothing is given away, nothing is
        booked unasked).
Units   amounts are decimal text in the currency they are listed under; kept as minor units. Shares of one
        are text or TOML numbers and are probabilities, not money.
Errors  `ConfigError` names the key and the allowed values; an unknown key is an error, never ignored.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from arsync.core.decisions import EvidenceClass, Reason
from arsync.core.matching.snapshot import MatchPolicy
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import ConfigError

AdjustmentKind = Literal["cash discount", "small difference", "write-off"]
ADJUSTMENT_KINDS: tuple[AdjustmentKind, ...] = get_args(AdjustmentKind)
_POSTS = (Reason.SHORT_PAY.value, Reason.OVER_PAY.value, Reason.DEDUCTION.value)

DEFAULT_TEXT = """\
# What arsync may do by itself in this ledger. Each applied version is kept;
# `arsync policy diff` shows what a change would change.

[match]
# Classes of evidence that may apply cash by themselves when the ledger is in `auto`:
# "reference", "remittance", "one item", "balance", "block", "set"
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

[discount]
grace_days = 0            # days after the terms' discount date

[write_off]               # largest amount a clerk may write off; more needs a second person, a manager
# USD = "25.00"

[adjustments]             # document, account and tax of what is given up; a kind not mapped here goes to the queue
# "cash discount" = { product = "42" }
# "small difference" = { product = "43" }
# "write-off" = { product = "43", tax_code = "NON" }

[unidentified]
at_period_end = "leave"   # or "book": receipts nobody could identify are booked to `account` at month end
# account = "96"
"""


@dataclass(frozen=True, slots=True)
class BookedAs:
    """Where an adjustment is booked: the platform's product (which carries account) and tax code."""

    product: str
    tax_code: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The parsed document."""

    match: MatchPolicy = field(default_factory=MatchPolicy)
    write_off_minor: dict[str, int] = field(default_factory=dict)  # clerk's limit by currency; absent = zero
    adjustments: dict[str, BookedAs] = field(default_factory=dict)
    unidentified: Literal["leave", "book"] = "leave"
    unidentified_account: str | None = None


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
    reader.only("", document, {"match", "discount", "write_off", "adjustments", "unidentified"})
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
        },
    )
    reader.only("discount", discount, {"grace_days"})
    unidentified = reader.table(document, "unidentified")
    reader.only("unidentified", unidentified, {"at_period_end", "account"})
    choice = reader.choice(unidentified, "unidentified.at_period_end", ("leave", "book"), "leave")
    account = unidentified.get("account")
    if choice == "book" and not account:
        raise reader.wrong(
            "unidentified.account", account, "the platform id of an account, because at_period_end is book"
        )
    default = MatchPolicy()
    return Policy(
        match=MatchPolicy(
            automatic=reader.classes(match, default.automatic),
            alias_confirmations=reader.whole(
                match, "match.alias_confirmations", default.alias_confirmations, 1
            ),
            small_difference_minor=reader.amounts(match, "match.small_difference"),
            discount_grace_days=reader.whole(discount, "discount.grace_days", 0, 0),
            wait_days=reader.whole(match, "match.wait_days", default.wait_days, 0),
            weighed=reader.choice(match, "match.several", ("queue", "weigh"), "queue") == "weigh",
            posts=reader.some(match, "match.posts", _POSTS),
            threshold=reader.share(match, "match.threshold", default.threshold),
            threshold_large=reader.share(match, "match.threshold_large", default.threshold_large),
            large_minor=reader.amounts(match, "match.large"),
        ),
        write_off_minor=reader.amounts(document, "write_off"),
        adjustments=reader.mappings(reader.table(document, "adjustments")),
        unidentified=choice,  # type: ignore[arg-type]  # `choice` returns one of the two
        unidentified_account=str(account) if account else None,
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

    def whole(self, table: Mapping[str, Any], key: str, default: int, least: int) -> int:
        value = table.get(key.rpartition(".")[2], default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, value, f"a whole number from {least}")
        return value

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

    def amounts(self, document: Mapping[str, Any], key: str) -> dict[str, int]:
        result = {}
        for currency, value in self.table(document, key.rpartition(".")[2]).items():
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

    def mappings(self, table: Mapping[str, Any]) -> dict[str, BookedAs]:
        self.only("adjustments", table, set(ADJUSTMENT_KINDS))
        result = {}
        for kind, value in table.items():
            if not isinstance(value, dict) or not isinstance(value.get("product"), str):
                raise self.wrong(
                    f"adjustments.{kind}", value, '{ product = "platform id", tax_code = "optional" }'
                )
            self.only(f"adjustments.{kind}", value, {"product", "tax_code"})
            result[kind] = BookedAs(value["product"], value.get("tax_code"))
        return result
