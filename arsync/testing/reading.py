"""What is tried of reading. The first line of each docstring is the promise, and the name of the case.

Shape   a case takes a `Stage`, and the kind, fault or total it is about; it raises `Violation`.
"""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from arsync.connectors.contract import Kind, Page, Pull, Record, Ref, Settle
from arsync.core.items import OpenItem, Payment
from arsync.core.money import Money, total
from arsync.errors import ArsyncError, ConsentLost, PlatformBusy, PlatformRefused
from arsync.testing.stage import ODD_NAME, PATIENCE_S, WIDE_NAME, Pulled, Stage
from arsync.testing.verdicts import NotExercised, Violation, few, must, same
from arsync.testing.wire import Fault, Trouble

_DAY_S = 86_400
_LONG_AWAY_S = 45 * _DAY_S
_MOST_ATTEMPTS = 20
_AFTER_S = 7
_GIVES_UP_WITHIN_S = 30 * PATIENCE_S
ODD_AMOUNT = 47113_91  # found nowhere else in an answer
TROUBLES: tuple[Trouble, ...] = ("html", "empty", "truncated", "torn", "broken", "lost before")


# ---- what arrives


def kind_arrives(stage: Stage, kind: Kind) -> None:
    """A first pull brings every record of a declared kind."""
    made = _one_of(stage, kind)
    found = stage.pull()
    must(found.of(kind), f"the manifest declares {kind}, and a first pull brings none")
    must(made is None or made in found.records, f"{made} is in the books and in no page of a first pull")
    stray = {ref.kind for ref in found.records} - stage.manifest.reads.keys()
    must(not stray, f"records of kinds that the manifest does not declare: {few(sorted(stray))}")


def names_arrive(stage: Stage) -> None:
    """Apostrophes, backslashes and letters of any script arrive as they are."""
    for name in (ODD_NAME, WIDE_NAME):
        ref = stage.bench.customer(name)
        same(_record(stage.pull(), ref).value.name, name, "the customer's name")


def amounts_are_exact(stage: Stage) -> None:
    """An amount that no float can hold arrives to the minor unit, and digit for digit in `raw`."""
    ref = stage.bench.invoice(stage.bench.customer("Exact"), stage.money(ODD_AMOUNT))
    digits = "999999999999999.99" if stage.money(1).text() != "1" else "999999999999999"
    record = _record(_respelled(stage, digits), ref)
    value = cast("OpenItem", record.value)
    same(value.original, Money.of(digits, stage.bench.currency), "an amount of 15 digits")
    must(digits.replace(".", "") in record.raw.decode().replace(".", ""), f"`raw` does not hold {digits}")


def unreadable_amount(stage: Stage, spelling: str) -> None:
    """An amount that cannot be read is Unreadable with its raw text: never 0, never left out."""
    customer = stage.bench.customer("Unreadable")
    ref = stage.bench.invoice(customer, stage.money(ODD_AMOUNT))
    other = stage.bench.invoice(customer, stage.money(55_55))
    found = _respelled(stage, spelling)
    must(ref not in found.records, f"an invoice over {spelling!r} became {found.records.get(ref)}")
    told = [one for one in found.unreadable if one.ref == ref]
    must(told, f"an invoice over {spelling!r} is left out without a word")
    must(spelling.encode() in told[0].raw, f"`Unreadable.raw` does not hold {spelling!r}")
    must(told[0].field and told[0].why, "`Unreadable` names no field or no reason")
    must(other in found.records, "one unreadable invoice takes others of its page along")


def unknown_field(stage: Stage) -> None:
    """A field nobody announced hurts nothing and is kept in `raw`."""
    customer = stage.bench.customer(ODD_NAME)
    stage.bench.invoice(customer, stage.money(12_34))
    plain = stage.pull()
    stage.wire.fault(Fault("rewritten", rewrite=stage.bench.extend))
    extended = stage.pull()
    same(_values(extended), _values(plain), "the values, with and without an unknown field")
    lost = [ref for ref in extended.of("item") if b"zzUnannounced" not in extended.records[ref].raw]
    must(not lost, f"the unknown field is not in `raw` of {few(lost)}")


def applications_arrive(stage: Stage, kind: Kind) -> None:
    """What a payment settles is told as the manifest says."""
    customer = stage.bench.customer("Settled")
    owed = stage.bench.invoice(customer, stage.money(60_00))
    payment = stage.bench.payment(customer, stage.money(50_00), (Settle(owed, stage.money(45_55)),))
    value = cast("Payment", _record(stage.pull(), payment).value)
    same((value.total, value.unapplied), (stage.money(50_00), stage.money(4_45)), "total and unapplied part")
    lines = {line.item: line.amount for line in value.lines}
    if stage.manifest.reads[kind].applications == "none":
        same(lines, {}, "what it settles, by a platform that does not tell")
    else:
        same(lines, {owed.id: stage.money(45_55)}, "what it settles")


# ---- page by page


def resumed(stage: Stage) -> None:
    """A pull resumed from the cursor of any page gives the whole: nothing lost, nothing twice."""
    staged = _some_books(stage)
    whole = stage.pull()
    for number, page in enumerate(whole.pages):
        if page.cursor is None:
            continue
        before = Pulled(whole.pages[: number + 1])
        both = Pulled((*before.pages, *stage.pull(page.cursor, known=before.records).pages))
        same(_values(both), _values(whole), f"what is there after resuming from page {number + 1}")
        must(not both.gone, f"resuming from page {number + 1} calls {few(both.gone)} gone")
    things = {ref for ref in whole.records if ref.kind in {"item", "payment"}}
    made = {ref for ref in staged if ref.kind != "customer"}
    same(things, made, "items and payments of a first pull, beside those in the books")


def equal_stamps(stage: Stage) -> None:
    """Records of one and the same second are all read, also over the edge of a page."""
    made = set(stage.bench.invoices(stage.bench.customer("Many"), 2 * stage.bench.page_rows + 3))
    lost = made - stage.pull().records.keys()
    must(
        not lost, f"{len(lost)} of {len(made)} invoices with equal stamps are in no page: {few(sorted(lost))}"
    )


def changed_meanwhile(stage: Stage) -> None:
    """A record that changes while a pull runs arrives with it or with the next one."""
    customer = stage.bench.customer("Moving")
    made = [stage.bench.invoice(customer, stage.money(10_00 + number)) for number in range(4)]
    stage.clock.sleep(_DAY_S)
    for place in _places(stage):
        ref = made[place % len(made)]
        since = len(stage.reads())
        stage.wire.fault(Fault("watched", times=1, skip=place, first=partial(stage.bench.touch, ref)))
        first = stage.pull()
        must(len(stage.reads(since)) > place, "a pull asks less often than the one before")
        both = Pulled((*first.pages, *stage.pull(first.cursor, known=first.records).pages))
        same(_record(both, ref).raw, _record(stage.pull(), ref).raw, f"{ref}, changed at request {place + 1}")


def unchanged(stage: Stage) -> None:
    """A second pull of unchanged books gives identical records."""
    _some_books(stage)
    first, second = stage.pull(), stage.pull()
    same(_rows(second), _rows(first), "the second first load")
    later = stage.pull(first.cursor, known=first.records)
    must(not later.gone, f"nothing was deleted, and {few(later.gone)} is gone")
    for ref, record in later.records.items():
        same(
            (record.value, record.raw),
            (first.records[ref].value, first.records[ref].raw),
            f"{ref}, unchanged",
        )


def whole_is_whole(stage: Stage) -> None:
    """`whole` names a kind only when every record of it has been listed."""
    staged = _some_books(stage)
    first = stage.pull()
    made = set(first.records) | set(staged) | set(stage.bench.open())
    for pull in (first, stage.pull(first.cursor), stage.pull(first.cursor, full=True)):
        _whole_holds(pull, made)
    wanted = {kind for kind, reads in stage.manifest.reads.items() if reads.gone == "absence"}
    claimed = {kind for page in stage.pull(full=True).pages for kind in page.whole}
    must(wanted <= claimed, f"absence means deletion for {few(wanted - claimed)}, and no page is ever whole")


def _whole_holds(pull: Pulled, made: set[Ref]) -> None:
    seen: set[Ref] = set()
    for number, page in enumerate(pull.pages, 1):
        seen |= {record.ref for record in page.records} | {one.ref for one in page.unreadable}
        missing = {ref for ref in made if ref.kind in page.whole} - seen
        must(not missing, f"page {number} says whole, and these were not listed: {few(sorted(missing))}")


# ---- changes


def changes_arrive(stage: Stage, kind: Kind) -> None:
    """After a change, the next pull brings that record, and not all of them again."""
    ref, other = _one_of(stage, kind), _one_of(stage, kind)
    must(ref is not None and other is not None, f"no {kind} can be put on stage")
    stage.clock.sleep(_DAY_S)
    first = stage.pull()
    must(first.cursor is not None, "changes are declared, and no page of a pull has a cursor")
    stage.clock.sleep(_DAY_S / 24)
    _touch(stage, ref)
    later = stage.pull(first.cursor, known=first.records)
    must(ref in later.records, f"{ref} was changed, and the next pull does not bring it")
    must(other not in later.records, f"{other} was not changed, and the next pull brings it again")
    must(
        later.records[cast("Ref", ref)].raw != first.records[cast("Ref", ref)].raw,
        f"{ref} was changed, and the next pull brings the old text",
    )


def full_again(stage: Stage, kind: Kind) -> None:
    """A full pull lists everything again, whatever the cursor."""
    ref = _one_of(stage, kind)
    stage.clock.sleep(_DAY_S)
    first = stage.pull()
    again = stage.pull(first.cursor, full=True, known=first.records)
    same(_values(again, kind), _values(first, kind), f"{kind} in a full pull")
    must(ref is None or ref in again.records, f"{ref} is not in a full pull")


def fetched(stage: Stage, kind: Kind) -> None:
    """Records are read by id; one that exists no more comes back as gone."""
    ref = _one_of(stage, kind) or next(iter(stage.pull().of(kind)))
    pulled = stage.pull()
    page = stage.connector().fetch([ref])
    same(
        [(one.ref, one.value) for one in page.records], [(ref, pulled.records[ref].value)], f"fetch of {ref}"
    )
    if stage.manifest.reads[kind].gone not in {"feed", "audit", "absence"}:
        return
    stage.bench.remove(ref)
    page = stage.connector().fetch([ref])
    same(([one.ref for one in page.gone], page.records), ([ref], ()), f"fetch of {ref} after it was deleted")


def after_long(stage: Stage, kind: Kind) -> None:
    """After 45 days away, everything that happened meanwhile is caught up."""
    ref, gone = _one_of(stage, kind), _one_of(stage, kind)
    stage.clock.sleep(_DAY_S)
    first = stage.pull()
    stage.clock.sleep(_LONG_AWAY_S / 4)
    _touch(stage, ref)
    if gone and stage.manifest.reads[kind].gone != "never":
        stage.bench.remove(gone)
    stage.clock.sleep(_LONG_AWAY_S)
    stage.tokens.replace(stage.bench.grant())
    later = stage.pull(first.cursor, known=first.records)
    must(ref in later.records, f"{ref} was changed weeks ago, and nobody tells")
    if gone and stage.manifest.reads[kind].gone != "never":
        _is_gone(stage, first, later, gone)


def deletion_shows(stage: Stage, kind: Kind) -> None:
    """A deletion shows the way the manifest says, and nothing else is called gone."""
    ref, other = _one_of(stage, kind), _one_of(stage, kind)
    if ref is None or other is None:
        raise Violation(f"nobody can delete a record of kind {kind}, so nothing can be declared of it")
    stage.clock.sleep(_DAY_S)
    first = stage.pull()
    stage.clock.sleep(60)
    stage.bench.remove(ref)
    later = stage.pull(first.cursor, known=first.records)
    _is_gone(stage, first, later, ref)
    must(other not in later.gone, f"{other} is there, and the next pull calls it gone")


def _is_gone(stage: Stage, first: Pulled, later: Pulled, ref: Ref) -> None:
    way = stage.manifest.reads[ref.kind].gone
    if way in {"feed", "audit"}:
        same(set(later.gone), {ref}, "what the next pull calls gone")
    elif way == "flag":
        must(not later.gone, f"deletions show as a flag, and {few(later.gone)} is gone")
        _is_flagged(_record(later, ref))
    else:
        again = stage.pull(first.cursor, full=True, known=first.records)
        must(any(ref.kind in page.whole for page in again.pages), f"no page says that {ref.kind} is whole")
        must(ref not in again.records, f"{ref} was deleted, and a full pull still lists it")
        lost = set(first.of(ref.kind)) - set(again.of(ref.kind)) - {ref}
        must(not lost, f"a full pull says whole and leaves out {few(sorted(lost))}")


def _is_flagged(record: Record) -> None:
    flags = {name: getattr(record.value, name, None) for name in ("active", "voided")}
    must(
        flags["active"] is False or flags["voided"] is True,
        f"{record.ref} was taken out of use, and its value does not say so: {record.value}",
    )


def late_stamps(stage: Stage, kind: Kind) -> None:
    """A change stamped a little before the last pull, and seen only after it, still arrives."""
    ref = _one_of(stage, kind)
    stage.clock.sleep(_DAY_S)
    first = stage.pull()
    lag_s = stage.manifest.reads[kind].overlap_s - 1
    stage.clock.set_back(lag_s)
    _touch(stage, ref)
    stage.clock.sleep(lag_s)
    later = stage.pull(first.cursor, known=first.records)
    must(
        ref in later.records, f"{ref} changed {lag_s} s before the cursor, within the declared overlap: lost"
    )


# ---- trouble


def error_is_no_page(stage: Stage, trouble: Trouble) -> None:
    """An answer that is none is an error, never an empty page, wherever in a pull it comes."""
    _some_books(stage)
    whole = stage.pull()
    for place in _places(stage):
        where = f"{trouble} answer to request {place + 1}"
        stage.wire.fault(Fault(trouble, skip=place))
        got: list[Page] = []
        try:
            got.extend(stage.connector().pull(Pull(None)))
        except (PlatformBusy, PlatformRefused) as error:
            must(error.do, f"{where}: the error does not say what to do: {error}")
        except ArsyncError as error:
            raise Violation(f"{where}: {type(error).__name__}, though nobody took anything away") from error
        else:
            raise Violation(f"{where}: {len(got)} pages and no error")
        stage.wire.heal()
        # Whatever was handed over before the error may be stored by now, so going on from it must give the whole.
        before = Pulled(tuple(got))
        after = stage.pull(before.cursor, known=before.records)
        same(
            _values(Pulled((*got, *after.pages))),
            _values(whole),
            f"{where}: what is there after the next pull",
        )


def throttled(stage: Stage, retry_after: str) -> None:
    """When asked to slow down a connector waits, as long as it is told to, and goes on."""
    retry_after_s = _AFTER_S if retry_after == "with Retry-After" else None
    _some_books(stage)
    whole = stage.pull()
    for place in _places(stage):
        stage.wire.fault(Fault("throttled", times=1, skip=place, retry_after_s=retry_after_s))
        since = len(stage.wire.exchanges)
        same(_values(stage.pull()), _values(whole), f"a pull throttled at request {place + 1}")
        asked = stage.reads(since)
        at = next(n for n, one in enumerate(asked) if one.trouble == "throttled")
        waited_s = (asked[at + 1].at - asked[at].at).total_seconds()
        must(
            waited_s >= (retry_after_s or 1),
            f"asked to slow down {retry_after}, it came back after {waited_s:g} s",
        )


def throttled_for_good(stage: Stage) -> None:
    """A platform that asks to slow down for ever is busy: an error, after a few attempts."""
    stage.wire.fault(Fault("throttled"))
    try:
        stage.pull()
    except PlatformBusy:
        must(len(stage.reads()) <= _MOST_ATTEMPTS, f"it asked {len(stage.reads())} times before it gave up")
    else:
        raise Violation("throttled for ever, a pull says that there is nothing to read")


def answer_does_not_come(stage: Stage) -> None:
    """A connector does not wait for ever: an answer that does not come is an error."""
    stage.wire.fault(Fault("late"))
    said: list[object] = []

    def reading() -> None:
        try:
            said.append(stage.pull())
        except ArsyncError as error:
            said.append(error)

    with stage.short_patience():
        thread = threading.Thread(target=reading, daemon=True)
        thread.start()
        thread.join(_GIVES_UP_WITHIN_S)
    waits_still = thread.is_alive()
    stage.wire.heal()
    thread.join()
    must(not waits_still, "it still waits for an answer that does not come")
    must(isinstance(said[0], PlatformBusy), f"an answer that does not come is {said[0]}")


def token_ends(stage: Stage) -> None:
    """An access token that ends in the middle of a pull is renewed once, and nothing is lost."""
    _some_books(stage)
    if not stage.bench.expire():
        raise NotExercised("tokens of this platform do not end")
    whole = stage.pull()
    for place in _places(stage):
        stage.wire.fault(Fault("watched", times=1, skip=place, first=stage.bench.expire))
        saved = len(stage.tokens.saved)
        same(_values(stage.pull()), _values(whole), f"a pull whose token ended at request {place + 1}")
        same(len(stage.tokens.saved) - saved, 1, f"tokens saved when one ended at request {place + 1}")


def token_shared(stage: Stage) -> None:
    """Two workers whose token ended renew it once: the second one takes what the first one saved."""
    if not stage.bench.expire():
        raise NotExercised("tokens of this platform do not end")
    stage.clock.sleep(_DAY_S / 12)
    # Slow enough that both want a new token before either has one.
    stage.wire.fault(Fault("watched", lambda sent: sent.is_sign_in, first=partial(time.sleep, 0.1)))
    with ThreadPoolExecutor(2) as workers:
        both = list(workers.map(lambda _worker: stage.pull(), range(2)))
    same(_values(both[0]), _values(both[1]), "what the two workers read")
    same(len(stage.tokens.saved), 1, "tokens saved by two workers")


def consent_taken_back(stage: Stage) -> None:
    """Without consent a pull raises ConsentLost, which tells a person what to do."""
    stage.bench.revoke()
    try:
        stage.pull()
    except ConsentLost as error:
        must(error.do, "ConsentLost does not say what to do")
    else:
        raise Violation("consent was taken back, and a pull brings pages")


# ---- totals


def totals_tie(stage: Stage, whose: str) -> None:
    """The platform's totals are the sums of the items pulled, to the minor unit."""
    _some_books(stage)
    found = stage.pull()
    ours = _open_by_customer(found)
    theirs: dict[Ref, int] = {}
    for ref, money in stage.bench.open().items():
        owner = Ref("customer", cast("Any", _record(found, ref).value).customer)
        theirs[owner] = theirs.get(owner, 0) + money.minor
    same(_nonzero(ours), _nonzero(theirs), "open per customer as pulled, beside the books' own figures")
    stated = stage.stated()
    if whose == "document":
        customers = [ref.id for ref in ours]
        listed: dict[Ref, int] = {}
        for one in stage.connector().documents(customers, stage.today):
            owner = Ref("customer", one.customer)
            listed[owner] = listed.get(owner, 0) + one.open.minor
        same(_nonzero(listed), _nonzero(ours), "the open documents per customer, beside the items pulled")
    elif whose == "customer":
        per = {Ref("customer", one.customer): one.amount.minor for one in stated if one.customer is not None}
        same(_nonzero(per), _nonzero(ours), "`totals` per customer, beside the items pulled")
    else:
        sums = {one.amount for one in stated if one.customer is None}
        wanted = total((stage.money(minor) for minor in ours.values()), stage.bench.currency)
        same(sums, {wanted}, "the ledger's total, beside the items pulled")


def _open_by_customer(found: Pulled) -> dict[Ref, int]:
    settled: dict[str, int] = {}
    for record in found.of("payment").values():
        for line in cast("Payment", record.value).lines:
            settled[line.item] = settled.get(line.item, 0) + line.amount.minor
    sums: dict[Ref, int] = {}
    for ref, record in found.records.items():
        value = record.value
        if isinstance(value, OpenItem):
            left = value.stated_open
            minor = left.minor if left is not None else value.original.minor - settled.get(ref.id, 0)
        elif isinstance(value, Payment):
            minor = -value.unapplied.minor
        else:
            continue
        owner = Ref("customer", value.customer)
        sums[owner] = sums.get(owner, 0) + minor
    return sums


def _nonzero(sums: Mapping[Ref, int]) -> dict[Ref, int]:
    return {ref: minor for ref, minor in sums.items() if minor}


# ---- what cases stand on


def _some_books(stage: Stage) -> list[Ref]:
    """Two customers, more items than a page holds, and payments where the manifest knows them."""
    made = []
    for name in (ODD_NAME, WIDE_NAME):
        customer = stage.bench.customer(name)
        items = [stage.bench.invoice(customer, stage.money(minor)) for minor in (100_10, 33_33, 7)]
        made += [customer, *items]
        if "payment" in stage.manifest.reads:
            settles = (Settle(items[0], stage.money(100_10)), Settle(items[1], stage.money(3_34)))
            made.append(stage.bench.payment(customer, stage.money(110_00), settles))
    return [*made, *stage.bench.invoices(made[0], stage.bench.page_rows + 1)]


def _one_of(stage: Stage, kind: Kind) -> Ref | None:
    """A new record of this kind; None where nobody can make one (the books themselves)."""
    if kind == "books":
        return None
    customer = stage.bench.customer(f"Customer {stage.number()}")
    match kind:
        case "customer":
            return customer
        case "item":
            return stage.bench.invoice(customer, stage.money(10_01))
        case "payment":
            return stage.bench.payment(customer, stage.money(10_02))
    return stage.bench.other(kind)


def _touch(stage: Stage, ref: Ref | None) -> None:
    if ref is None:
        raise Violation("nobody can change a record of this kind, so no change of it can be declared")
    stage.bench.touch(ref)


def _respelled(stage: Stage, spelling: str) -> Pulled:
    """A pull in which the odd amount is written in another way."""
    rewritten = []

    def rewrite(answer: bytes) -> bytes:
        changed = stage.bench.respell(answer, stage.money(ODD_AMOUNT), spelling)
        rewritten.append(changed != answer)
        return changed

    stage.wire.fault(Fault("rewritten", rewrite=rewrite))
    found = stage.pull()
    must(any(rewritten), "no answer holds the amount as text: write `Bench.respell` for this platform")
    return found


def _record(found: Pulled, ref: Ref) -> Any:  # noqa: ANN401 - its value is of many kinds
    must(
        ref in found.records,
        f"{ref} is in the books and in no page; unreadable: {few(found.unreadable) or 'none'}",
    )
    return found.records[ref]


def _values(found: Pulled, kind: Kind | None = None) -> dict[Ref, object]:
    return {ref: one.value for ref, one in found.records.items() if kind in {None, ref.kind}}


def _rows(found: Pulled) -> dict[Ref, object]:
    return {ref: (one.value, one.raw, one.changed, one.version) for ref, one in found.records.items()}


def _places(stage: Stage) -> list[int]:
    """The requests of a pull in which trouble is tried: the first ones, the middle, the last ones; from 0."""
    since = len(stage.wire.exchanges)
    stage.pull()
    count = len(stage.reads(since))
    return sorted({0, 1, 2, count // 2, count - 2, count - 1} & set(range(count)))
