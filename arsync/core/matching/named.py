"""Pass 3: the text names items. Which, and do the amounts agree?

Shape   `by_references(book, sets, receipt, payer, spent)` -> explanations best first, the reason against the
        first, rejected candidates.
Law     amounts agree to the minor unit or the explanation says what is short, over or netted. A short, weak
        or shared number names an item only within the customers the payer may be.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter

from arsync.core.decisions import Evidence, EvidenceClass, Explanation, Reason, Rejected, Share
from arsync.core.matching.candidates import Book, Pool, discount_minor, twin_key
from arsync.core.matching.decide import threshold
from arsync.core.matching.explain import (
    con,
    explanation,
    label,
    labels,
    money,
    owner_of,
    payer_evidence,
    pro,
    standing,
)
from arsync.core.matching.normalise import fold
from arsync.core.matching.payers import Payer
from arsync.core.matching.references import Mention, Reading, read
from arsync.core.matching.sets import Sets
from arsync.core.matching.snapshot import ItemRow, MatchPolicy, ReceiptRow
from arsync.core.matching.solve import SumTable

_CREDITS_NETTED = 3
_SMALLER = 20  # what is over is no item if every other item is so many times as large
_REST_PER_NAMED = 3
_LONG_REST = 0.985  # the numbers are whole and the payer's own
_LONG_REST_MISREAD = 0.95  # they may be misread
_NAMED = 0.999  # how sure the items are that a text names
_SHARE_OF_ITEM = 2  # a small difference is small only on an item at least this many times as large
_OVER_SHARE = 10  # more than a tenth too much is hardly an over-payment; rather an item that is not named
_LITTLE_SHORT = 5  # a fifth too little is a claim; more is a part payment, or something else is in it
_PARTS = (2, 3, 4, 5, 10)  # halves, thirds, ...: what people pay when they pay in parts
_ROUND_MINOR = 100_00
_CONFUSED = str.maketrans("OILSBZ", "011582")
_LEAST_CUT = 4
_LEAST_PART = 3
_WORD = re.compile(r"^[A-Z]+")
# A word for more to come, or a list that breaks off at a separator or inside a word for "and".
_MORE = re.compile(
    r"\b(?:ETC|U\.A\.|E\.A\.|AND OTHERS|UND ANDERE)|\+ ?MORE|(?:[,&+]|[0-9] +(?:AND?|UND?|ET?|EN|[AUY])) *$"
)
_RF = re.compile(r"^RF[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Named:
    """The items a text names."""

    items: tuple[ItemRow, ...]  # by their own numbers, in order of the text
    grouped: tuple[ItemRow, ...]  # by an order several items share
    weak: frozenset[int]  # item ids named by short or cut numbers only
    foreign: tuple[ItemRow, ...]  # named, but in another currency
    strange: tuple[
        str, ...
    ]  # short invoice numbers that only items of customers have who may not be the payer
    unknown: tuple[str, ...]  # invoice numbers no open item has
    unread: tuple[str, ...]  # these and all other numbers no open item has
    open_end: bool  # the list of numbers may go on
    shared: tuple[str, ...]  # numbers several items have
    rejected: tuple[Rejected, ...]
    owners: frozenset[int]  # the customers of everything that has one of the numbers


@dataclass(frozen=True, slots=True)
class Outcome:
    """Explanations best first and what stands in the way of the first."""

    explanations: tuple[Explanation, ...] = ()
    reason: Reason | None = None
    unique: bool = True


@dataclass(frozen=True, slots=True)
class _Case:
    """One receipt's question, handed around."""

    book: Book
    sets: Sets
    receipt: ReceiptRow
    payer: Payer
    named: Named
    spent: set[int]

    @property
    def owners(self) -> frozenset[int]:
        return frozenset(item.customer_id for item in (*self.named.items, *self.named.grouped))

    def explain(
        self,
        shares: Sequence[Share],
        klass: EvidenceClass,
        likely: str | float,
        evidence: Sequence[Evidence],
    ) -> Explanation:
        owners = frozenset(self.book.items[share.item_id].customer_id for share in shares) or self.owners
        owner = owner_of(self.book, self.payer, owners)
        more = payer_evidence(self.book, self.payer, owners)
        return explanation(self.receipt, owner, shares, klass, likely, (*evidence, *more))

    def discount_minor(self, item: ItemRow) -> int:
        return discount_minor(item, self.receipt.on, self.book.policy.discount_grace_days)

    def money(self, minor: int) -> str:
        return money(minor, self.receipt.currency)


def reading_of(book: Book, receipt: ReceiptRow) -> Reading:
    """What the receipt's texts name; the end-to-end id is read only where the text names nothing."""
    texts = list(receipt.texts)
    if receipt.creditor_reference:
        texts.append("INV " + _RF.sub("", fold(receipt.creditor_reference).replace(" ", "")))
    found = read(texts, book.known_keys)
    if found.mentions or not receipt.end_to_end_id:
        return found
    return replace(
        read((receipt.end_to_end_id,), book.known_keys),
        unknown=found.unknown,
        unread=found.unread,
        open_end=found.open_end,
    )


def named_items(book: Book, receipt: ReceiptRow, payer: Payer, spent: set[int]) -> Named:
    """The open items that the receipt's texts name."""
    reading = reading_of(book, receipt)
    near = frozenset(relative for candidate in payer.candidates for relative in book.relatives(candidate))
    items: dict[int, ItemRow] = {}
    grouped: dict[int, ItemRow] = {}
    strong: set[int] = set()
    foreign: dict[int, ItemRow] = {}
    strange: list[str] = []
    shared: list[str] = []
    rejected: list[Rejected] = []
    owners: set[int] = set()
    for mention in reading.mentions:
        rows = [row for row in _rows(book, mention) if row.id not in spent]
        owners.update(row.customer_id for row in rows)
        alien = [row for row in rows if row.currency != receipt.currency]
        rows = [row for row in rows if row.currency == receipt.currency]
        rows = [row for row in rows if row.customer_id in near] or rows
        if mention.weak and not near.intersection(row.customer_id for row in rows):
            rejected += _too_weak(mention, rows)
            strange += [mention.raw] if mention.labelled else []
            continue
        foreign.update((row.id, row) for row in alien if not rows)
        if len(rows) == 1 or (
            rows and len({twin_key(row) for row in rows}) == 1 and book.numbered(mention.key)
        ):
            row = min(rows, key=lambda row: row.id)
            items[row.id] = row
            strong |= set() if mention.weak else {row.id}
        elif rows and book.ordered(mention.key) and len({row.customer_id for row in rows}) == 1:
            grouped.update((row.id, row) for row in rows)
        elif rows:
            shared.append(mention.raw)
            rejected.append(
                Rejected(
                    None,
                    tuple(row.id for row in rows),
                    f"Number {mention.raw} is the number of {len(rows)} items.",
                )
            )
    return Named(
        tuple(items.values()),
        tuple(row for row in grouped.values() if row.id not in items),
        frozenset(items.keys() - strong),
        tuple(foreign.values()),
        tuple(strange),
        reading.unknown,
        reading.unread,
        reading.open_end,
        tuple(shared),
        tuple(rejected),
        frozenset(owners),
    )


def by_references(
    book: Book, sets: Sets, receipt: ReceiptRow, payer: Payer, spent: set[int], named: Named
) -> Outcome:
    """Explanations that rest on the named items."""
    if not named.items and not named.grouped:
        return Outcome()
    case = _Case(book, sets, receipt, payer, named, spent)
    exact = _exact(case)
    if exact:
        first = exact[0]
        reason = _objection(case, first)
        # Choices that were weighed against each other share one certainty.
        outweighs = book.policy.weighed and sum(one.probability for one in exact) <= 1 <= (
            first.probability + 1 - threshold(receipt, book.policy)
        )
        return Outcome(tuple(exact), reason, unique=len(exact) == 1 or outweighs)
    rest = _with_rest(case)
    if rest.explanations:
        return rest
    around = _with_rest(case, roof=True)
    if around.explanations:
        nobody_said = None if _pays_for_its_own(case, around.explanations[0]) else Reason.WEAK_EVIDENCE
        return replace(around, reason=around.reason or nobody_said)
    near = _near(case)
    if not near:
        return Outcome()
    reason = Reason.SHORT_PAY if not near[0].on_account_minor else Reason.OVER_PAY
    return Outcome(tuple(near), reason, unique=len(near) == 1)


def _pays_for_its_own(case: _Case, one: Explanation) -> bool:
    """Whether the payer is a parent, known, whose children's items these are, and policy lets sets be weighed."""
    if case.payer.known is None or not case.book.policy.weighed:
        return False
    owners = {case.book.items[share.item_id].customer_id for share in one.shares}
    return owners <= set(case.book.family(case.payer.known))


def goes_on(receipt: ReceiptRow) -> bool:
    """Whether a text says that it names not everything, or breaks off inside its list."""
    return any(_MORE.search(fold(text)) for text in receipt.texts)


def tolerated_minor(policy: MatchPolicy, currency: str, asked_minor: int) -> int:
    """How much may be missing from what is asked for: the policy's amount, and its share of that."""
    whole = policy.small_difference_minor.get(currency, 0)
    return min(whole, asked_minor * policy.small_difference_bp // 10_000)


def resembles(raw: str, number: str | None) -> bool:
    """Whether a number may be this one with a slip: a character off, two swapped, look-alikes, cut off."""
    if not number:
        return False
    ours, theirs = (_figures(text).lstrip("0") for text in (number, raw))
    if len(theirs) >= _LEAST_CUT and ours.startswith(theirs):
        return True
    if len(theirs) < _LEAST_CUT:
        return False
    from rapidfuzz.distance import OSA

    return OSA.distance(ours, theirs, score_cutoff=1) <= 1 or (
        len(ours) > len(theirs) and OSA.distance(ours[-len(theirs) :], theirs, score_cutoff=1) <= 1
    )


def part_of(raw: str, number: str | None) -> bool:
    """Whether a number that no item has may be a piece of this one, or this one with a slip."""
    return resembles(raw, number) or piece_of(raw, number)


def piece_of(raw: str, number: str | None) -> bool:
    """Whether a number may be a piece of this one."""
    return number is not None and len(_figures(raw)) >= _LEAST_PART and _figures(raw) in _figures(number)


@lru_cache(maxsize=65_536)  # the numbers of one customer are compared again and again
def _figures(text: str) -> str:
    """The digits after a leading word, letters that look like digits among them."""
    packed = _WORD.sub("", re.sub(r"[^0-9A-Z]", "", fold(text)))
    return re.sub(r"[^0-9]", "", packed.translate(_CONFUSED))


def _rows(book: Book, mention: Mention) -> list[ItemRow]:
    return book.numbered(mention.key) or book.ordered(mention.key)


def _too_weak(mention: Mention, rows: Sequence[ItemRow]) -> list[Rejected]:
    ids = tuple(row.id for row in rows)
    return [
        Rejected(
            None, ids, f"{mention.raw} alone is too short to name an item, and the payer is not its customer."
        )
    ]


def _objection(case: _Case, first: Explanation) -> Reason | None:
    if case.named.foreign:
        return Reason.CURRENCY_MISMATCH
    if first.customer_id is None:
        return Reason.SEVERAL_CUSTOMERS
    if first.on_account_minor:
        return Reason.OVER_PAY
    return None


def _exact(case: _Case) -> list[Explanation]:
    """Explanations whose amounts agree to the minor unit, from the strictest reading on."""
    named = case.named
    everything = (*named.items, *named.grouped)
    readings = [everything]
    if named.weak:
        readings.append(tuple(item for item in everything if item.id not in named.weak))
    for items in readings:
        if items and (found := _agreeing(case, items)):
            return found
    return _some_of(case, everything)


def _agreeing(case: _Case, items: tuple[ItemRow, ...]) -> list[Explanation]:
    total = sum(item.available_minor for item in items)
    amount = case.receipt.amount_minor
    kind = _reference_kind(case, items)
    stated = pro("named", f"The text names {labels(items)}.")
    if total == amount:
        agree = pro("amount-agrees", f"Their open amounts add up to {case.money(amount)} exactly.")
        return [
            case.explain(
                [Share(i.id, i.available_minor) for i in items],
                EvidenceClass.REFERENCE,
                kind,
                (stated, agree),
            )
        ]
    discounted = _with_discounts(case, items, total - amount)
    if len(discounted) == 1:
        taken = pro(
            "discount", f"{case.money(total - amount)} less is the cash discount the terms grant on this day."
        )
        return [case.explain(discounted[0], EvidenceClass.REFERENCE, kind, (stated, taken))]
    found = _with_credits(case, items, stated)
    # What is left out as too weak to name an item might be just what is missing.
    if found or len(items) < len(case.named.items):
        return found
    return _small_difference(case, items, stated)


def _reference_kind(case: _Case, items: Sequence[ItemRow]) -> str:
    stand = standing(case.book, case.payer, frozenset(item.customer_id for item in items))
    if all(item.id in case.named.weak for item in items):
        return "weak reference" if stand in {"agrees", "likely"} else "weak reference, payer unknown"
    if not case.named.items:
        return "order" if stand in {"agrees", "likely"} else "order, some items"
    if stand == "other" or (stand == "unknown" and _fits_who_it_looks_like(case)):
        return "reference, other payer"
    return f"reference, payer {stand}"


def _fits_who_it_looks_like(case: _Case) -> bool:
    """Whether a customer that the payer may be owes an item of just this amount: the number may be misread."""
    near = {relative for one in case.payer.candidates for relative in case.book.relatives(one)}
    alike = case.book.by_amount.get((case.receipt.currency, case.receipt.amount_minor), ()) if near else ()
    return any(item.customer_id in near for item in alike)


def _with_discounts(case: _Case, items: Sequence[ItemRow], missing_minor: int) -> list[list[Share]]:
    """The ways in which granted discounts explain what is missing: all of them, else the only subset."""
    granted = [(item, case.discount_minor(item)) for item in items]
    eligible = [(item, less) for item, less in granted if less]
    if missing_minor <= 0 or not eligible:
        return []
    if sum(less for _, less in eligible) == missing_minor:
        chosen = [frozenset(item.id for item, _ in eligible)]
    elif _breaks_off(case):
        return []  # all of them may be taken, and another item paid
    else:
        table = SumTable([less for _, less in eligible], case.book.policy.search_budget)
        sums = table.find(missing_minor, len(eligible))
        chosen = [frozenset(eligible[place][0].id for place in places) for places in sums.sets]
        chosen = chosen if sums.complete else []
    return [
        [
            Share(item.id, item.available_minor - less, less)
            if item.id in taking
            else Share(item.id, item.available_minor)
            for item, less in granted
        ]
        for taking in chosen
    ]


def _breaks_off(case: _Case) -> bool:
    """Whether more may be paid than the text has room to name."""
    return case.named.open_end or goes_on(case.receipt)


def _pool_of(case: _Case, items: Sequence[ItemRow], *, roof: bool) -> Pool:
    """What the named items' customers have besides; with `roof`, and all their relatives."""
    if roof:
        return Pool(_under_one_roof(case, items))
    owners = frozenset(item.customer_id for item in items)
    owner = owner_of(case.book, case.payer, owners)
    family = case.book.family(owner) if owner is not None else ()
    taken = case.spent | {item.id for item in items}
    return case.book.pool(family, case.receipt.currency, taken)


def _with_credits(case: _Case, items: tuple[ItemRow, ...], stated: Evidence) -> list[Explanation]:
    """The named items less credit memos that are not named: only if one choice of credits fits."""
    if case.book.creditors.isdisjoint(
        relative for i in items for relative in case.book.relatives(i.customer_id)
    ):
        return []
    open_credits = _credits_of(case, items)
    if not open_credits:
        return []
    found: list[Explanation] = []
    for shares in _plain_and_discounted(case, items):
        missing = case.receipt.amount_minor - sum(share.applied_minor for share in shares)
        sums = SumTable([c.available_minor for c in open_credits], case.book.policy.search_budget).find(
            missing, _CREDITS_NETTED
        )
        for places in sums.sets if missing < 0 else ():
            netted = [open_credits[place] for place in places]
            text = pro("credit-netted", f"Less {labels(netted)} the amounts agree exactly.")
            everything = [*shares, *(Share(item.id, item.available_minor) for item in netted)]
            found.append(
                case.explain(everything, EvidenceClass.REFERENCE, "reference with credit", (stated, text))
            )
    return found


def _credits_of(case: _Case, items: Sequence[ItemRow]) -> tuple[ItemRow, ...]:
    """The open credits of everybody under the roof of the items' customers."""
    roof = frozenset(relative for item in items for relative in case.book.relatives(item.customer_id))
    taken = case.spent | {item.id for item in items}
    return case.book.pool(tuple(sorted(roof)), case.receipt.currency, taken).credits


def _plain_and_discounted(case: _Case, items: Sequence[ItemRow]) -> list[list[Share]]:
    plain = [Share(item.id, item.available_minor) for item in items]
    less = [case.discount_minor(item) for item in items]
    if not any(less):
        return [plain]
    taken = [
        Share(item.id, item.available_minor - minor, minor) for item, minor in zip(items, less, strict=True)
    ]
    return [plain, taken]


def _small_difference(case: _Case, items: tuple[ItemRow, ...], stated: Evidence) -> list[Explanation]:
    asked = sum(item.available_minor for item in items)
    tolerated = tolerated_minor(case.book.policy, case.receipt.currency, asked)
    missing = asked - case.receipt.amount_minor
    if case.named.grouped or case.named.unknown or case.named.shared or _breaks_off(case):
        return []  # then another item may be what is missing
    largest = max(items, key=lambda item: (item.available_minor, -item.id))
    if not 0 < missing <= tolerated or largest.available_minor < _SHARE_OF_ITEM * missing:
        return []
    instead = {item.available_minor - missing for item in items}
    others = {other.available_minor for other in _under_one_roof(case, items)}
    if not instead.isdisjoint(others):
        return []  # one of the numbers may be misread: with that item nothing is missing
    if any(-missing - credit in others for credit in others if credit < 0):
        return []  # a credit and an item that nobody named may be what is missing
    shares = [
        Share(i.id, i.available_minor - missing, write_off_minor=missing)
        if i is largest
        else Share(i.id, i.available_minor)
        for i in items
    ]
    text = pro(
        "small-difference",
        f"{case.money(missing)} is missing, within the tolerance of {case.money(tolerated)}.",
    )
    kind = "reference with small difference"
    if _reference_kind(case, items) not in {"reference, payer agrees", "reference, payer likely"}:
        kind = "small difference"
    return [case.explain(shares, EvidenceClass.REFERENCE, kind, (stated, text))]


def _some_of(case: _Case, items: tuple[ItemRow, ...]) -> list[Explanation]:
    """Some of the named items fit alone: all of an order's, or a text that names paid items too."""
    if sum(item.available_minor for item in items) <= case.receipt.amount_minor or len(items) == 1:
        return []
    fits = case.sets.fits(Pool(items), case.receipt.amount_minor, case.receipt.on)
    found = []
    for fit in fits.fits[: case.book.policy.max_suggestions]:
        left = [item for item in items if item not in fit.items]
        evidence = (
            pro(
                "named",
                f"The text names {labels(fit.items)}, in sum {case.money(case.receipt.amount_minor)}.",
            ),
            con("named-not-paid", f"It names {labels(left)} too, for which nothing is left."),
        )
        only_grouped = _of_their_orders(case, fit.items, left)
        klass = EvidenceClass.SET if len(fit.items) > 1 else EvidenceClass.ONE_ITEM
        klass = klass if only_grouped else EvidenceClass.PARTIAL
        likely = fit.weight / fits.total * _NAMED
        found.append(case.explain(fit.shares(), klass, likely, evidence))
    return found


def _of_their_orders(case: _Case, paid: Sequence[ItemRow], left: Sequence[ItemRow]) -> bool:
    """Whether what is left has no number in the text: it only shares an order with something that is paid."""
    orders = {reference for item in paid for reference in item.references}
    return all(item in case.named.grouped and not orders.isdisjoint(item.references) for item in left)


def _with_rest(case: _Case, *, roof: bool = False) -> Outcome:
    """The named items and, for what they leave, exactly fitting items of the same customer; or of its whole family."""
    named = (*case.named.items, *case.named.grouped)
    found: list[Explanation] = []  # as likely as their weight, until all are known
    total, alike = 0.0, False
    pool = _pool_of(case, named, roof=roof)
    for shares in _plain_and_discounted(case, named):
        rest = case.receipt.amount_minor - sum(share.applied_minor for share in shares)
        if rest <= 0:
            continue
        fits = case.sets.fits(pool, rest, case.receipt.on)
        total += fits.total
        alike |= fits.alike
        for fit in fits.fits[: case.book.policy.max_suggestions]:
            evidence = (
                pro("named", f"The text names {labels(named)}."),
                pro("rest-fits", f"The remaining {case.money(rest)} is {labels(fit.items)}. {fit.note}"),
            )
            klass = EvidenceClass.ONE_ITEM if len(fit.items) == 1 else EvidenceClass.SET
            found.append(case.explain([*shares, *fit.shares()], klass, fit.weight, evidence))
    if not found:
        return Outcome()
    found.sort(key=attrgetter("probability"), reverse=True)
    weighed = tuple(
        replace(one, probability=min(one.probability / total * _NAMED, _vouched(case, len(one.shares))))
        for one in found
    )
    outweighs = case.book.policy.weighed and weighed[0].probability >= threshold(
        case.receipt, case.book.policy
    )
    alone = len(found) == 1 or (outweighs and not alike)
    reason = _objection(case, weighed[0]) or (None if alone else Reason.SEVERAL_SETS)
    if case.payer.known is None and not case.payer.candidates:
        reason = reason or Reason.UNKNOWN_PAYER
    return Outcome(weighed, reason, unique=alone)


def _vouched(case: _Case, size: int) -> float:
    """A few numbers vouch less for a long rest: one of them misread would move every item of it."""
    named = len(case.named.items) + len(case.named.grouped)
    if size - named <= _REST_PER_NAMED * named:
        return _NAMED
    return _LONG_REST_MISREAD if case.named.weak or case.named.grouped or _is_anothers(case) else _LONG_REST


def _near(case: _Case) -> list[Explanation]:
    """Short or over: the named items as far as the money goes, the rest open or on account."""
    items = [*case.named.items, *case.named.grouped]
    amount = case.receipt.amount_minor
    total = sum(item.available_minor for item in items)
    stated = pro("named", f"The text names {labels(items)}.")
    if 0 < total < amount:
        extra = con(
            "over", f"{case.money(amount - total)} more was paid than they ask for; it would stay on account."
        )
        shares = [Share(item.id, item.available_minor) for item in items]
        kind = _over_kind(case, items, amount - total)
        return [case.explain(shares, EvidenceClass.PARTIAL, kind, (stated, extra))]
    missing = total - amount
    if missing <= 0:  # only credits are named: they ask for no money
        return []
    # A short payment is mostly a claim against the largest item; the payer's last is the usual alternative.
    bearers = [
        item
        for item in (max(items, key=lambda i: (i.available_minor, -i.id)), items[-1])
        if item.available_minor > missing
    ]
    found = []
    for bearer in dict.fromkeys(bearers):
        text = con("short", f"{case.money(missing)} is missing; it would stay open on {label(bearer)}.")
        shares = [Share(i.id, i.available_minor - (missing if i is bearer else 0)) for i in items]
        alone = len(items) == 1 and _plainly_named(case) and not _has_near_number(case, items[0])
        kind = _short_kind(case, items[0], missing) if alone else "short"
        kind = "short, other payer" if _is_anothers(case) else kind
        found.append(case.explain(shares, EvidenceClass.PARTIAL, kind, (stated, text)))
    return found


def _is_anothers(case: _Case) -> bool:
    """Whether the payer is, or looks like, somebody who does not owe what is named."""
    somebody = case.payer.known is not None or bool(case.payer.candidates)
    return somebody and standing(case.book, case.payer, case.owners) in {"other", "unknown"}


def _short_kind(case: _Case, item: ItemRow, missing_minor: int) -> str:
    """How sure it is that one named item is paid short: much less is a part payment only where it looks like one."""
    paid = case.receipt.amount_minor
    little = missing_minor * _LITTLE_SHORT <= item.available_minor
    parts = (abs(paid * of - item.original_minor * n) <= of for of in _PARTS for n in range(1, of))
    return "short, nothing else named" if little or not paid % _ROUND_MINOR or any(parts) else "short by much"


def _over_kind(case: _Case, items: Sequence[ItemRow], extra_minor: int) -> str:
    """How sure it is that more was paid than was asked, and not another item that is not named.

    A list may go on where the text ends: only of one item is it believed that nothing else was meant.
    """
    if extra_minor * _OVER_SHARE > sum(item.available_minor for item in items):
        return "over, much"
    others = [item for item in _under_one_roof(case, items) if item.available_minor > 0]
    smallest = min((item.available_minor for item in others), default=_SMALLER * extra_minor)
    return (
        "over, nothing else as small"
        if len(items) == 1 and smallest >= _SMALLER * extra_minor and _plainly_named(case)
        else "over"
    )


def _has_near_number(case: _Case, item: ItemRow) -> bool:
    """Whether with one slip the number would be another item's of this customer."""
    return any(resembles(item.number or "", other.number) for other in _under_one_roof(case, (item,)))


def _under_one_roof(case: _Case, items: Sequence[ItemRow]) -> tuple[ItemRow, ...]:
    """Everything else that the items' customers and their relatives have open."""
    roof = frozenset(relative for item in items for relative in case.book.relatives(item.customer_id))
    taken = case.spent | {item.id for item in items}
    return case.book.pool(tuple(sorted(roof)), case.receipt.currency, taken).items


def _plainly_named(case: _Case) -> bool:
    """Whether the known payer names items of its own by their full numbers, and the text leaves nothing open."""
    named, relatives = case.named, case.book.relatives
    return (
        case.payer.known is not None
        and case.owners <= relatives(case.payer.known)
        and not (named.weak or named.grouped or named.unknown or named.shared or named.foreign)
        and case.book.creditors.isdisjoint(relatives(case.payer.known))
        and not _breaks_off(case)
    )
