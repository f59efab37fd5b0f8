"""Money in another currency than the items it pays: what was sent, before a bank changed it?

Shape   `Abroad(...).sent(receipt, payer, home)` -> `Sent`: the receipt as it was sent, in the currency of the items,
        and how that is known; or why it is not. The matcher then reads what was sent like any other receipt.
Law     an amount of a worth W at a day's rate may have arrived as anything from W less the spread and a fee up to W and
        what a rate may be better: the band. What was sent is known only if the text or an advice states an amount
        within the band; or the items named come into it, and nothing else that is open comes near it (twice the
        band); or of all sets of a known payer's items just one does. Two answers are none.
Units   minor units of the items' currency; rates and bands are exact fractions until they are rounded inwards.
Cost    a search looks at no more sums than the policy's budget on each side; with more items it knows nothing.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from arsync.core.dates import add_business_days
from arsync.core.decisions import Evidence, EvidenceClass, Explanation, Reason
from arsync.core.matching.advice import Advices
from arsync.core.matching.candidates import Book, Pool, discount_minor
from arsync.core.matching.explain import con, label, labels, money, pro
from arsync.core.matching.named import Named, goes_on, named_items, part_of
from arsync.core.matching.normalise import fold
from arsync.core.matching.payers import Payer
from arsync.core.matching.snapshot import ItemRow, MatchPolicy, ReceiptRow
from arsync.core.money import AmountUnreadable, Money, exponent
from arsync.core.rates import STANDS_DAYS, Rate, Rates, worth

_BASIS = 10_000
_ADVISED = 20  # an advice vouches for so many times as much as a text does
_HARDLY_SHOWS = 10  # an item is small beside ten times as much
OLDEST_DAYS = 14 + STANDS_DAYS  # a receipt is booked ten business days late at most
_STATED = re.compile(
    r"(?:\b([A-Z]{3})[ :]?|(?<![\d.,A-Z]))(\d{1,3}(?:[ ,.']\d{3})+(?:[.,]\d{2,3})?|\d+(?:[.,]\d{1,3})?)(?![\d.,]*\d)"
)


@dataclass(frozen=True, slots=True)
class Band:
    """What may have been sent for what arrived, and the day of the rate."""

    currency: str
    low_minor: int
    high_minor: int
    day: date

    def __contains__(self, minor: int) -> bool:
        return self.low_minor <= minor <= self.high_minor

    def twice(self) -> "Band":
        """Twice as wide: what lies in it and not in the band is too near to be told apart."""
        half = (self.high_minor - self.low_minor) // 2 + 1
        return Band(self.currency, self.low_minor - half, self.high_minor + half, self.day)


@dataclass(frozen=True, slots=True)
class Sent:
    """A receipt in the currency of the items it pays, and how that is known."""

    receipt: ReceiptRow
    evidence: Evidence
    by: Literal["advice", "text", "items"]  # who says so; or it follows from the items
    unseen_minor: int  # of the receipt's currency: so much less or more would look the same
    doubt: Evidence | None = None  # why nobody may rely on it


@dataclass(frozen=True, slots=True)
class Unrated:
    """Currencies that have no rate for a receipt's day, so that nothing can be said of it."""

    on: date
    currencies: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is missing, and what to do."""
        names = ", ".join(self.currencies)
        days = f"{self.on.isoformat()} or the {STANDS_DAYS} days before"
        return f"There is no rate of {names} for {days}: arsync rates import"


@dataclass(frozen=True, slots=True)
class _Sum:
    """Items that come near to what may have been sent."""

    minor: int
    places: frozenset[int]
    plain: bool  # no discount taken


def _minor_of(hundredths: int, currency: str) -> int:
    scale: int = 10 ** exponent(currency)
    return hundredths * scale // 100


def bands(rates: Rates, receipt: ReceiptRow, currency: str, policy: MatchPolicy) -> Band | None:
    """What may have been sent in a currency: on the receipt's day, or a business day before it (booked late)."""
    found: list[Band] = []
    fee = _minor_of(policy.exchange_fee_hundredths, receipt.currency)
    least = 1 - Fraction(policy.exchange_spread_bp, _BASIS)
    most = 1 + Fraction(policy.exchange_better_bp, _BASIS)
    half = Fraction(1, 2)
    for before in range(policy.exchange_days + 1):
        on = add_business_days(receipt.on, -before)
        rate = rates.at(on, currency, receipt.currency)
        if rate is not None:
            one = worth(rate.value, currency, receipt.currency)
            # What arrived was rounded to a minor unit.
            low = ceil(Fraction(receipt.amount_minor - half, one * most))
            high = floor(Fraction(receipt.amount_minor + half + fee, one * least))
            found.append(Band(currency, low, high, rate.on))
    if not found:
        return None
    return Band(currency, min(b.low_minor for b in found), max(b.high_minor for b in found), found[0].day)


def about(rates: Iterable[Rate], on: date) -> list[Rate]:
    """The rates that a receipt of a day may be judged by."""
    return [rate for rate in rates if on - timedelta(days=OLDEST_DAYS) <= rate.on <= on]


class Abroad:
    """Asks what was sent, of the receipts of one match."""

    def __init__(self, rates: Sequence[Rate], book: Book, advices: Advices, policy: MatchPolicy) -> None:
        self._rates, self._book, self._advices, self._policy = Rates(rates), book, advices, policy
        self._currencies = {item.currency for item in book.items.values()}

    def customers(self, receipt: ReceiptRow, payer: Payer) -> set[int]:
        """Whose items the sender's advices in other currencies list."""
        if not self._rates:
            return set()
        return self._advices.customers_abroad(receipt, payer)

    def sent(self, receipt: ReceiptRow, payer: Payer, home: Named) -> "Sent | Unrated | None":
        """The receipt as it was sent; None if nothing says so, or two things do."""
        if home.items or home.grouped or self._currencies <= {receipt.currency}:
            return None
        found: list[Sent] = []
        unrated: list[str] = []
        for currency in self._owed(receipt, payer, home):
            band = bands(self._rates, receipt, currency, self._policy)
            if band is None:
                unrated.append(currency)
                continue
            one = self._stated(receipt, payer, band) or self._by_items(receipt, payer, band)
            if one is not None:
                found.append(one)
        if unrated:
            return Unrated(receipt.on, tuple(unrated))
        return found[0] if len(found) == 1 else None

    def _owed(self, receipt: ReceiptRow, payer: Payer, home: Named) -> list[str]:
        """The other currencies of what is named, and of what the payer may owe."""
        items = list(home.foreign)
        for candidate in payer.candidates:
            for customer in self._book.family(candidate):
                items += self._book.by_customer.get(customer, ())
        return sorted({item.currency for item in items} - {receipt.currency})

    def _stated(self, receipt: ReceiptRow, payer: Payer, band: Band) -> Sent | None:
        """As the text or an advice of the sender states it."""
        told = {minor for minor in _amounts(receipt.texts, band.currency) if minor in band}
        advised = {minor for minor in self._advices.totals(receipt, payer, band.currency) if minor in band}
        amounts = (told & advised) or told or advised
        if len(amounts) != 1:
            return None
        (minor,) = amounts
        who = "The sender's advice" if minor in advised else "The text"
        text = f"{who} states {money(minor, band.currency)}, {self._worth(receipt, minor, band)}."
        by: Literal["advice", "text"] = "advice" if minor in advised else "text"
        doubt = None if minor in told else self._alike(payer, minor, band)
        return self._sent(receipt, band, minor, text, by, doubt)

    def _alike(self, payer: Payer, minor: int, band: Band) -> Evidence | None:
        """Whether another item alone is worth what arrived too: then the advice may be of another payment."""
        customers = {one for candidate in payer.candidates for one in self._book.family(candidate)}
        for customer in sorted(customers):
            for item in self._book.by_customer.get(customer, ()):
                if (
                    item.currency == band.currency
                    and item.available_minor in band
                    and item.available_minor != minor
                ):
                    return con("sent-otherwise", f"{label(item)} alone is worth about the same.")
        return None

    def _by_items(self, receipt: ReceiptRow, payer: Payer, band: Band) -> Sent | None:
        """As much as the items come to that are named, or the only ones of a known payer."""
        abroad = receipt._replace(currency=band.currency, amount_minor=max(1, band.low_minor))
        named = named_items(self._book, abroad, payer, set())
        said = (*named.items, *named.grouped)
        owners = {item.customer_id for item in said}
        if len(owners) > 1 or (not said and payer.known is None):
            return None
        owner = owners.pop() if owners else payer.known
        assert owner is not None
        pool = self._book.pool(self._book.family(owner), band.currency, ())
        near = _near(pool, named.items, band.twice(), receipt.on, self._policy)
        inside = [one for one in near or () if one.plain and one.minor in band]
        if near is None or len({one.minor for one in inside}) != 1:
            return self._named_alone(receipt, named, band)
        text = f"{_labels(pool, inside[0])}: {money(inside[0].minor, band.currency)}, "
        text += f"{self._worth(receipt, inside[0].minor, band)}."
        doubt = _doubt(receipt, named, pool, inside[0], near, band)
        doubt = doubt or self._fee(receipt, inside[0].minor, band)
        return self._sent(receipt, band, inside[0].minor, text, "items", doubt)

    def _named_alone(self, receipt: ReceiptRow, named: Named, band: Band) -> Sent | None:
        """What is named comes to it, but so may other sets: a suggestion."""
        minor = sum(item.available_minor for item in (*named.items, *named.grouped))
        if minor not in band or minor <= 0:
            return None
        text = f"What is named: {money(minor, band.currency)}, {self._worth(receipt, minor, band)}."
        doubt = con("sent-otherwise", "Other sets of items would be worth about the same.")
        return self._sent(receipt, band, minor, text, "items", doubt)

    def _sent(
        self,
        receipt: ReceiptRow,
        band: Band,
        minor: int,
        text: str,
        by: Literal["advice", "text", "items"],
        doubt: Evidence | None = None,
    ) -> Sent:
        rate, without = (
            self._rates.at(band.day, band.currency, receipt.currency),
            self._without_fee(receipt, band),
        )
        assert rate is not None
        width = without.high_minor - without.low_minor
        unseen = round(width * worth(rate.value, band.currency, receipt.currency))
        sent = receipt._replace(currency=band.currency, amount_minor=minor)
        return Sent(sent, pro("sent", text), by, unseen, doubt)

    def _fee(self, receipt: ReceiptRow, minor: int, band: Band) -> Evidence | None:
        """Where more is missing than any spread: a fee, or the payer paid less. Nothing says which."""
        if minor in self._without_fee(receipt, band):
            return None
        return con("fee-or-short", "More is missing than a spread; it may be a fee, or the payer paid less.")

    def _without_fee(self, receipt: ReceiptRow, band: Band) -> Band:
        """What may have been sent if the bank kept no fee."""
        no_fee = replace(self._policy, exchange_fee_hundredths=0)
        return bands(self._rates, receipt, band.currency, no_fee) or band

    def _worth(self, receipt: ReceiptRow, minor: int, band: Band) -> str:
        rate = self._rates.at(band.day, band.currency, receipt.currency)
        assert rate is not None
        value = round(minor * worth(rate.value, band.currency, receipt.currency))
        kept = value - receipt.amount_minor
        text = f"worth {money(value, receipt.currency)} at the rate of {rate.on.isoformat()}"
        return f"{text}, of which {money(kept, receipt.currency)} did not arrive" if kept > 0 else text


def closed(sent: Sent, one: Explanation) -> Explanation:
    """An explanation of what was sent, as one of what arrived."""
    against = (sent.doubt,) if sent.doubt else ()
    return replace(
        one,
        klass=EvidenceClass.EXCHANGE if one.klass is not EvidenceClass.PARTIAL else one.klass,
        evidence=(sent.evidence, *one.evidence, *against),
        currency=sent.receipt.currency,
    )


def obstacle(sent: Sent, one: Explanation, arrived: str, book: Book, policy: MatchPolicy) -> Reason | None:
    """Why an explanation of what was sent may not be applied without a person; `arrived` is the receipt's currency."""
    if sent.doubt is not None or not _settles_all(one, book):
        return Reason.CURRENCY_MISMATCH
    if sent.by == "items" and one.klass is EvidenceClass.SET:
        return Reason.WEAK_EVIDENCE
    most = _minor_of(policy.exchange_unseen_hundredths, arrived) * (_ADVISED if sent.by == "advice" else 1)
    if sent.unseen_minor > most:
        return Reason.CONFIRMATION
    return None if one.klass.value in policy.automatic else Reason.CONFIRMATION


def _settles_all(one: Explanation, book: Book) -> bool:
    """Whether every item is settled in full by money and the discounts granted, and nothing is left over."""
    return not one.on_account_minor and all(
        not share.write_off_minor
        and not share.deduction_minor
        and share.settled_minor == book.items[share.item_id].available_minor
        for share in one.shares
    )


def _amounts(texts: Iterable[str], currency: str) -> set[int]:
    """The amounts of a currency that the texts state, in whatever way they mark thousands and decimals."""
    found = set()
    for text in texts:
        for code, raw in _STATED.findall(fold(text)):
            if code == currency or (not _is_currency(code) and _has_decimals(raw, currency)):
                found.add(_minor(raw, currency) or 0)
    return found - {0}


def _is_currency(code: str) -> bool:
    try:
        exponent(code)
    except AmountUnreadable:
        return False
    return True


def _has_decimals(raw: str, currency: str) -> bool:
    """Whether a number without a currency looks like an amount of this one."""
    digits = exponent(currency)
    return bool(digits) and len(raw) > digits and raw[-digits - 1] in ".,"


def _minor(raw: str, currency: str) -> int | None:
    whole, mark, part = raw, "", ""
    last = max(raw.rfind("."), raw.rfind(","))
    if last >= 0 and len(raw) - last - 1 == exponent(currency):
        whole, mark, part = raw[:last], ".", raw[last + 1 :]
    try:
        return Money.of(re.sub(r"\D", "", whole) + mark + part, currency).minor
    except AmountUnreadable:
        return None


def _near(
    pool: Pool, said: Sequence[ItemRow], wide: Band, on: date, policy: MatchPolicy
) -> list[_Sum] | None:
    """All sets of the pool, what is named among them, that come into the band; None if they are too many to look."""
    places = {item.id: place for place, item in enumerate(pool.items)}
    if any(item.id not in places for item in said):
        return None
    given = frozenset(places[item.id] for item in said)
    granted = tuple(discount_minor(item, on, policy.discount_grace_days) for item in pool.items)
    found: list[_Sum] = []
    for plain in (True, False) if any(granted) else (True,):
        values = pool.values_minor
        if not plain:
            values = tuple(value - less for value, less in zip(values, granted, strict=True))
        base = sum(values[place] for place in given)
        credit = sum(value for value in values if value < 0)
        free = [
            place
            for place, value in enumerate(values)
            if place not in given and (value < 0 or base + value + credit <= wide.high_minor)
        ]
        if 2 ** ((len(free) + 1) // 2) > policy.search_budget:
            return None
        for total, chosen in _between(free, values, wide.low_minor - base, wide.high_minor - base):
            some = frozenset(chosen) | given
            if plain or any(granted[place] for place in some):
                found.append(_Sum(base + total, some, plain))
    return found


def _between(
    free: Sequence[int], values: Sequence[int], low: int, high: int
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The sets of places whose values come to something from `low` to `high`."""
    half = len(free) // 2
    left, right = _sums(free[:half], values), sorted(_sums(free[half:], values))
    totals = [total for total, _ in right]
    for total, chosen in left:
        for at in range(bisect_left(totals, low - total), bisect_right(totals, high - total)):
            if chosen or right[at][1] or low <= 0 <= high:
                yield total + totals[at], (*chosen, *right[at][1])


def _sums(places: Sequence[int], values: Sequence[int]) -> list[tuple[int, tuple[int, ...]]]:
    found: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    for place in places:
        found += [(total + values[place], (*chosen, place)) for total, chosen in found]
    return found


def _doubt(
    receipt: ReceiptRow, named: Named, pool: Pool, chosen: _Sum, near: Sequence[_Sum], band: Band
) -> Evidence | None:
    """What speaks against the items that are worth what arrived."""
    items = [pool.items[place] for place in chosen.places]
    others = {one.minor for one in near} - {chosen.minor}
    if others or any(not one.plain for one in near):
        amount = money(min(others or {chosen.minor}), band.currency)
        return con(
            "sent-otherwise", f"Other items or a discount would make it {amount}, worth about the same."
        )
    unread = [raw for raw in named.unknown if not any(part_of(raw, item.number) for item in items)]
    if unread:
        return con("unknown-number", f"The text names {', '.join(unread)}, which is no open item.")
    if named.shared or named.strange:
        return con(
            "unclear-number", "The text has a number that several items or another customer's item have."
        )
    least = chosen.minor // _HARDLY_SHOWS
    said = {item.id for item in (*named.items, *named.grouped)}
    if any(abs(item.available_minor) < least for item in items if item.id not in said):
        return con(
            "small-item", "An item that nothing names is so small that it hardly shows in what arrived."
        )
    alone = len(items) == len(named.items) + len(named.grouped)
    if alone and (named.open_end or goes_on(receipt)):
        return con("open-end", "The list of numbers may go on, and a small item more would hardly show.")
    return None


def _labels(pool: Pool, chosen: _Sum) -> str:
    return labels([pool.items[place] for place in sorted(chosen.places)])
