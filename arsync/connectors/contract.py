"""What a connector is: a manifest of values and six verbs.

A connector translates between one platform and the nouns of `arsync.core`. It chooses no item and no amount, keeps no
state of its own and reads no clock: what it needs is handed in as `Ports`. `docs/decisions/` tells what real platforms
changed in the first sketch of this page.

Errors  `pull`, `probe`, `totals` and `find` raise `PlatformBusy`, `PlatformRefused` or `ConsentLost`
        (arsync.errors); an empty page is a proven empty page. A value that cannot be read is `Unreadable`,
        which is data. `send` never raises for one call: its answer says `refused`, `stale` or `unknown`; it
        raises `ConsentLost` or `Unreachable` only before anything left.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Literal, Protocol

from arsync.core.items import Account, Books, Customer, OpenItem, Payment, Product, Terms
from arsync.core.money import Money

Kind = Literal["customer", "item", "payment", "terms", "account", "product", "books", "bank_line"]
Verb = Literal[
    "post_receipt",
    "apply",
    "post_credit",
    "post_entry",
    "refund",
    "deposit",
    "park",
    "reverse",
    "note",
    "expect",
]
Value = Customer | OpenItem | Payment | Terms | Account | Product | Books


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A platform's own name of a thing: ("item", "Invoice:157")."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Reads:
    """How one kind can be read."""

    by: frozenset[Literal["changes", "window", "full", "ids"]]
    gone: Literal["feed", "flag", "audit", "absence", "never"]  # how a deletion shows
    applications: Literal["explicit", "inferred", "none"]
    overlap_s: int  # a cursor steps back this far


@dataclass(frozen=True, slots=True)
class Writes:
    """How one verb is written; an absent verb cannot be done."""

    route: Literal["direct", "file", "worklist"]
    target: Literal["line", "item", "customer"]  # finest thing that may be named
    bundle: Literal["intent", "receipt", "batch"]  # what shares one call sequence
    retry: Literal["same_key", "after_find", "never"]
    key_ttl_s: int | None
    find: Literal["ask", "pull"]
    marker: tuple[str, int] | None  # field and width that carry our key
    undo: Literal["delete", "void", "reverse", "none"]
    atomic: bool
    calls_per_send: int
    late_s: int = 0  # so long after it left, a request that several calls shared may still take effect
    # What one document of this verb may do besides settling items with its own money: use up credits, settle several
    # items in another currency than the books' own, let go of what it settled, keep a rest on the customer's account.
    # What it may not is asked for apart; a receipt with a rest takes several calls then, and a person to take it back.
    # "exchange": its money may have arrived in another currency than what it settles; nothing else stands for that.
    within: frozenset[Literal["credits", "exchange", "foreign", "frees", "rest"]] = frozenset(
        {"credits", "foreign", "frees", "rest"}
    )
    shown: Literal["pull", "answer"] = (
        "pull"  # what shows that it stands: the next pull, or nothing after its answer
    )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a platform can do, as values."""

    name: str
    reads: Mapping[Kind, Reads]
    writes: Mapping[Verb, Writes]
    # "document": the platform also lists the open documents behind a customer's total
    totals: frozenset[Literal["customer", "ledger", "document"]]


# ---- reading


@dataclass(frozen=True, slots=True)
class Record:
    """One thing as the platform states it now. `raw` is the exact text received for this record (UTF-8 JSON)."""

    ref: Ref
    raw: bytes
    value: Value
    # the platform's own last-changed stamp, as sent; for people and echoes, not for ordering by itself
    changed: str = ""
    version: str = ""  # the platform's version of the record (SyncToken)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record, or a field of one, that cannot be read; becomes a queue item with the raw value."""

    ref: Ref
    raw: bytes
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A record that exists no more (deleted), proven: never a mere claim of the feed."""

    ref: Ref
    changed: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One stored step of a pull: after it is stored, `cursor` may be kept and a later pull resumes there.

    `cursor` None means "not a place to resume from" (more pages of the same step follow).
    `whole` True means this pull lists every record of `kinds` from the first page to this one: only then
    absence means deletion,
    and `present` names the kinds that are complete.
    """

    records: tuple[Record, ...]
    unreadable: tuple[Unreadable, ...] = ()
    gone: tuple[Gone, ...] = ()
    cursor: str | None = None
    whole: frozenset[Kind] = frozenset()
    server_time: str = ""
    note: str = ""  # what a person should see while it runs: "Invoice 1,000 of 2,350"
    unknown: frozenset[str] = frozenset()  # properties nobody announced: "Invoice.Mood"; kept in `raw` only
    rest: bool = False  # the feed is at rest here: without changes, only time has moved the cursor


@dataclass(frozen=True, slots=True)
class Pull:
    """What to read: everything changed since `cursor`; None is a first load. `full` asks for a full load again.

    `known` answers which platform ids of a kind the store holds as present, so that a full load can find the
    missing ones.
    """

    cursor: str | None
    full: bool = False
    known: Callable[[Kind], frozenset[str]] = lambda _kind: frozenset()


@dataclass(frozen=True, slots=True)
class Total:
    """The platform's own figure of what is open: per customer (platform id) or for the whole ledger (customer None)."""

    customer: str | None
    amount: Money
    source: str  # "AgedReceivables 2026-11-22", "account 84 Accounts Receivable (A/R)"


@dataclass(frozen=True, slots=True)
class Document:
    """One open document behind a customer's total, in the platform's own words and figures."""

    customer: str  # platform id
    ref: Ref | None  # None: of a kind this connector does not read
    name: str  # "Deposit 30 of 2026-11-20"
    open: Money


@dataclass(frozen=True, slots=True)
class Probe:
    """What signing in showed: the books, what may be done, warnings for people."""

    books: Books
    can: frozenset[Verb]
    warnings: tuple[str, ...] = ()
    clock_skew_s: int | None = None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """How a platform says by itself that something changed; a connector whose platform does has `webhooks()`."""

    header: str  # the one with the signature
    signed: Callable[[bytes, str, str], bool]  # body, signature, the app's key
    companies: Callable[[bytes], frozenset[str] | None]  # whose books changed; None: it cannot be told


# ---- writing


@dataclass(frozen=True, slots=True)
class Settle:
    """That much of one open item is settled; positive for what is owed, negative for a credit used up."""

    item: Ref  # kind "item" or "payment"; id as pulled
    amount: Money


@dataclass(frozen=True, slots=True)
class PostReceipt:
    """Book money that arrived: law: total + used credits == settled debits + left unapplied on the customer's account.

    `settles` holds debits and credits. `credits_of` numbers earlier `PostCredit` intents of the same bundle
    whose whole amount is used up too.
    """

    customer: Ref
    on: date
    total: Money
    settles: tuple[Settle, ...]
    credits_of: tuple[int, ...] = ()
    reference: str = ""  # what the bank line calls itself; shown in the books
    # platform id of the bank account, or None for the platform's own waiting account
    deposit_account: str | None = None
    grouped: bool = (
        False  # one of several receipts of a bank line: it waits until they go to the bank as that line
    )
    banked: Money | None = (
        None  # what the bank line shows, where the account has another currency than `total`
    )


@dataclass(frozen=True, slots=True)
class ApplyCredits:
    """Settle debits with credits, no cash: amounts, `credits_of` and `entries_of` add up to zero.

    `entries_of` numbers earlier `PostEntry` intents of the bundle, whose whole receivable line is settled. An
    unapplied payment may stand among `settles` (kind "payment", negative): where the platform lets its own record
    not be changed, a document without cash uses it up.
    """

    customer: Ref
    on: date
    settles: tuple[Settle, ...]
    credits_of: tuple[int, ...] = ()
    entries_of: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplyPayment:
    """Use the unapplied part of a payment that the platform already holds.

    `entries_of` numbers earlier `PostEntry` intents of the bundle, whose whole receivable line is settled too;
    `frees` is taken off the payment first, in the same call, so that no moment shows it half moved.
    """

    payment: Ref
    settles: tuple[Settle, ...]
    entries_of: tuple[int, ...] = ()
    frees: tuple[Settle, ...] = ()


@dataclass(frozen=True, slots=True)
class PostCredit:
    """Give up part of an item: cash discount, small difference, write-off, fee.

    A document of the platform, mapped by policy.
    """

    customer: Ref
    on: date
    amount: Money  # positive
    product: str  # platform id of the product or service that carries account and tax
    tax_code: str | None
    what: str  # "cash discount", "small difference" ... shown in the books
    for_item: Ref


@dataclass(frozen=True, slots=True)
class PostEntry:
    """Book money that left a bank account on a day: the bank gave a payment back, or a refund was paid.

    The customer owes `amount` again on `receivable`; `fee` (0 or more) is the bank's, carried by `fee_account`;
    `bank_account` loses both. The entry itself settles nothing.
    """

    customer: Ref
    on: date
    amount: Money  # positive
    receivable: str  # platform id of the receivable control account of this currency
    bank_account: str  # platform id
    what: str  # "returned payment", "refund" ... shown in the books
    reference: str
    fee: Money | None = None
    fee_account: str | None = None  # platform id


@dataclass(frozen=True, slots=True)
class PostRefund:
    """Book money that was paid back out of one credit: the bank account loses it, the credit is used up by as much.

    Asked only of a platform that has such a document (verb "refund"); elsewhere a `PostEntry` is settled by the credit.
    """

    customer: Ref
    on: date
    amount: Money  # positive
    credit: Ref  # kind "item" (a credit memo) or "payment" (its unapplied part)
    bank_account: str  # platform id
    reference: str


@dataclass(frozen=True, slots=True)
class Banked:
    """One payment of a bank deposit, whole."""

    payment: Ref
    amount: Money


@dataclass(frozen=True, slots=True)
class PostDeposit:
    """Bring several payments out of the waiting account to the bank as the one line the bank shows.

    Law: sum of `payments` - `fee` == `total`, the bank line; nothing of them is left in the waiting account.
    """

    on: date
    total: Money
    deposit_account: str  # platform id of the bank account
    payments: tuple[Banked, ...]
    reference: str
    fee: Money | None = None
    fee_account: str | None = None  # platform id


@dataclass(frozen=True, slots=True)
class SetNote:
    """Say on the item, for the people of the books, what arsync knows of it; never where the customer reads it.

    `text` empty takes the note away. `where` None is the private note, in which only our own tag is replaced; else
    the name of a custom field that is ours alone.
    """

    item: Ref
    text: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class SetExpected:
    """Say on the item on which day its money is expected; None takes the day away.

    Asked only of a platform whose items carry such a day (verb "expect"); elsewhere the note alone says it.
    """

    item: Ref
    on: date | None


@dataclass(frozen=True, slots=True)
class Reverse:
    """Take back what we wrote.

    `written` is the ref an earlier command created (payment, credit memo) or, for an `ApplyPayment`, the payment
    whose `settles` are to be taken off again (then `settles` is not empty).
    """

    written: Ref
    settles: tuple[Settle, ...] = ()


@dataclass(frozen=True, slots=True)
class Park:
    """Book money of an unknown payer to a waiting account, so that the bank agrees at period end; no receivable moves.

    When the payer is known, the receipt is posted with the waiting account as its `deposit_account`: that empties
    it, and nothing in a closed period is touched.
    """

    on: date
    total: Money
    account: str  # platform id of the waiting account
    deposit_account: str  # platform id of the bank account
    reference: str


Intent = (
    PostReceipt
    | ApplyCredits
    | ApplyPayment
    | PostCredit
    | PostEntry
    | PostRefund
    | PostDeposit
    | Park
    | SetNote
    | SetExpected
    | Reverse
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The intents that one call sequence carries, in order.

    `key` is our stable name of the bundle, unique per installation and short (at most 24 characters of [a-z0-9-]);
    `generation` counts how often it was decided anew. Both go into the request key and into the marker that the
    platform keeps.
    """

    key: str
    generation: int
    intents: tuple[Intent, ...]


@dataclass(frozen=True, slots=True)
class Fresh:
    """The newest stored raw record of everything a bundle touches."""

    raw: Mapping[Ref, bytes]
    books: Books


@dataclass(frozen=True, slots=True)
class Call:
    """One request, exact to the byte, stored before the first byte leaves."""

    number: int  # of the intent it carries out
    verb: Verb
    key: str  # the platform's idempotency key
    method: str
    path: str  # below the platform's base, with query, without key
    body: bytes
    # facts the answer must show, as text: {"TotalAmt": "100.00"}
    expects: Mapping[str, str] = field(default_factory=dict)
    again: bool = False  # it has left before: its answer may tell of something that is no more


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one call. `unknown`: nobody can tell; `find` before anything is sent again."""

    call: Call
    outcome: Literal["accepted", "refused", "stale", "unknown"]
    ref: Ref | None  # what the call created or changed
    raw: bytes = b""  # the answer's body
    why: str = ""
    code: str = ""  # the platform's own error code
    records: tuple[Record, ...] = ()  # what the answer shows of the platform's new state, already read


@dataclass(frozen=True, slots=True)
class Found:
    """Whether a call's effect exists: found by marker and facts, never by marker alone."""

    state: Literal["present", "absent", "differs", "unclear"]
    ref: Ref | None = None
    difference: str = ""


@dataclass(frozen=True, slots=True)
class Cannot:
    """Why a bundle cannot be carried out, and what to do instead."""

    reason: str
    code: Literal[
        "closed_period", "currency_mismatch", "unmapped_adjustment", "stale", "unsupported", "too_long"
    ]


# ---- ports and the contract


@dataclass(frozen=True, slots=True)
class Tokens:
    """What signing in gave us. Never logged, never in a repr."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    access_until: datetime
    refresh_until: datetime | None = None  # ends sooner when it is not used
    hard_until: datetime | None = None  # ends whatever we do: a person must consent again
    renewed_at: datetime | None = None
    scope: str = ""  # what was granted, where the platform says so; words apart by spaces


class TokenStore(Protocol):
    """Where tokens live; `exclusive` holds the one lock per connection, across processes.

    While a refresh is under way.
    """

    def load(self) -> Tokens:
        """The newest tokens; `ConsentLost` when there are none."""
        ...

    def save(self, tokens: Tokens) -> None:
        """Keep new tokens; returns only when they are durable."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the connection's token lock, across processes."""
        ...


class Meter(Protocol):
    """Counts what a platform charges or limits."""

    def count(self, what: str, number: int = 1) -> None:
        """Count something."""
        ...


class Pace(Protocol):
    """How fast requests of one account may leave."""

    concurrent: int

    def turn(self, path: str) -> AbstractContextManager[None]:
        """One request's turn; it may leave when the block begins."""
        ...


class Paces(Protocol):
    """The paces of one process: whoever names the same account gets the same one."""

    def of(self, account: str, make: Callable[[], Pace]) -> Pace:
        """The account's pace, made at its first mention."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What a connector is given."""

    tokens: TokenStore
    meter: Meter
    now: Callable[[], datetime]  # aware, UTC
    sleep: Callable[[float], None]
    client_id: str
    client_secret: str = field(repr=False)
    # What a person types to sign in again, for errors.
    reconnect: str = "arsync connect quickbooks"
    paces: Paces | None = None  # without, a connector keeps a pace of its own


class Connector(Protocol):
    """Six verbs. Constructing one does no I/O."""

    manifest: ClassVar[Manifest]
    # frozen dataclass, JSON-serialisable fields, no secrets; its `company` (ClassVar) names the field that says whose
    # books they are, its field `app`, if there is one, which of the installation's apps signs in; `kept` (ClassVar, if
    # there is one) names fields that stay as they were when a person signs in again and says nothing of them
    Settings: ClassVar[type]

    def __init__(self, settings: Any, ports: Ports) -> None: ...  # noqa: ANN401 - each its own Settings

    def close(self) -> None:
        """Let go of connections; the connector is not used again."""
        ...

    def probe(self) -> Probe:
        """Sign in and look: the books, what may be done, what to warn of."""
        ...

    def pull(self, want: Pull) -> Iterator[Page]:
        """Everything that changed since the cursor, page by page; raises, never an empty page for an error."""
        ...

    def plan(self, bundle: Bundle, fresh: Fresh, done: Sequence[Answer]) -> Call | Cannot | None:
        """The next call of the bundle after `done` (accepted answers, in order); None when finished. Pure.

        An intent may take several calls; the answers to all of them name the same record.
        """
        ...

    def send(self, calls: Sequence[Call]) -> Iterator[Answer]:
        """One answer a call, in their order; a lost answer is "unknown".

        Calls handed in together (at most `Writes.calls_per_send`) may share one request, with a key of its own:
        before one of them is sent again by itself, `Writes.late_s` must have passed and `find` must say "absent".
        """
        ...

    def find(self, call: Call) -> Found:
        """What became of a call whose answer was lost; never writes."""
        ...

    def fetch(self, refs: Sequence[Ref]) -> Page:
        """Read these records now (for a stale version); missing ones come back in `gone`."""
        ...

    def totals(self, as_of: date, foreign: frozenset[str] = frozenset()) -> tuple[Total, ...]:
        """What the platform says is open, per customer, on a day.

        Customers in `foreign` (platform ids) owe in another currency than the books' own; they are stated in
        theirs where the platform does so, as of now, and left out where it does not.
        """
        ...

    def documents(self, customers: Sequence[str], as_of: date) -> tuple[Document, ...]:
        """The open documents behind these customers' totals; only where `totals` has "document"."""
        ...

    def control(self) -> tuple[Total, ...]:
        """The receivable control accounts' own balances, one Total per currency (customer None).

        Asked only where the manifest's `totals` has "ledger".
        """
        ...
