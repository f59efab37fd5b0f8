"""From what is asked to what one document of a platform can do: the same effect in more, smaller steps.

A decision settles debits with cash and credits at once, as one document does where the platform has such a document. A
platform that applies each credit to one item by itself says so in its manifest (`Writes.within`); then each pair of
credit and item becomes an intent of its own, and the cash settles what is left.

Law     per item and in cash the fitted intents amount to what was asked, to the minor unit. Which credit meets which
        item follows from their order: a given-up amount meets its own item, the rest meet in the order they stand.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from arsync.connectors import registry
from arsync.connectors.contract import (
    ApplyCredits,
    ApplyPayment,
    Intent,
    PostCredit,
    PostEntry,
    PostReceipt,
    Ref,
    Settle,
    Verb,
    Writes,
)
from arsync.core.money import Money
from arsync.errors import Broken
from arsync.store import office
from arsync.store.engine import Tx
from arsync.store.office import Ledger


def takes(conn: Tx, ledger: Ledger, verb: Verb) -> bool:
    """Whether the ledger's platform knows a verb."""
    return verb in _writes(conn, ledger)


def exchanges(conn: Tx, ledger: Ledger) -> bool:
    """Whether a receipt may settle items in another currency than it arrived in."""
    return "exchange" in _writes(conn, ledger)["post_receipt"].within


def _writes(conn: Tx, ledger: Ledger) -> Mapping[Verb, Writes]:
    platform = office.connection_row(conn, ledger.connection_id).platform
    return registry.load(platform).manifest.writes


def fitter(conn: Tx, ledger: Ledger) -> Callable[[Sequence[Intent]], tuple[Intent, ...]]:
    """What makes intents such as the ledger's platform takes; asked once for many decisions."""
    writes = _writes(conn, ledger)
    return lambda wanted: fit(wanted, writes, ledger.home_currency)


def fitted(conn: Tx, ledger: Ledger, wanted: Sequence[Intent]) -> tuple[Intent, ...]:
    """The intents as the ledger's platform takes them."""
    return fitter(conn, ledger)(wanted)


def fit(wanted: Sequence[Intent], writes: Mapping[Verb, Writes], home: str) -> tuple[Intent, ...]:
    """The intents in steps that each are one document; see the module."""
    fitting = _Fitting(wanted, writes, home)
    for number, intent in enumerate(wanted):
        fitting.take(number, intent)
    return tuple(fitting.made)


@dataclass(slots=True)
class _Left:
    """What is left of a debit or credit while they meet; without sign."""

    settle: Settle
    size: Money


@dataclass(slots=True)
class _Fitting:
    wanted: Sequence[Intent]
    writes: Mapping[Verb, Writes]
    home: str
    made: list[Intent] = field(default_factory=list)
    now_at: dict[int, int] = field(default_factory=dict)  # where an asked intent stands now

    def take(self, number: int, intent: Intent) -> None:
        if isinstance(intent, PostReceipt) and not self._may("post_receipt", "credits"):
            self._receipt(intent)
        elif isinstance(intent, ApplyCredits) and not intent.entries_of and not self._may("apply", "credits"):
            self._credits(intent)
        elif isinstance(intent, ApplyPayment) and self._moves(intent) and not self._may("apply", "frees"):
            return  # the entry before it is what is owed; the payment stays what it was
        else:
            self._add(number, intent)

    def _may(self, verb: Verb, what: str) -> bool:
        return verb not in self.writes or what in self.writes[verb].within

    def _moves(self, intent: ApplyPayment) -> bool:
        after_entry = any(isinstance(one, PostEntry) for one in self.wanted)
        return after_entry and bool(intent.frees or intent.entries_of)

    def _add(self, number: int, intent: Intent) -> None:
        if isinstance(intent, PostReceipt | ApplyCredits) and intent.credits_of:
            intent = replace(intent, credits_of=tuple(self.now_at[one] for one in intent.credits_of))
        self.now_at[number] = len(self.made)
        self.made.append(intent)

    def _receipt(self, intent: PostReceipt) -> None:
        rest = self._met(intent)
        settles = tuple(Settle(one.settle.item, one.size) for one in rest if one.size)
        cash = replace(intent, settles=settles, credits_of=())
        abroad = intent.total.currency != self.home or intent.banked is not None
        foreign = abroad and not self._may("post_receipt", "foreign")
        some_is_left = sum(settle.amount.minor for settle in settles) != intent.total.minor
        if not foreign or not settles or some_is_left:
            self.made.append(cash)
            return
        weights = [settle.amount.minor for settle in settles]
        banked = [None] * len(settles) if intent.banked is None else intent.banked.allot(weights)
        for settle, shown in zip(settles, banked, strict=True):
            self.made.append(replace(cash, total=settle.amount, settles=(settle,), banked=shown))

    def _credits(self, intent: ApplyCredits) -> None:
        rest = self._met(intent)
        if any(one.size for one in rest):
            raise Broken("credits do not amount to what they settle")

    def _met(self, intent: PostReceipt | ApplyCredits) -> list[_Left]:
        """Let the credits meet the debits; what is left of the debits."""
        debits = [_Left(s, s.amount) for s in intent.settles if s.amount.minor > 0]
        for number in intent.credits_of:
            self._given_up(intent, number, debits)
        for settle in (s for s in intent.settles if s.amount.minor < 0):
            self._used(intent, _Left(settle, -settle.amount), debits)
        return debits

    def _given_up(self, intent: PostReceipt | ApplyCredits, number: int, debits: list[_Left]) -> None:
        credit = self.wanted[number]
        assert isinstance(credit, PostCredit)
        own = next((one for one in debits if one.settle.item == credit.for_item), None)
        if own is None or own.size.minor < credit.amount.minor:
            raise Broken(f"{credit.what} of {credit.amount.text()} finds no item to meet")
        own.size = own.size - credit.amount
        given = (Settle(own.settle.item, credit.amount),)
        self.made.append(ApplyCredits(intent.customer, intent.on, given, (self.now_at[number],)))

    def _used(self, intent: PostReceipt | ApplyCredits, credit: _Left, debits: list[_Left]) -> None:
        parts: list[Settle] = []
        for debit in debits:
            met = min(debit.size.minor, credit.size.minor)
            if met:
                part = Money(met, credit.size.currency)
                debit.size, credit.size = debit.size - part, credit.size - part
                parts.append(Settle(debit.settle.item, part))
        if credit.size:
            raise Broken(f"{credit.settle.item.id} is more than what it is to settle")
        self._pairs(intent, credit.settle.item, parts)

    def _pairs(self, intent: PostReceipt | ApplyCredits, credit: Ref, parts: Sequence[Settle]) -> None:
        if credit.kind == "payment":
            self.made.append(ApplyPayment(credit, tuple(parts)))
            return
        for part in parts:
            pair = (part, Settle(credit, -part.amount))
            self.made.append(ApplyCredits(intent.customer, intent.on, pair))
