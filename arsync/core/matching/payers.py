"""Who sent this money? From account and name to customers.

Shape   `Payers(snapshot, knowledge, policy).find(receipt)` -> `Payer`; pure.
Law     a payer is *known* only by a bank account, a confirmed alias or an exact name, and only if all of
        these agree on one customer. A name that is merely close never makes a payer known, however close it
        is.
Cost    exact look-ups; a name never seen is compared with at most 50 names that share its rarest letter
        triples.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property

from arsync.core.matching.normalise import SUFFIXES, base_name, fold, normalise_account, normalise_payer
from arsync.core.matching.snapshot import CustomerRow, Knowledge, MatchPolicy, ReceiptRow, Snapshot

ACCOUNT_KEY = "account:"
_CLOSE = 82.0  # least similarity, of 100, to be a candidate
_MARGIN = 4.0  # candidates this much behind the best are dropped
_BLOCK = 50
_COMMON = 64  # a letter triple shared by more names than this tells nothing
_LEAST_PREFIX = 8
_CUT = 90.0  # likeness of a name cut off
_SHORTENED = 95.0  # likeness of a name without its vowels
_WITHOUT_BLOCKS = 2_000  # so few names are compared all at once
_CANDIDATES = 5
_LEAST_WORDS = 2
_STUMP = 4  # letters that are left of a word cut short
_ON_BEHALF = re.compile(r"\b(?:OBO|ON BEHALF OF|I\.?A\.? VON|IM AUFTRAG VON|NAMENS)[ :]+(.{4,60})")


@dataclass(frozen=True, slots=True)
class Payer:
    """Who may have sent the money. `known` is set when it may be taken for granted."""

    known: int | None = None
    how: str = ""  # why, as the end of a sentence: "its bank account ...", "the name ..."
    code: str = "payer-unknown"
    candidates: tuple[int, ...] = ()  # best first; holds `known` too
    stated: bool = False  # a name or account was given at all
    conflict: bool = False  # the evidence points to several customers


@dataclass(slots=True)
class _Votes:
    known: dict[int, tuple[str, str]] = field(default_factory=dict)  # customer -> (code, how)
    likely: list[int] = field(default_factory=list)


class Payers:
    """Customers by the accounts and names they pay under."""

    def __init__(self, snapshot: Snapshot, knowledge: Knowledge, policy: MatchPolicy) -> None:
        self._accounts: dict[str, set[int]] = defaultdict(set)
        self._plain: dict[str, set[int]] = defaultdict(set)
        self._full: dict[str, set[int]] = defaultdict(set)
        self._base: dict[str, set[int]] = defaultdict(set)
        self._learned: dict[str, dict[int, int]] = defaultdict(dict)
        self._confirmations = policy.alias_confirmations
        self._cache: dict[tuple[str, str], Payer] = {}
        self._parents = {row.id: row.parent_id for row in snapshot.customers if row.parent_id is not None}
        for customer in snapshot.customers:
            if customer.active:
                self._add(customer)
        for alias in knowledge.in_force(snapshot.as_of):
            row = self._learned[alias.key]
            row[alias.customer_id] = max(alias.confirmations, row.get(alias.customer_id, 0))

    def _add(self, customer: CustomerRow) -> None:
        for account in customer.payer_accounts:
            if key := normalise_account(account):
                self._accounts[key].add(customer.id)
        for name in (customer.name, *customer.aliases):
            full = normalise_payer(name)
            if full:
                self._plain[full].add(customer.id)
                self._full[_squeeze(full)].add(customer.id)
                self._base[_squeeze(base_name(full))].add(customer.id)

    def find(self, receipt: ReceiptRow) -> Payer:
        """The customers this receipt may come from: by account, payer's name, and the name it says it pays for."""
        found = self._by_sender(receipt.payer_name, receipt.payer_account)
        if found.known is not None:
            return found
        named = [
            self._by_name_only(match[1])
            for text in receipt.texts[:1]
            for match in _ON_BEHALF.finditer(fold(text))
        ]
        extra = [customer for votes in named for customer in votes]
        if not extra:
            return found
        candidates = tuple(dict.fromkeys([*extra, *found.candidates]))[:_CANDIDATES]
        return Payer(
            None, "the text says on whose behalf it is paid", "payer-on-behalf", candidates, stated=True
        )

    def find_name(self, name: str) -> Payer:
        """The customers a bare name may mean."""
        return self._by_sender(name, "")

    def _by_sender(self, name: str, account: str) -> Payer:
        key = (name, account)
        if key not in self._cache:
            self._cache[key] = self._weigh(name, account)
        return self._cache[key]

    def _weigh(self, name: str, account: str) -> Payer:
        votes = _Votes()
        plain_account, plain_name = normalise_account(account), normalise_payer(name)
        if plain_account:
            for customer in sorted(self._accounts.get(plain_account, ())):
                votes.known[customer] = ("payer-account", "its bank account is on file for this customer")
            self._ask_learned(votes, ACCOUNT_KEY + plain_account, "payer-account-learned", "its bank account")
        if plain_name:
            self._ask_learned(votes, plain_name, "payer-alias", f'the name "{name}"')
            # An account on file or a confirmed alias outranks the likeness of a name.
            if not votes.known:
                self._ask_names(votes, plain_name, name)
        stated = bool(plain_account or plain_name)
        if len(votes.known) > 1 and (head := payer_of(votes.known, self._parents.get)) is not None:
            votes.known = {head: votes.known.get(head) or next(iter(votes.known.values()))}
        candidates = tuple(dict.fromkeys([*sorted(votes.known), *votes.likely]))
        if len(votes.known) == 1:
            ((customer, (code, how)),) = votes.known.items()
            return Payer(customer, how, code, candidates, stated=stated)
        if candidates:
            several = len(votes.known) > 1 or len(candidates) > 1
            return Payer(
                None, f'the name "{name}" is close', "payer-close", candidates, stated, conflict=several
            )
        return Payer(stated=stated)

    def _ask_learned(self, votes: _Votes, key: str, code: str, what: str) -> None:
        learned = self._learned.get(key, {})
        if len(learned) > 1 and (head := payer_of(learned, self._parents.get)) is not None:
            learned = {head: sum(learned.values())}  # a parent that pays for its children
        for customer, confirmations in sorted(learned.items()):
            if confirmations >= self._confirmations and len(learned) == 1:
                votes.known[customer] = (
                    code,
                    f"{what} was confirmed {confirmations} times for this customer",
                )
            else:
                votes.likely.append(customer)

    def _ask_names(self, votes: _Votes, plain: str, raw: str) -> None:
        full, base = _squeeze(plain), _squeeze(base_name(plain))
        exact, same_base = self._full.get(full, set()), self._base.get(base, set())
        # Without its legal suffix a name is exact only if no look-alike differs in the suffix alone.
        certain = exact if full != base else same_base if exact or len(same_base) == 1 else set()
        if len(certain) == 1 and not votes.likely:
            customer = next(iter(certain))
            votes.known[customer] = ("payer-name", f'the name "{raw}" is exactly this customer\'s')
            return
        near = sorted(exact) + sorted(same_base - exact)
        votes.likely += near or self._closest(full, base, plain)

    def _by_name_only(self, text: str) -> list[int]:
        """Customers named at the start of a text that may go on with other words."""
        words = normalise_payer(text).split()
        for stop in range(len(words), 0, -1):
            key = _squeeze(" ".join(words[:stop]))
            if hit := self._full.get(key) or (self._base.get(key) if stop > 1 else None):
                return sorted(hit)
        return []

    @cached_property
    def _names(self) -> list[str]:
        return sorted(self._full.keys() | self._base.keys())

    @cached_property
    def _by_triple(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for place, name in enumerate(self._names):
            for triple in _triples(name):
                found[triple].append(place)
        return found

    @cached_property
    def _skeletons(self) -> dict[str, set[int]]:
        """Customers by their name as some banks write it: without vowels, words cut short or in another order."""
        found: dict[str, set[int]] = defaultdict(set)
        for name, customers in (*self._full.items(), *self._base.items()):
            found[_skeleton(name)] |= customers
        for plain, customers in self._plain.items():
            for shape in _shapes(plain):
                found[shape] |= customers
        return found

    def _closest(self, full: str, base: str, plain: str) -> list[int]:
        """Customers whose names are close, best first."""
        scores: dict[int, float] = {}
        for name, likeness in self._likeness(full, base).items():
            for customer in self._full.get(name, set()) | self._base.get(name, set()):
                scores[customer] = max(likeness, scores.get(customer, 0.0))
        for key in (_skeleton(full), _skeleton(base), *_shapes(plain)):
            for customer in self._skeletons.get(key, ()):
                scores[customer] = max(_SHORTENED, scores.get(customer, 0.0))
        best = max(scores.values(), default=0.0)
        close = [(-score, customer) for customer, score in scores.items() if score >= best - _MARGIN]
        return [customer for _, customer in sorted(close)[:_CANDIDATES]]

    def _likeness(self, full: str, base: str) -> dict[str, float]:
        from rapidfuzz import fuzz, process

        names = self._names if len(self._names) <= _WITHOUT_BLOCKS else self._block(full)
        found: dict[str, float] = {}
        for wanted in dict.fromkeys((full, base)):
            near = process.extract(wanted, names, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=_BLOCK)
            for name, likeness, _ in near:
                found[name] = max(likeness, found.get(name, 0.0))
        if len(base) >= _LEAST_PREFIX:
            first = bisect_left(self._names, base)
            for name in self._names[first : first + _BLOCK]:
                if not name.startswith(base):
                    break
                found[name] = max(_CUT, found.get(name, 0.0))
        return found

    def _block(self, full: str) -> list[str]:
        """The names that share the rarest letter triples with this one."""
        shared: Counter[int] = Counter()
        for triple in sorted(_triples(full)):
            places = self._by_triple.get(triple, ())
            if len(places) <= _COMMON:
                shared.update(places)
        best = sorted(shared, key=lambda place: (-shared[place], place))[:_BLOCK]
        return [self._names[place] for place in best]


def payer_of(owners: Collection[int], parent_of: Callable[[int], int | None]) -> int | None:
    """Who a payment for these customers is booked for, and teaches: the one, or the parent of all; else None."""
    heads = owners if len(owners) == 1 else {parent_of(owner) or owner for owner in owners}
    return next(iter(heads)) if len(heads) == 1 else None


def _squeeze(name: str) -> str:
    return name.replace(" ", "")


def _skeleton(name: str) -> str:
    return name[:1] + re.sub("[AEIOU]", "", name[1:])


def _shapes(plain: str) -> tuple[str, ...]:
    """Ways to write a name of several words: any order, with and without its legal suffix; each word cut short."""
    words = plain.split()
    if len(words) < _LEAST_WORDS:
        return ()
    bare = [word for word in words if word not in SUFFIXES] or words
    cut = [words[0], *(word[:_STUMP] for word in words[1:])]
    return " ".join(sorted(words)), " ".join(sorted(bare)), "/".join(cut)


def _triples(name: str) -> set[str]:
    return {name[i : i + 3] for i in range(max(1, len(name) - 2))}
