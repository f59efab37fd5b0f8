"""The tables. Current tables hold now; versions, applications and events only grow.

Units   `*_minor` are integers of minor units of the row's `currency`; dates are business dates without
        zone; `*_at` are UTC instants as fixed-width text (`2026-11-22T08:15:30.000000Z`), so that they sort
        as they happened.
Keys    tables of one set of books begin with `ledger_id`; ids are small integers counted per ledger
        (`counter`).
Sign    what is owed to us is positive; credit memos and payments are negative items.
Law     item.open_minor == item.original_minor - sum(application.amount_minor of the item).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)
At = String(27)
Minor = BigInteger
Id = Integer

# ---- the installation

connection = Table(
    "connection",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("platform", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("secret", LargeBinary),  # tokens, encrypted with the key outside the store
    Column("cursor", Text),
    Column("cursor_at", At),
    Column("loaded_at", At),  # the first load was complete
    Column("totals_at", At),  # the platform's totals were last read
    Column("heard_at", At),  # the newest message that something changed there
    Column("heeded_at", At),  # the newest pull that began after such a message
    Column("created_at", At, nullable=False),
)
ledger = Table(
    "ledger",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("uid", Text, nullable=False, unique=True),
    Column("connection_id", Id, nullable=False),
    Column("home_currency", String(3), nullable=False),
    Column("mode", Text, nullable=False),
    Column("stopped", Text),  # why nothing is written at all; empty when writing may go on
    Column("created_at", At, nullable=False),
    Column("zone", Text),  # of the time zone database; where the platform says so
    CheckConstraint("mode in ('observe', 'propose', 'auto')", name="mode"),
)
person = Table(
    "person",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", At, nullable=False),
    CheckConstraint("role in ('clerk', 'manager', 'auditor', 'admin')", name="role"),
)
bank_account = Table(
    "bank_account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ledger_id", Id, nullable=False),
    Column("name", Text, nullable=False, unique=True),
    Column("identifier", Text, nullable=False),  # normalised, as the statements name it
    Column("currency", String(3), nullable=False),
    Column("profile", Text),  # how its CSV files are written
    Column("deposit_account", Text),  # the platform's account that mirrors it
    Column("created_at", At, nullable=False),
    UniqueConstraint("identifier", "currency"),
)
policy = Table(
    "policy",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("sha", String(64), nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("approved_by", Text),
    Column("at", At, nullable=False),
    Column("approved_at", At),
)
meter = Table(
    "meter",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("what", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)
unknown_field = Table(  # what a platform sends and no version of ours announced
    "unknown_field",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("name", Text, primary_key=True),  # Invoice.Mood
    Column("first_at", At, nullable=False),
)
counter = Table(
    "counter",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)
raw = Table(
    "raw",
    metadata,
    Column("sha", LargeBinary(32), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # Zstandard; zlib of before
)

# ---- the books

external_ref = Table(
    "external_ref",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("kind", Text, primary_key=True),  # customer, item (payments are items too)
    Column("external_id", Text, primary_key=True),
    Column("ledger_id", Id, nullable=False),
    Column("id", Id, nullable=False),
    Column("from_at", At, nullable=False),
    Column("to_at", At),
    Index(None, "ledger_id", "kind", "id"),
)
reference = (
    Table(  # terms, accounts, products, the books themselves: small lists kept as the connector read them
        "reference",
        metadata,
        Column("ledger_id", Id, primary_key=True),
        Column("kind", Text, primary_key=True),
        Column("external_id", Text, primary_key=True),
        Column("body", Text, nullable=False),
        Column("raw_sha", LargeBinary(32), nullable=False),
        Column("gone", Boolean, nullable=False),
    )
)
customer = Table(
    "customer",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("parent_id", Id),
    Column("currency", String(3)),
    Column("terms", Text),
    Column("email", Text),
    Column("aliases", Text, nullable=False),  # JSON list
    Column("gone", Boolean, nullable=False),
    Column("raw_sha", LargeBinary(32), nullable=False),
    Column("version", Integer, nullable=False),
)
item = Table(
    "item",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("customer_id", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text),
    Column("reference", Text),
    Column("issued", Date, nullable=False),
    Column("due", Date, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("original_minor", Minor, nullable=False),
    Column("open_minor", Minor, nullable=False),
    Column("stated_open_minor", Minor),  # the platform's own word; null where it says nothing
    Column("terms", Text),
    Column("gone", Boolean, nullable=False),  # deleted or voided
    Column("raw_sha", LargeBinary(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("expected", Date),  # when the books expect its money; null where they do not say
    Index("ix_item_customer", "ledger_id", "customer_id"),
)
item_version = Table(
    "item_version",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("item_id", Id, primary_key=True),
    Column("known_from", At, primary_key=True),
    Column("known_to", At),
    Column("customer_id", Id, nullable=False),
    Column("issued", Date, nullable=False),
    Column("due", Date, nullable=False),
    Column("original_minor", Minor, nullable=False),
    Column("gone", Boolean, nullable=False),
)
payment = Table(
    "payment",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),  # the item id
    Column("on_date", Date, nullable=False),
    Column("total_minor", Minor, nullable=False),
    Column("unapplied_minor", Minor, nullable=False),
    Column("reference", Text),
    Column("deposit_account", Text),
    Column("memo", Text),
    Column("deposited", Boolean, nullable=False),
)
application = Table(  # append-only, two rows each: what the item loses, its source gains
    "application",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column(
        "item_id", Id, nullable=False
    ),  # may name a document that is not an item we hold: it then settles nothing of ours
    Column("other_id", Id, nullable=False),  # the item on the other side
    Column("pays", Boolean, nullable=False),  # true on the side that pays, false on the side that is settled
    Column("amount_minor", Minor, nullable=False),  # what the item's open amount goes down by
    Column("on_date", Date, nullable=False),
    Column("known_at", At, nullable=False),
    Index("ix_application_item", "ledger_id", "item_id"),
    Index("ix_application_other", "ledger_id", "other_id"),
)

# ---- the bank

bank_file = Table(
    "bank_file",
    metadata,
    Column("sha", LargeBinary(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # imported, or why it was refused
    Column("lines", Integer, nullable=False),
    Column("new_lines", Integer, nullable=False),
    Column("at", At, nullable=False),
)
statement = Table(
    "statement",
    metadata,
    Column("id", Id, primary_key=True),
    Column("file_sha", LargeBinary(32), nullable=False),
    Column("bank_account_id", Id, nullable=False),
    Column("statement_id", Text),
    Column("sequence", Text),
    Column("currency", String(3), nullable=False),
    Column("opening_minor", Minor),
    Column("closing_minor", Minor),
    Column("from_date", Date),
    Column("to_date", Date),
    Column("proven", Text, nullable=False),
    Column("difference_minor", Minor),
)
bank_line = Table(
    "bank_line",
    metadata,
    Column("id", Id, primary_key=True),
    Column("bank_account_id", Id, nullable=False),
    Column("statement_id", Id, nullable=False),
    Column("file_sha", LargeBinary(32), nullable=False),
    Column("locator", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("provider_id", Text),
    Column("booking_date", Date, nullable=False),
    Column("value_date", Date),
    Column("amount_minor", Minor, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("payer_name", Text, nullable=False),
    Column("payer_account", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("body", Text, nullable=False),  # every further field as JSON
    Column("is_return", Boolean, nullable=False),
    Column("superseded_by", Id),
    UniqueConstraint("bank_account_id", "key", "occurrence"),
)
breakdown = (
    Table(  # a sum a bank books and what it is made of, or what a report announces before it is booked
        "breakdown",
        metadata,
        Column("id", Id, primary_key=True),
        Column("bank_account_id", Id, nullable=False),
        Column("standing", Text, nullable=False),
        Column("file_sha", LargeBinary(32), nullable=False),
        Column("statement_id", Text),
        Column("reference", Text, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("total_minor", Minor),
        Column("last_day", Date),
        Column("proven", Text, nullable=False),
        Column("bank_line_id", Id),  # the line that books the sum; null: not seen yet, or not for certain
        Index("ix_breakdown_bank_account_id", "bank_account_id"),
        CheckConstraint("standing in ('provisional', 'detail')", name="standing"),
    )
)
breakdown_line = Table(
    "breakdown_line",
    metadata,
    Column("id", Id, primary_key=True),
    Column("breakdown_id", Id, nullable=False),
    Column("bank_account_id", Id, nullable=False),
    Column("key", Text, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("booking_date", Date),
    Column("amount_minor", Minor, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("body", Text, nullable=False),  # every further field as JSON, with its parts
    Column("bank_line_id", Id),  # of what was announced: the booked line that says the same
    UniqueConstraint("bank_account_id", "key", "occurrence"),
    Index("ix_breakdown_line_breakdown_id", "breakdown_id"),
)
remittance = Table(
    "remittance",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False),
    Column("file_sha", LargeBinary(32), nullable=False),
    Column("locator", Text, nullable=False),
    Column("received", Date, nullable=False),
    Column("payer_name", Text, nullable=False),
    Column("payer_account", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total_minor", Minor),
    Column("grade", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("line_key", Text),  # key of the bank line or part it came with
    UniqueConstraint("ledger_id", "key"),
)
remittance_line = Table(
    "remittance_line",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("remittance_id", Id, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("paid_minor", Minor),
    Column("gross_minor", Minor),
    Column("discount_minor", Minor),
    Column("note", Text, nullable=False),
)
source_mark = Table(  # how far a mailbox, server or feed was read
    "source_mark",
    metadata,
    Column("name", Text, primary_key=True),
    Column("mark", Text, nullable=False),
    Column("at", At, nullable=False),
)
source_sign_in = (
    Table(  # tokens of a mailbox that takes no passwords, encrypted with the key outside the store
        "source_sign_in",
        metadata,
        Column("name", Text, primary_key=True),
        Column("secret", LargeBinary, nullable=False),
    )
)
known_sender = Table(  # whose mails may be believed, once their domain is proven
    "known_sender",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("address", Text, primary_key=True),  # in lower case; "@domain" stands for all of a domain
    Column("customer_id", Id),  # whose payments it advises; null: it says so itself
    Column("at", At, nullable=False),
    Column("who", Text, nullable=False),
)
receipt = Table(
    "receipt",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("bank_line_id", Id, nullable=False),
    Column("part", Integer, nullable=False),
    Column("on_date", Date, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", Minor, nullable=False),
    Column("payer_name", Text, nullable=False),
    Column("payer_account", Text, nullable=False),
    Column("texts", Text, nullable=False),  # JSON: what the matcher reads
    Column("is_return", Boolean, nullable=False),
    Column("method", Text, nullable=False, server_default=text("'not said'")),  # of core/finality.py
    Column("proven", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("decision_id", Id),
    Column("customer_id", Id),
    Column("payment_id", Id),  # the platform payment (item id) that books it
    Column("hands_off", Boolean, nullable=False),  # a person has decided: the program decides it no more
    Column("version", Integer, nullable=False),
    UniqueConstraint("ledger_id", "bank_line_id", "part"),
    Index("ix_receipt_state", "ledger_id", "state"),
    Index("ix_receipt_part", "ledger_id", "part"),  # few lines are several receipts
    CheckConstraint(
        "state in ('undecided', 'waiting', 'queued', 'planned', 'applied', 'on_account', 'linked', "
        "'not_ours', 'returned')",
        name="state",
    ),
)
matched = Table(  # what the last match saw of a ledger: digests, and where each undecided receipt looked
    "matched",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
alias = Table(
    "alias",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("customer_id", Id, primary_key=True),
    Column("since", Date, primary_key=True),
    Column("until", Date),
    Column("confirmations", Integer, nullable=False),
    Column("id", Id),  # how people name it
    Column("taught_by", Text),  # who confirmed it; null: learned before that was kept
)

habit = Table(  # how a customer paid once, as a person confirmed it
    "habit",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("customer_id", Id, nullable=False),
    Column("on_date", Date, nullable=False),
    Column("until", Date, nullable=False),  # forgotten from this day on
    Column("ways", Text, nullable=False),  # the share of each way of paying, in the matcher's order
    Column("taken", Integer, nullable=False),  # 1: with a cash discount that was granted
    Column("left", Integer, nullable=False),  # 1: without it
    Column("taught_by", Text, nullable=False),
)

rate = Table(  # what a currency was worth in another, as published; of the installation, not of one ledger
    "rate",
    metadata,
    Column("on_date", Date, primary_key=True),
    Column("low", String(3), primary_key=True),  # the pair by its codes in order, so that it is kept once
    Column("high", String(3), primary_key=True),
    Column("one", String(3), nullable=False),  # a unit of it ...
    Column("value", Text, nullable=False),  # ... is so many of the other: the exact text
    Column("who", Text, nullable=False),
    Column("at", At, nullable=False),
)

# ---- deciding

decision = Table(
    "decision",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("receipt_id", Id),
    Column("customer_id", Id),
    Column("verdict", Text, nullable=False),
    Column("evidence_class", Text, nullable=False),
    Column("probability", Float, nullable=False),
    Column("decided_by", Text, nullable=False),  # "engine" or a person's name
    Column("at", At, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("snapshot_sha", LargeBinary(32)),
    Column("finding_sha", LargeBinary(32)),
    Column("engine_version", Text, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("undoes_id", Id),
    Column("generation", Integer, nullable=False),
    Column("approved_by", Text),  # the second person, where one was asked
    Index("ix_decision_receipt", "ledger_id", "receipt_id"),
    Index("ix_decision_state", "ledger_id", "state"),
    CheckConstraint(
        "state in ('asked', 'planned', 'done', 'withdrawn', 'undoing', 'undone', 'failed')", name="state"
    ),
)
decision_line = Table(
    "decision_line",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("decision_id", Id, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("item_id", Id),  # null: on account
    Column("kind", Text, nullable=False),  # cash, discount, write_off, deduction, on_account
    Column("amount_minor", Minor, nullable=False),
    Column("currency", String(3), nullable=False),
    Index("ix_decision_line_item", "ledger_id", "item_id"),
)
queue_item = Table(
    "queue_item",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("subject", Text, nullable=False),  # "receipt:12", "record:Invoice:157", "customer:9", "command:4"
    Column("reason", Text, nullable=False),
    Column("receipt_id", Id),
    Column("customer_id", Id),
    Column("currency", String(3)),
    Column("amount_minor", Minor),
    Column("detail", Text, nullable=False),
    Column("preferred", Boolean, nullable=False),  # one suggestion is preferred: may be accepted in bulk
    Column("finding_sha", LargeBinary(32)),
    Column("snapshot_sha", LargeBinary(32)),
    Column("raw_sha", LargeBinary(32)),
    Column("owner", Text),
    Column("opened_at", At, nullable=False),
    Column("closed_at", At),
    Column("closed_by", Text),
    Column("outcome", Text),
    Column("version", Integer, nullable=False),
    Index("ix_queue_item_subject", "ledger_id", "subject"),
    Index("ix_queue_item_closed_at", "ledger_id", "closed_at"),
)

# ---- how often we are wrong

stratum = Table(  # how far the draw of the sample has come in one kind of automatic application
    "stratum",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("evidence_class", Text, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("digits", Integer, primary_key=True),  # of the receipt's amount in minor units
    Column("seen", Integer, nullable=False),
    Column("drawn", Boolean, nullable=False),
)
sample = Table(  # automatic applications that a clerk looks at blind, and what came of it
    "sample",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("decision_id", Id, primary_key=True),
    Column("evidence_class", Text, nullable=False),
    Column("at", At, nullable=False),
    Column("state", Text, nullable=False),
    Column("checked_by", Text),
    Column("checked_at", At),
    CheckConstraint(
        "state in ('asked', 'right', 'wrong', 'stands', 'undone', 'unclear', 'void')", name="state"
    ),
)
found_error = Table(  # automatic applications that somebody found wrong in another way than by the sample
    "found_error",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("decision_id", Id, primary_key=True),
    Column("evidence_class", Text, nullable=False),
    Column("how", Text, nullable=False),  # "undone", "moved" (in the books)
    Column("who", Text, nullable=False),
    Column("at", At, nullable=False),
)
held_class = Table(  # classes of evidence that apply nothing by themselves until a manager lifts it
    "held_class",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("evidence_class", Text, primary_key=True),
    Column("held_at", At, primary_key=True),
    Column("why", Text, nullable=False),
    Column("lifted_at", At),
    Column("lifted_by", Text),
)

# ---- writing

bundle = Table(
    "bundle",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("decision_id", Id, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("intents", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", At, nullable=False),
    UniqueConstraint("ledger_id", "key", "generation"),
    Index("ix_bundle_state", "ledger_id", "state"),
    CheckConstraint(
        "state in ('planned', 'sent', 'confirmed', 'verified', 'withdrawn', 'refused', 'unknown', 'superseded')",
        name="state",
    ),
)
command = Table(
    "command",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("bundle_id", Id, nullable=False),
    Column("number", Integer, nullable=False),
    Column("verb", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("expects", Text, nullable=False),
    Column("together", Id),  # the first command of the request it shared; null: it had a request of its own
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", At),
    Column("answered_at", At),
    Column("answer_sha", LargeBinary(32)),
    Column("ref_kind", Text),
    Column("ref_id", Text),
    Column("code", Text, nullable=False),
    Column("why", Text, nullable=False),
    UniqueConstraint("ledger_id", "key"),
    UniqueConstraint("ledger_id", "bundle_id", "number"),
    CheckConstraint(
        "state in ('sent', 'confirmed', 'verified', 'refused', 'unknown', 'superseded')", name="state"
    ),
)

item_note = Table(  # what the platform's record says of an item in our name
    "item_note",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("item_id", Id, primary_key=True),
    Column("text", Text, nullable=False),
    Column("decision_id", Id, nullable=False),  # the decision whose bundle wrote it
)

item_expected = Table(  # the expected day that we have said on the platform's record of an item
    "item_expected",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("item_id", Id, primary_key=True),
    Column("on_date", Date, nullable=False),
    Column("before", Date),  # what the books expected before; null: nothing
    Column("decision_id", Id, nullable=False),
)

# ---- collecting

promise = Table(  # to pay; what becomes of it is worked out, never stored
    "promise",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("item_id", Id, nullable=False),
    Column("amount_minor", Minor, nullable=False),
    Column("by_date", Date, nullable=False),
    Column("on_date", Date, nullable=False),  # the ledger's day on which it was recorded
    Column("said_by", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", At, nullable=False),
    Column("superseded_by", Id),
    Column("withdrawn_at", At),
    Column("withdrawn_by", Text),
    Column("withdrawn_why", Text),
    Index("ix_promise_item", "ledger_id", "item_id"),
)
reminder = Table(  # given outside arsync; on record here
    "reminder",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("item_id", Id, nullable=False),
    Column("on_date", Date, nullable=False),
    Column("level", Integer, nullable=False),
    Column("way", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", At, nullable=False),
    Index("ix_reminder_item", "ledger_id", "item_id"),
    CheckConstraint("way in ('mail', 'letter', 'phone', 'not said')", name="way"),
)

# ---- proof, runs, audit

difference = Table(
    "difference",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("customer_id", Id, primary_key=True),  # 0: the ledger's control account
    Column("currency", String(3), primary_key=True),
    Column("ours_minor", Minor, nullable=False),
    Column("theirs_minor", Minor, nullable=False),
    Column("baseline_minor", Minor, nullable=False),  # the part that was there at connection, signed
    Column("signed_by", Text),
    Column("source", Text, nullable=False),
    Column("seen_at", At, nullable=False),
    Column("cleared_at", At),
)
run = Table(
    "run",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("started_at", At, nullable=False),
    Column("ended_at", At),
    Column("outcome", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("error", Text),
)
event = Table(
    "event",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", At, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column(
        "digest", String(64), nullable=False
    ),  # of salt and body: the body can be erased and the chain still verifies
    Column("hash", String(64), nullable=False),
    Index("ix_event_subject", "ledger_id", "subject"),
)
event_body = Table(
    "event_body",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("salt", LargeBinary(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
event_head = Table(  # the chain's newest link, and signatures of it made with a key outside the store
    "event_head",
    metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signed_seq", Integer, nullable=False),
    Column("signature", Text, nullable=False),
)
