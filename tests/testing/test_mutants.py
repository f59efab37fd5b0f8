"""Every case catches the defect it is there for, planted in the tutorial's connector or in QuickBooks'."""

import contextlib
import json
import logging
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from arsync.connectors.contract import (
    Answer,
    Cannot,
    Found,
    Page,
    PostReceipt,
    Pull,
    Record,
    Ref,
    Reverse,
    Settle,
    Unreadable,
)
from arsync.connectors.quickbooks import QuickBooksConnector
from arsync.core.items import OpenItem, Payment
from arsync.core.money import Money
from arsync.errors import ArsyncError, ConsentLost, PlatformBusy, Unreachable
from arsync.testing import Violation, manners, reading, trials, writing
from arsync.testing.cases import CASES
from tests.connectors.quickbooks.bench import quickbooks_bench

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Mutant:
    case: Callable
    tried_with: str
    of: str
    defect: type

    @property
    def name(self):
        return (self.defect.__doc__ or "").rstrip(".")


MUTANTS = []


def planted(case, tried_with="", of="pebble"):
    """The defect that this case has to catch; a class of overridden methods."""

    def keep(defect):
        MUTANTS.append(Mutant(case, tried_with, of, defect))
        return defect

    return keep


class Pages:
    """A defect of every page of a pull."""

    def pull(self, want):
        for page in super().pull(want):
            yield self.spoiled(page)

    def spoiled(self, page):
        return replace(page, records=tuple(map(self.spoiled_record, page.records)))

    def spoiled_record(self, record):
        return record


class Answers:
    """A defect of every answer."""

    def send(self, calls):
        return map(self.spoiled, super().send(calls))


class WithPorts:
    """A connector that keeps its ports at hand."""

    def __init__(self, settings, ports):
        super().__init__(settings, ports)
        self.settings, self.ports = settings, ports


# ---- manners


@planted(manners.made_in_silence)
class Eager:
    """Constructing one signs in."""

    def __init__(self, settings, ports):
        super().__init__(settings, ports)
        self.probe()


@planted(manners.probe_keeps_to_the_manifest)
class Boastful:
    """Signing in shows a right nobody declared."""

    def probe(self):
        return replace(super().probe(), can=frozenset({"park"}))


@planted(manners.closed_twice)
class NeverClosed:
    """Closing does nothing."""

    kept: list = []  # noqa: RUF012 - what is dropped would be closed by itself

    def close(self):
        self.kept.append(self)


@planted(manners.no_secret_is_told)
class Chatty(WithPorts):
    """A token is in a debug line."""

    def pull(self, want):
        logging.getLogger("pebble").debug("signed in with %s", self.ports.tokens.load().access)
        return super().pull(want)


@planted(manners.no_float)
class Floating(Pages):
    """An exchange rate is a float."""

    def spoiled_record(self, record):
        return (
            replace(record, value=replace(record.value, rate=1.25)) if record.ref.kind == "item" else record
        )


# ---- reading


@planted(reading.kind_arrives, "payment")
class Blind(Pages):
    """Payments are left out."""

    def spoiled(self, page):
        return replace(page, records=tuple(one for one in page.records if one.ref.kind != "payment"))


@planted(reading.names_arrive)
class Escaping(Pages):
    """A name is escaped on its way."""

    def spoiled_record(self, record):
        if record.ref.kind != "customer":
            return record
        return replace(record, value=replace(record.value, name=record.value.name.replace("'", "\\'")))


@planted(reading.amounts_are_exact)
class Rounding(Pages):
    """An amount passes through a float."""

    def spoiled_record(self, record):
        if record.ref.kind != "item":
            return record
        minor = round(float(record.value.original.text()) * 100)
        return replace(record, value=replace(record.value, original=Money(minor, "USD")))


class Forgiving(Pages):
    """What is unreadable becomes a record."""

    def spoiled(self, page):
        made = tuple(Record(one.ref, one.raw, self.read(json.loads(one.raw))) for one in page.unreadable)
        return replace(page, records=page.records + made, unreadable=())

    def read(self, row):
        amount = self.guess(row["total"])
        return OpenItem(
            row["customer"], "invoice", datetime(2026, 11, 22), datetime(2026, 11, 22), amount, amount
        )


@planted(reading.unreadable_amount, "n/a")
class Zeroing(Forgiving):
    """An unreadable amount becomes 0."""

    def guess(self, _text):
        return Money(0, "USD")


@planted(reading.unreadable_amount, "47113.919")
class Cutting(Forgiving):
    """An amount finer than its currency is rounded."""

    def guess(self, text):
        return Money(int(text.replace(".", "")) // 10, "USD")


@planted(reading.unreadable_amount, "12,34,5")
class Dropping(Pages):
    """A record that cannot be read is left out."""

    def spoiled(self, page):
        return replace(page, unreadable=())


@planted(reading.unknown_field)
class Narrow(Pages):
    """The raw text keeps only what is known."""

    def spoiled_record(self, record):
        row = json.loads(record.raw)
        known = {name: value for name, value in row.items() if not name.startswith("zz")}
        return replace(record, raw=json.dumps(known).encode())


@planted(reading.applications_arrive, "payment")
class Unapplied(Pages):
    """What a payment settles is not read."""

    def spoiled_record(self, record):
        return (
            replace(record, value=replace(record.value, lines=())) if record.ref.kind == "payment" else record
        )


@planted(reading.resumed)
class Hasty:
    """The cursor of a page is beyond what the page showed."""

    def pull(self, want):
        for page in super().pull(want):
            yield replace(page, cursor=str(int(page.cursor) + 1))


@planted(reading.changed_meanwhile)
class Frozen:
    """What changes while it reads is left out, and the cursor passes it."""

    def pull(self, want):
        versions = {}
        for page in super().pull(want):
            versions |= {record.ref: record.version for record in page.records}
        for page in super().pull(want):
            yield replace(
                page, records=tuple(one for one in page.records if versions.get(one.ref) == one.version)
            )


@planted(reading.resumed)
class Twice(Pages):
    """An invoice is listed under two names."""

    def spoiled(self, page):
        items = tuple(
            replace(r, ref=Ref("item", f"{r.ref.id}-copy")) for r in page.records if r.ref.kind == "item"
        )
        return replace(page, records=page.records + items)


@planted(reading.equal_stamps)
class Skipping:
    """The first record of each further page is taken for the last one of the page before."""

    def pull(self, want):
        for number, page in enumerate(super().pull(want)):
            books, *records = page.records
            yield replace(page, records=(books, *(records[1:] if number else records)))


@planted(reading.unchanged)
class Restless(Pages):
    """A record looks new each time it is read."""

    def spoiled_record(self, record):
        return replace(record, raw=json.dumps({**json.loads(record.raw), "read": str(uuid.uuid4())}).encode())


@planted(reading.whole_is_whole)
class Overstating(Pages):
    """Every page says that all invoices have been listed."""

    def spoiled(self, page):
        return replace(page, whole=frozenset({"item"}))


@planted(reading.changes_arrive, "item")
class Forgetful:
    """Every pull is a first one."""

    def pull(self, want):
        return super().pull(replace(want, cursor=None))


@planted(reading.full_again, "item")
class Lazy:
    """A full pull goes on from the cursor."""

    def pull(self, want):
        return super().pull(replace(want, full=False))


@planted(reading.fetched, "item")
class Silent:
    """Reading a deleted record says nothing."""

    def fetch(self, refs):
        return replace(super().fetch(refs), gone=())


class Windowed:
    """A manifest that says what it can catch up after weeks."""

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        if hasattr(cls, "manifest"):
            reads = {
                kind: replace(how, by=how.by | {"window"}) if kind != "books" else how
                for kind, how in cls.manifest.reads.items()
            }
            cls.manifest = replace(cls.manifest, reads=reads)


@planted(reading.after_long, "item")
class Amnesia(Windowed, WithPorts):
    """After a month away a pull begins with today."""

    def pull(self, want):
        pages = list(super().pull(want))
        gone_long = want.cursor is not None and self.ports.now() > datetime.fromisoformat(
            "2026-12-20T00:00:00Z"
        )
        yield from [replace(pages[-1], records=(), gone=())] if gone_long else pages


@planted(reading.deletion_shows, "item")
class Keeping(Pages):
    """Deletions are not told."""

    def spoiled(self, page):
        return replace(page, gone=())


@planted(reading.deletion_shows, "customer", of="quickbooks")
class Unflagged(Pages):
    """A customer that was made inactive looks active."""

    def spoiled_record(self, record):
        return (
            replace(record, value=replace(record.value, active=True))
            if record.ref.kind == "customer"
            else record
        )


@planted(reading.late_stamps, "item", of="quickbooks")
class NoStepBack:
    """A cursor does not step back by the overlap that is declared."""

    def pull(self, want):
        for page in super().pull(want):
            cursor = json.loads(page.cursor)
            since = datetime.fromisoformat(cursor["since"]) + timedelta(minutes=5)
            yield replace(page, cursor=json.dumps(cursor | {"since": since.isoformat()}))


class Swallowing:
    """An error ends a pull as if there were no more."""

    def pull(self, want):
        try:
            yield from super().pull(want)
        except self.swallowed:
            yield Page((), cursor=want.cursor)


@planted(reading.error_is_no_page, "html")
class Unworried(Swallowing):
    """A page of a proxy is an empty page."""

    swallowed = PlatformBusy


@planted(reading.throttled_for_good)
class Resigned(Swallowing):
    """Asked to slow down, it says that there is nothing."""

    swallowed = PlatformBusy


@planted(reading.consent_taken_back)
class Unheard(Swallowing):
    """Without consent, there is nothing to read."""

    swallowed = ConsentLost


@planted(reading.throttled, "with Retry-After")
class Pushing:
    """It does not wait when it is asked to."""

    def __init__(self, settings, ports):
        super().__init__(settings, replace(ports, sleep=lambda _s: None))


@planted(reading.answer_does_not_come)
class Patient(WithPorts):
    """It waits for ever, with a client of its own."""

    def pull(self, want):
        request = urllib.request.Request(f"{self.settings.url}/changes?after=0")
        request.add_header("Authorization", f"Bearer {self.ports.tokens.load().access}")
        with contextlib.suppress(OSError), urllib.request.urlopen(request) as answer:
            answer.read()
        yield Page(())


@planted(reading.token_shared)
@planted(reading.token_ends)
class Forever(WithPorts):
    """It renews its token before every pull."""

    def pull(self, want):
        with self.ports.tokens.exclusive():
            self.ports.tokens.save(self.ports.tokens.load())
        return super().pull(want)


@planted(reading.totals_tie, "customer")
class Stingy:
    """Totals lack a cent."""

    def totals(self, as_of):
        return tuple(replace(one, amount=one.amount - Money(1, "USD")) for one in super().totals(as_of))


@planted(reading.totals_tie, "ledger", of="quickbooks")
class Partial:
    """The ledger's total leaves out what is not applied."""

    def totals(self, as_of):
        return tuple(one for one in super().totals(as_of) if one.customer is not None)

    def control(self):
        return tuple(replace(one, amount=one.amount + Money(1, "USD")) for one in super().control())


# ---- writing


class Bodies:
    """A defect of every planned body."""

    def plan(self, bundle, fresh, done):
        call = super().plan(bundle, fresh, done)
        if isinstance(call, Cannot | None) or call.verb != "post_receipt":
            return call
        return replace(call, body=json.dumps(self.spoiled_body(json.loads(call.body))).encode())


@planted(writing.booked_as_asked, "post_receipt")
class Generous(Bodies):
    """A cent more is applied than was decided, and a cent less is left."""

    def spoiled_body(self, body):
        name = list(body["lines"])[-1]
        return body | {"lines": body["lines"] | {name: "9.92"}}


@planted(writing.booked_as_asked, "park", of="quickbooks")
class Rounded:
    """Parked money is rounded to whole dollars."""

    def plan(self, bundle, fresh, done):
        [intent] = bundle.intents
        whole = Money(round(intent.total.minor, -2), intent.total.currency)
        return super().plan(replace(bundle, intents=(replace(intent, total=whole),)), fresh, done)


@planted(writing.exact_bytes, "post_receipt")
class Tidy:
    """A body is written anew before it is sent."""

    def send(self, calls):
        for call in calls:
            tidied = replace(call, body=json.dumps(json.loads(call.body), sort_keys=True, indent=1).encode())
            [answer] = super().send([tidied])
            yield replace(answer, call=call)


@planted(writing.marked, "post_receipt")
class Anonymous(Bodies):
    """What is created does not say whose it is."""

    def spoiled_body(self, body):
        return body | {"note": "by arsync"}


@planted(writing.several_at_once, "post_receipt")
class Mute:
    """A call gets no answer."""

    def send(self, calls):
        return iter(list(super().send(calls))[1:])


class Together:
    """A manifest that lets several calls be sent at once."""

    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        if hasattr(cls, "manifest"):
            writes = {verb: replace(how, calls_per_send=3) for verb, how in cls.manifest.writes.items()}
            cls.manifest = replace(cls.manifest, writes=writes)


@planted(writing.shared_answer_lost, "post_receipt")
class Sweeping(Together, Answers):
    """A lost answer to several calls is a refusal of all."""

    def spoiled(self, answer):
        return replace(answer, outcome="refused") if answer.outcome == "unknown" else answer


@planted(writing.each_for_itself, "post_receipt")
class Discouraged(Together):
    """After a refusal, the calls behind it are refused unasked."""

    def send(self, calls):
        last = "accepted"
        for call in calls:
            answer = (
                next(super().send([call]))
                if last == "accepted"
                else Answer(call, last, None, why="as before")
            )
            last = answer.outcome
            yield answer


@planted(writing.bundle_in_order, "post_receipt")
class Numberless:
    """Every call of a bundle is its first."""

    def plan(self, bundle, fresh, done):
        call = super().plan(bundle, fresh, done)
        return call if isinstance(call, Cannot | None) else replace(call, number=0)


@planted(writing.discount_used, "post_credit", of="quickbooks")
class Wasteful:
    """The credit a bundle posts is left over."""

    def plan(self, bundle, fresh, done):
        spoiled = tuple(self.without(intent) for intent in bundle.intents)
        return super().plan(replace(bundle, intents=spoiled), fresh, done)

    def without(self, intent):
        if not isinstance(intent, PostReceipt):
            return intent
        settles = tuple(Settle(one.item, intent.total) for one in intent.settles)
        return replace(intent, settles=settles, credits_of=())


@planted(writing.plan_is_pure, "post_receipt")
class Whimsical:
    """A call gets another key each time it is planned."""

    def plan(self, bundle, fresh, done):
        call = super().plan(bundle, fresh, done)
        return call if isinstance(call, Cannot | None) else replace(call, key=uuid.uuid4().hex)


@planted(writing.wrong_currency, "post_receipt")
class Changer:
    """Foreign money is booked as if it were home currency."""

    def plan(self, bundle, fresh, done):
        [intent] = bundle.intents
        home = replace(
            intent,
            total=Money(intent.total.minor, "USD"),
            settles=tuple(Settle(one.item, Money(one.amount.minor, "USD")) for one in intent.settles),
        )
        return super().plan(replace(bundle, intents=(home,)), fresh, done)


@planted(writing.lost_after, "post_receipt")
class Confident(Answers):
    """A lost answer is a success."""

    def spoiled(self, answer):
        return replace(answer, outcome="accepted") if answer.outcome == "unknown" else answer


@planted(writing.lost_before, "post_receipt")
class Credulous:
    """Whatever it looks for is there."""

    def find(self, call):
        return Found("present", Ref("payment", "payment-1"))


@planted(writing.late_answer, "post_receipt")
class Impatient(Answers):
    """A late answer is a refusal."""

    def spoiled(self, answer):
        return replace(answer, outcome="refused") if answer.outcome == "unknown" else answer


@planted(writing.same_key, "post_receipt")
class Rekeyed:
    """Every attempt has a key of its own."""

    def send(self, calls):
        for call in calls:
            [answer] = super().send([replace(call, key=uuid.uuid4().hex)])
            yield replace(answer, call=call)


class Excusing:
    """An error becomes an answer."""

    def send(self, calls):
        for call in calls:
            try:
                yield from super().send([call])
            except self.excused as error:
                yield Answer(call, self.told, None, why=str(error))


@planted(writing.nobody_there, "post_receipt")
class Offended(Excusing):
    """A platform that cannot be reached has refused."""

    excused, told = Unreachable, "refused"


@planted(writing.without_consent, "post_receipt")
class Unbothered(Excusing):
    """Without consent, a call is in doubt."""

    excused, told = ConsentLost, "unknown"


@planted(writing.refused, "post_receipt")
class Hoping(Answers):
    """A refusal is in doubt."""

    def spoiled(self, answer):
        return replace(answer, outcome="unknown") if answer.outcome == "refused" else answer


@planted(writing.stale, "reverse")
class Blunt(Answers):
    """A record that somebody changed is a refusal."""

    def spoiled(self, answer):
        return replace(answer, outcome="refused") if answer.outcome == "stale" else answer


@planted(writing.all_or_nothing, "post_receipt")
class Piecemeal:
    """A payment of two lines is posted line by line."""

    def send(self, calls):
        for call in calls:
            body = json.loads(call.body)
            name, much = next(iter(body["lines"].items()))
            part = body | {"total": much, "lines": {name: much}}
            list(super().send([replace(call, key=f"{call.key}-1", body=json.dumps(part).encode())]))
            yield from super().send([call])


@planted(writing.find_never_writes, "post_receipt")
class Insistent:
    """To find a call it is sent again."""

    def find(self, call):
        [answer] = self.send([call])
        return Found("present" if answer.outcome == "accepted" else "absent", answer.ref)


@planted(writing.not_mistaken, "post_receipt")
class Grasping:
    """Any payment over the same amount is taken for ours."""

    def find(self, call):
        total = json.loads(call.body)["total"]
        for page in self.pull(Pull(None)):
            for record in page.records:
                if isinstance(record.value, Payment) and record.value.total.text() == total:
                    return Found("present", record.ref)
        return Found("absent")


@planted(writing.odd_names, "post_receipt")
class Unquoted:
    """What it looks for is not escaped in the question."""

    def find(self, call):
        return Found("absent") if "'" in json.loads(call.body)["reference"] else super().find(call)


@planted(writing.undone, "post_receipt")
class Irrevocable:
    """What is declared to be deletable cannot be deleted."""

    def plan(self, bundle, fresh, done):
        if isinstance(bundle.intents[0], Reverse):
            return Cannot("we do not do that", "unsupported")
        return super().plan(bundle, fresh, done)


# ---- the tests


def subject(mutant, pebble, pebble_bench):
    """The connector without the defect, and its bench."""
    if mutant.of == "quickbooks":
        return QuickBooksConnector, quickbooks_bench
    return pebble.PebbleConnector, pebble_bench


def trial_of(mutant, manifest):
    [trial] = [
        one for one in trials(manifest) if one.case.run is mutant.case and one.tried_with == mutant.tried_with
    ]
    return trial


@pytest.mark.parametrize("mutant", [pytest.param(m, id=f"{m.case.__name__}: {m.name}") for m in MUTANTS])
def test_a_planted_defect_is_caught_by_its_case(mutant, pebble, pebble_bench):
    sound, bench = subject(mutant, pebble, pebble_bench)
    broken = type("Broken", (mutant.defect, sound), {})
    trial = trial_of(mutant, broken.manifest)
    with pytest.raises((Violation, ArsyncError)):
        trial.run(broken, bench)


def test_every_case_has_a_planted_defect():
    assert {mutant.case for mutant in MUTANTS} == {case.run for case in CASES}


@pytest.mark.parametrize(
    ("declaring", "case"),
    [
        (Windowed, reading.after_long),
        (Together, writing.shared_answer_lost),
        (Together, writing.each_for_itself),
        (Together, writing.several_at_once),
    ],
)
def test_without_the_defect_the_case_is_passed(declaring, case, pebble, pebble_bench):
    """What the tutorial's connector does not declare, and defects do: the defect is what is caught."""
    sound = type("Sound", (declaring, pebble.PebbleConnector), {})
    trial = next(one for one in trials(sound.manifest) if one.case.run is case)
    trial.run(sound, pebble_bench)


def test_an_unreadable_record_is_what_the_planted_guesses_stand_on():
    """The defects of Forgiving act on `Unreadable`: without one they would change nothing."""
    page = Page((), (Unreadable(Ref("item", "i"), b'{"total": "n/a", "customer": "c"}', "total", "n/a"),))
    assert Zeroing().spoiled(page).records[0].value.original == Money(0, "USD")
