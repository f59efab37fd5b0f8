"""One case's world: a bench, the wire before it, a connector's ports; and the jobs that writing is tried with.

Shape   `Stage` makes connectors (each as a new process would), reads everything, and puts a `Job` on stage: a
        bundle, the fresh records it touches, and how the books must look after it.
"""

import itertools
import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from arsync.connectors import transport
from arsync.connectors.contract import (
    Answer,
    ApplyCredits,
    ApplyPayment,
    Banked,
    Bundle,
    Call,
    Cannot,
    Connector,
    Fresh,
    Gone,
    Intent,
    Kind,
    Manifest,
    Page,
    Park,
    Ports,
    PostCredit,
    PostDeposit,
    PostEntry,
    PostReceipt,
    PostRefund,
    Pull,
    Record,
    Ref,
    Reverse,
    SetExpected,
    SetNote,
    Settle,
    Total,
    Unreadable,
    Verb,
)
from arsync.core.money import Money
from arsync.testing.bench import Bench
from arsync.testing.ports import Clock, CountingMeter, MemoryTokens
from arsync.testing.verdicts import NotExercised, Violation, must, same
from arsync.testing.wire import Exchange, Sent, Wire

ODD_NAME = "O'Brien \\ Sons' & Co"
WIDE_NAME = "Müller & Söhne Łódź 株式会社"
REFERENCE = f"WIRE 4711 {ODD_NAME} INV-1 \\ 2; <b>"
KEY = "conformance-of-connector"  # a bundle's key is at most 24 characters
_MOST_CALLS = 9  # of one intent
PATIENCE_S = 0.25  # how long our transport waits for an answer while a case makes it wait

Deed = Literal[
    "post_receipt",
    "post_rest",
    "apply_credits",
    "apply_payment",
    "post_credit",
    "post_entry",
    "refund",
    "deposit",
    "park",
    "note",
    "expect",
    "reverse",
]
VERB_OF: Mapping[Deed, Verb] = {
    "post_receipt": "post_receipt",
    "post_rest": "post_receipt",
    "apply_credits": "apply",
    "apply_payment": "apply",
    "post_credit": "post_credit",
    "post_entry": "post_entry",
    "refund": "refund",
    "deposit": "deposit",
    "park": "park",
    "note": "note",
    "expect": "expect",
    "reverse": "reverse",
}


@dataclass(frozen=True, slots=True)
class Pulled:
    """All pages of one pull."""

    pages: tuple[Page, ...]

    @property
    def records(self) -> Mapping[Ref, Record]:
        """What is there; of a record that came twice, the later."""
        return {record.ref: record for page in self.pages for record in page.records}

    @property
    def gone(self) -> Mapping[Ref, Gone]:
        """What is no more."""
        return {gone.ref: gone for page in self.pages for gone in page.gone}

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """What cannot be read."""
        return tuple(one for page in self.pages for one in page.unreadable)

    @property
    def cursor(self) -> str | None:
        """Where the next pull goes on."""
        return next((page.cursor for page in reversed(self.pages) if page.cursor is not None), None)

    def of(self, kind: Kind) -> Mapping[Ref, Record]:
        """The records of one kind."""
        return {ref: record for ref, record in self.records.items() if ref.kind == kind}


@dataclass(frozen=True, slots=True)
class Job:
    """One intent to carry out.

    Attributes:
        moves: how much more is open of each item afterwards; what is not named must not move.
        leaves: what the created document has open; None: nothing is created.
        banked: how much comes to the bank account.
    """

    deed: Deed
    bundle: Bundle
    fresh: Fresh
    moves: Mapping[Ref, Money]
    leaves: Money | None = None
    banked: Money | None = None

    @property
    def intent(self) -> Intent:
        """The only one of the bundle."""
        return self.bundle.intents[0]


class Stage:
    """What a case plays on; `opened` makes one."""

    def __init__(self, connector: type[Connector], bench: Bench, clock: Clock, wire: Wire) -> None:
        self.kind_of_connector, self.bench, self.clock, self.wire = connector, bench, clock, wire
        self.tokens = MemoryTokens(bench.grant())
        self.meter = CountingMeter()
        self.ports = Ports(
            self.tokens, self.meter, clock.now, clock.sleep, bench.client_id, bench.client_secret
        )
        self._made: list[Connector] = []
        self._numbers = itertools.count(1)

    # ---- connectors

    @property
    def manifest(self) -> Manifest:
        """What the connector declares."""
        return self.kind_of_connector.manifest

    def connector(self, url: str = "") -> Connector:
        """A new one, as another process would have it."""
        made = self.kind_of_connector(self.bench.settings(url or self.wire.url), self.ports)
        self._made.append(made)
        return made

    def close(self) -> None:
        """Close every connector."""
        for made in self._made:
            made.close()

    # ---- reading

    def pull(
        self, cursor: str | None = None, *, full: bool = False, known: Mapping[Ref, object] | None = None
    ) -> Pulled:
        """A whole pull by a new connector; `known` is what a store would hold."""
        held = known or {}
        want = Pull(cursor, full, lambda kind: frozenset(ref.id for ref in held if ref.kind == kind))
        return Pulled(tuple(self.connector().pull(want)))

    def reads(self, since: int = 0) -> list[Exchange]:
        """The questions that passed the wire."""
        return [one for one in self.wire.exchanges[since:] if not one.sent.is_sign_in]

    def stated(self) -> tuple[Total, ...]:
        """What the platform says is open, in every way that the manifest declares."""
        connector = self.connector()
        control = connector.control() if "ledger" in self.manifest.totals else ()
        return (*connector.totals(self.today), *control)

    # ---- writing

    def money(self, minor: int) -> Money:
        """So many minor units of home currency."""
        return Money(minor, self.bench.currency)

    def number(self) -> int:
        """Another one each time."""
        return next(self._numbers)

    @property
    def today(self) -> date:
        """The day on the clock."""
        return self.clock.now().date()

    def job(self, deed: Deed, name: str = ODD_NAME) -> Job:
        """Put the documents of one deed on stage; the bundle has a key of its own."""
        return _JOBS[deed](self, name)

    def built(
        self,
        deed: Deed,
        intent: Intent,
        moves: Mapping[Ref, Money],
        leaves: Money | None = None,
        banked: Money | None = None,
    ) -> Job:
        """A job of one intent, with what it touches read freshly."""
        number = str(self.number())
        bundle = Bundle(KEY[: len(KEY) - len(number)] + number, 12, (intent,))
        return Job(deed, bundle, self.fresh(intent), moves, leaves, banked)

    def fresh(self, *intents: Intent) -> Fresh:
        """The newest raw records of all that intents touch."""
        refs = list(dict.fromkeys(ref for intent in intents for ref in _touched(intent)))
        connector = self.connector()
        found = connector.fetch(refs).records if refs else ()
        return Fresh({record.ref: record.raw for record in found}, connector.probe().books)

    def planned(self, job: Job) -> Call:
        """The first call of a job, which most often is its only one.

        Raises:
            NotExercised: of the two deeds of the verb "apply", this platform knows the other one only.
        """
        call = self.connector().plan(job.bundle, job.fresh, ())
        if isinstance(call, Cannot) and call.code == "unsupported" and VERB_OF[job.deed] == "apply":
            raise NotExercised(call.reason)
        if not isinstance(call, Call):
            raise Violation(f"{job.deed} is declared, and plan says {call}")
        return call

    def following(self, job: Job, done: Sequence[Answer]) -> Call | None:
        """The next call of a job after these answers; None when it is finished."""
        if not done:
            return self.planned(job)
        call = self.connector().plan(job.bundle, job.fresh, done)
        must(not isinstance(call, Cannot), f"{job.deed} stops after {len(done)} calls: {call}")
        must(len(done) < _MOST_CALLS, f"{job.deed} is not finished after {len(done)} calls")
        return call if isinstance(call, Call) else None

    def sent(self, call: Call, url: str = "", *, again: bool = False) -> Answer:
        """The answer to a call as it comes out of the outbox, sent by a new connector."""
        stored = replace(call, expects=dict(call.expects), again=again)
        answers = list(self.connector(url).send([stored]))
        must(len(answers) == 1, f"send gave {len(answers)} answers to one call")
        return answers[0]

    def carried_out(self, job: Job) -> list[Answer]:
        """The answers to all calls of a job where nothing stands in its way."""
        answers: list[Answer] = []
        while (call := self.following(job, answers)) is not None:
            answers.append(self.sent(call))
            accepted = answers[-1].outcome == "accepted"
            must(accepted, f"{job.deed}: nothing stood in its way, and it was {_said(answers[-1])}")
        same(len({answer.ref for answer in answers}), 1, "records that the answers to one intent name")
        return answers

    def done(self, job: Job) -> Answer:
        """The first answer of a job, carried out."""
        return self.carried_out(job)[0]

    @contextmanager
    def short_patience(self) -> Iterator[None]:
        """Our own transport gives up after `PATIENCE_S`, not after two minutes."""
        usual, transport.READ_TIMEOUT_S = transport.READ_TIMEOUT_S, PATIENCE_S
        try:
            yield
        finally:
            transport.READ_TIMEOUT_S = usual


@contextmanager
def opened(connector: type[Connector], bench: Bench, clock: Clock) -> Iterator[Stage]:
    """A stage for one case: new wire, new tokens."""
    with Wire(bench.url, clock.now).running() as wire:
        stage = Stage(connector, bench, clock, wire)
        try:
            yield stage
        except Violation as broken:
            broken.add_note(f"the last requests on the wire:\n{wire.story()}")
            raise
        finally:
            stage.close()


def is_call(call: Call) -> Callable[[Sent], bool]:
    """Whether a request is this call, byte for byte; the connector may add its key to the query."""
    wanted = urlsplit(call.path)

    def matches(sent: Sent) -> bool:
        found = urlsplit(sent.path)
        return (
            sent.method == call.method
            and found.path.endswith(wanted.path)
            and set(parse_qsl(wanted.query)) <= set(parse_qsl(found.query))
            and sent.body == call.body
        )

    return matches


def moved(before: Mapping[Ref, Money], after: Mapping[Ref, Money]) -> dict[Ref, Money]:
    """How much more is open of each item; what did not move is left out."""
    found: dict[Ref, Money] = {}
    for ref in before.keys() | after.keys():
        currency = (after.get(ref) or before[ref]).currency
        more = after.get(ref, Money.zero(currency)) - before.get(ref, Money.zero(currency))
        if more:
            found[ref] = more
    return found


def _said(answer: Answer) -> str:
    return f"{answer.outcome} ({answer.code or 'no code'}: {answer.why or 'not a word'})"


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def eventually(holds: Callable[[], bool], within_s: float = 3.0) -> bool:
    """Whether it comes to hold in real time."""
    until = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


class Listener(logging.Handler):
    """Hears every log line as a handler that knows of no secrets would write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(self.format(record))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear everything, from every logger, for a block."""
        root = logging.getLogger()
        level = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.removeHandler(self)
            root.setLevel(level)


# ---- one job a deed


def _touched(intent: Intent) -> list[Ref]:
    match intent:
        case Park():
            return []
        case PostEntry(customer=customer):
            return [customer]
        case PostDeposit(payments=payments):
            return [one.payment for one in payments]
        case SetNote(item=item) | SetExpected(item=item):
            return [item]
        case PostCredit(customer=customer, for_item=item) | PostRefund(customer=customer, credit=item):
            return [customer, item]
        case ApplyPayment(payment=payment, settles=settles):
            return [payment, *(settle.item for settle in settles)]
        case Reverse(written=written, settles=settles):
            return [written, *(settle.item for settle in settles)]
        case (
            PostReceipt(customer=customer, settles=settles) | ApplyCredits(customer=customer, settles=settles)
        ):
            return [customer, *(settle.item for settle in settles)]


def _receipt(stage: Stage, name: str) -> Job:
    """One item paid whole, one in part; the rest left on the customer's account where one document can."""
    return _cash(stage, name, 9_99 if "rest" in stage.manifest.writes["post_receipt"].within else 0)


def _rest(stage: Stage, name: str) -> Job:
    """The same with a rest."""
    return _cash(stage, name, 9_99)


def _cash(stage: Stage, name: str, rest_minor: int) -> Job:
    customer = stage.bench.customer(name)
    whole = stage.bench.invoice(customer, stage.money(100_10))
    target = stage.manifest.writes["post_receipt"].target
    part = (stage.bench.line if target == "line" else stage.bench.invoice)(customer, stage.money(33_34))
    settles = (Settle(whole, stage.money(100_10)), Settle(part, stage.money(9_91)))
    intent = PostReceipt(
        customer,
        stage.today,
        stage.money(110_01 + rest_minor),
        settles if target != "customer" else (),
        reference=REFERENCE,
        deposit_account=stage.bench.receiving_account or None,
    )
    moves = {settle.item: -settle.amount for settle in settles}
    return stage.built("post_receipt", intent, moves, stage.money(-rest_minor))


def _apply_credits(stage: Stage, name: str) -> Job:
    customer = stage.bench.customer(name)
    owed, credit = (
        stage.bench.invoice(customer, stage.money(20_01)),
        stage.bench.credit(customer, stage.money(50_02)),
    )
    settles = (Settle(owed, stage.money(20_01)), Settle(credit, stage.money(-20_01)))
    return stage.built(
        "apply_credits", ApplyCredits(customer, stage.today, settles), {s.item: -s.amount for s in settles}
    )


def _apply_payment(stage: Stage, name: str) -> Job:
    customer = stage.bench.customer(name)
    owed = stage.bench.invoice(customer, stage.money(40_07))
    payment = stage.bench.payment(customer, stage.money(50_00))
    moves = {owed: stage.money(-40_07), payment: stage.money(40_07)}
    return stage.built("apply_payment", ApplyPayment(payment, (Settle(owed, stage.money(40_07)),)), moves)


def _post_credit(stage: Stage, name: str) -> Job:
    customer = stage.bench.customer(name)
    owed = stage.bench.invoice(customer, stage.money(100_00))
    intent = PostCredit(
        customer, stage.today, stage.money(2_03), stage.bench.product, None, "cash discount", owed
    )
    return stage.built("post_credit", intent, {}, stage.money(-2_03))


def _park(stage: Stage, _name: str) -> Job:
    waiting, bank = stage.bench.waiting_account, stage.bench.bank_account
    total = stage.money(77_70)
    return stage.built("park", Park(stage.today, total, waiting, bank, REFERENCE), {}, banked=total)


def _post_entry(stage: Stage, name: str) -> Job:
    """The bank gave a payment back and took a fee."""
    bench, owed, fee = stage.bench, stage.money(61_05), stage.money(4_50)
    intent = PostEntry(
        bench.customer(name),
        stage.today,
        owed,
        bench.receivable_account,
        bench.bank_account,
        "returned payment",
        REFERENCE,
        fee,
        bench.fee_account,
    )
    return stage.built("post_entry", intent, {}, owed, banked=-(owed + fee))


def _refund(stage: Stage, name: str) -> Job:
    """Part of a credit memo is paid back."""
    bench, back = stage.bench, stage.money(40_02)
    customer = bench.customer(name)
    credit = bench.credit(customer, stage.money(55_00))
    intent = PostRefund(customer, stage.today, back, credit, bench.bank_account, REFERENCE)
    return stage.built("refund", intent, {credit: back}, banked=-back)


def _deposit(stage: Stage, name: str) -> Job:
    """A payout of two payments less its fee."""
    customer, fee = stage.bench.customer(name), stage.money(1_53)
    parts = [stage.money(50_00), stage.money(20_20)]
    payments = tuple(Banked(stage.bench.payment(customer, part), part) for part in parts)
    total = parts[0] + parts[1] - fee
    account = stage.bench.bank_account
    intent = PostDeposit(stage.today, total, account, payments, REFERENCE, fee, stage.bench.fee_account)
    return stage.built("deposit", intent, {}, banked=total)


def _note(stage: Stage, name: str) -> Job:
    item = stage.bench.invoice(stage.bench.customer(name), stage.money(12_00))
    return stage.built("note", SetNote(item, f"promised by {ODD_NAME}"), {})


def _expect(stage: Stage, name: str) -> Job:
    item = stage.bench.invoice(stage.bench.customer(name), stage.money(12_00))
    return stage.built("expect", SetExpected(item, stage.today + timedelta(days=14)), {})


def _reverse(stage: Stage, name: str) -> Job:
    """Take back a receipt that the connector itself wrote."""
    first = stage.job("post_receipt", name)
    answer = stage.done(first)
    if answer.ref is None:
        raise Violation("an accepted receipt names no record, so nobody can take it back")
    assert first.leaves is not None
    back = {ref: -money for ref, money in first.moves.items()} | {answer.ref: -first.leaves}
    return stage.built("reverse", Reverse(answer.ref), back)


_JOBS: Mapping[Deed, Callable[[Stage, str], Job]] = {
    "post_receipt": _receipt,
    "post_rest": _rest,
    "apply_credits": _apply_credits,
    "apply_payment": _apply_payment,
    "post_credit": _post_credit,
    "post_entry": _post_entry,
    "refund": _refund,
    "deposit": _deposit,
    "park": _park,
    "note": _note,
    "expect": _expect,
    "reverse": _reverse,
}
