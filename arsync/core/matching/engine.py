"""The matcher: which items does each receipt pay? Passes over the whole batch, best evidence first.

Shape   `match(snapshot, knowledge, policy)` -> one `Finding` per receipt, in the snapshot's order; pure and
        deterministic.
Law     shuffled rows give identical findings. An item is spent once over the batch; where receipts want the
        same item, the better class of evidence has it, and equals go to the queue, never to whoever came
        first. Identical twins stand for each other.
Cost    linear in items and receipts; every search is bounded by the policy's budget.
Source  DESIGN: already booked, remittances, references, payer, structured sets, exact sums, confidence.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cached_property
from operator import attrgetter

from arsync.core.dates import business_days_between
from arsync.core.decisions import Evidence, EvidenceClass, Explanation, Finding, Reason, Rejected, Share
from arsync.core.matching.advice import Advices
from arsync.core.matching.booked import Past, reason_for, reason_told, repeats_in_batch
from arsync.core.matching.candidates import Book, Numbers, Pool, TwinKey, twin_key
from arsync.core.matching.decide import is_posted, threshold
from arsync.core.matching.exchange import Abroad, Unrated, closed, obstacle
from arsync.core.matching.explain import Draft, con, explanation, label, labels, money, payer_evidence, pro
from arsync.core.matching.habits import TOLD_FROM, told
from arsync.core.matching.likelihood import elsewhere
from arsync.core.matching.months import begins, months_in_figures, months_named
from arsync.core.matching.named import Named, Outcome, by_references, named_items, part_of, piece_of
from arsync.core.matching.normalise import fold
from arsync.core.matching.payers import Payer, Payers
from arsync.core.matching.reach import Reach, is_crowd, roofs_of
from arsync.core.matching.sets import Fit, Fits, Sets, is_of_months
from arsync.core.matching.snapshot import ItemRow, Knowledge, MatchPolicy, ReceiptRow, Snapshot

ENGINE_VERSION = "5"

_ADVANCE = re.compile(
    r"\b(?:PREPAYMENT|PRE-PAYMENT|ON ACCOUNT|ADVANCE|DEPOSIT FOR|ANZAHLUNG|VORAUSZAHLUNG|ACOMPTE)\b"
)
_FEW = 3  # an amount that more items than these share says nothing
_SETTLING = frozenset({EvidenceClass.REFERENCE, EvidenceClass.REMITTANCE, EvidenceClass.BOOKED})
_NO_ADVICE_HELPS = frozenset({Reason.RETURNED_PAYMENT, Reason.ALREADY_BOOKED, Reason.POSSIBLE_DUPLICATE})
_DIFFERS = frozenset({Reason.SHORT_PAY, Reason.OVER_PAY})
_NOBODY: Counter[int] = Counter()
_USUALLY_OPEN = 8  # items of one customer
_HARDLY = 0.1  # likely: a named set that explains the money no better is hardly what is paid
_DOUBTED = 0.5  # how often what fits is paid all the same where the text names something else
_CLOSE = 0.9  # how often a payer is one of the customers whose names are close
_SURE, _SURE_IF_CLOSE = 0.999, 0.998  # nothing is surer than this, of a known payer and of a close name


class Lasting:
    """What holds for a snapshot, and for every part of it and of what is left of it, under one policy."""

    def __init__(self, snapshot: Snapshot, knowledge: Knowledge, policy: MatchPolicy) -> None:
        self.policy = policy
        self._items = snapshot.items
        self.payers = Payers(snapshot, knowledge, policy)
        self.sets = Sets(policy)
        self.habits = {habit.customer_id: habit for habit in knowledge.habits}
        self.roofs = roofs_of(snapshot.customers)

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers of all items; not made where nothing is matched."""
        return Numbers(self._items)


def match(snapshot: Snapshot, knowledge: Knowledge, policy: MatchPolicy) -> tuple[Finding, ...]:
    """What may be said of every receipt of the snapshot, in its order."""
    return Batch(snapshot, Lasting(snapshot, knowledge, policy)).match()


class Batch:
    """One match: made with what is named and what is booked already known, and matched once."""

    def __init__(self, snapshot: Snapshot, lasting: Lasting) -> None:
        self.snapshot, self._policy = snapshot, lasting.policy
        self._book = Book(snapshot, self._policy, lasting.numbers)
        self._payers, self._sets, self._roofs = lasting.payers, lasting.sets, lasting.roofs
        self._habits = lasting.habits
        self._past = Past(snapshot, self._book)
        self._advices = Advices(snapshot, self._book, self._payers)
        self._abroad = Abroad(snapshot.rates, self._book, self._advices, self._policy)
        self._arrived = {receipt.id: receipt for receipt in snapshot.receipts}
        self._twin_receipts = repeats_in_batch(snapshot.receipts)
        self._named: dict[int, Named] = {}
        self._spent: dict[int, int] = {}  # item -> receipt that settles it
        self._wanted: dict[int, set[int]] = defaultdict(
            set
        )  # item -> receipts that name it without settling it
        self._pools: dict[tuple[int, str], Pool] = {}
        self.drafts: dict[int, Draft] = {}
        for receipt in sorted(snapshot.receipts, key=lambda row: (row.on, row.id)):
            self.drafts[receipt.id] = Draft(receipt, self._payers.find(receipt))
        self._look_back()

    def _named_by(self, draft: Draft) -> Named:
        """What the receipt names; else, or with it if its sender is believed, what an advice without amounts names."""
        named = named_items(self._book, draft.receipt, draft.payer, set())
        words = self._advices.words(draft.receipt, draft.payer)
        if not words.text or (not words.graded and (named.items or named.grouped)):
            return named
        texts = tuple(f"{text}, {words.text}" for text in draft.receipt.texts) or (words.text,)
        draft.receipt = draft.receipt._replace(texts=texts)
        draft.told_by = "known sender" if words.graded else "anybody"
        return named_items(self._book, draft.receipt, draft.payer, set())

    def match(self) -> tuple[Finding, ...]:
        """What may be said of every receipt, in the snapshot's order."""
        self._read_names()
        self._settle(named=True)
        self._look_at_payers(known=True)
        self._settle(named=False)
        self._look_at_payers(known=False)
        self._settle(named=False)
        self._contest_differences()
        return tuple(self._finding(self.drafts[receipt.id]) for receipt in self.snapshot.receipts)

    # --- pass 1 ---

    def _look_back(self) -> None:
        """Returns, and money the platform has already booked."""
        claims: Counter[int] = Counter()
        for draft in self.drafts.values():
            receipt = draft.receipt
            if receipt.is_return or receipt.amount_minor <= 0:
                self._return(draft)
                continue
            self._named[receipt.id] = named = self._named_by(draft)
            owners = frozenset(item.customer_id for item in (*named.items, *named.grouped))
            draft.explanations = self._past.booked(receipt, draft.payer, owners)
            if not draft.explanations:
                self._exchange(draft, named)
            if draft.explanations:
                draft.reason, draft.final = reason_for(draft.explanations), True
                draft.unique = draft.reason is None
                claims.update(e.booked_payment_id or 0 for e in draft.explanations[:1])
        for draft in self.drafts.values():
            if draft.final and draft.unique and claims[draft.explanations[0].booked_payment_id or 0] > 1:
                draft.unique, draft.reason = False, Reason.ALREADY_BOOKED

    def _exchange(self, draft: Draft, named: Named) -> None:
        """From here on it is what was sent, if that is known and nothing owed in its own currency explains it."""
        sent = self._abroad.sent(draft.receipt, draft.payer, named)
        known = draft.payer.known
        if sent is None or (known is not None and self._fits(draft.receipt, known).fits):
            return
        if isinstance(sent, Unrated):
            if known is not None or named.foreign:
                draft.rejected.append(Rejected(known, (), sent.text))
            return
        draft.sent, draft.receipt = sent, sent.receipt
        self._named[draft.receipt.id] = named = named_items(self._book, sent.receipt, draft.payer, set())
        owners = frozenset(item.customer_id for item in (*named.items, *named.grouped))
        draft.explanations = self._past.booked(sent.receipt, draft.payer, owners)

    def _only_whole(self, draft: Draft) -> None:
        """Money in another currency settles items in full, by the best evidence there is, or it waits for a person."""
        if draft.sent is None or not draft.explanations:
            return
        against = obstacle(
            draft.sent,
            draft.explanations[0],
            self._arrived[draft.receipt.id].currency,
            self._book,
            self._policy,
        )
        draft.reason = against if against is Reason.CURRENCY_MISMATCH else draft.reason or against

    def _return(self, draft: Draft) -> None:
        draft.final, draft.reason = True, Reason.RETURNED_PAYMENT
        origin = self._past.returned(draft.receipt, draft.payer)
        customer = draft.payer.known
        if draft.receipt.amount_minor < 0:
            reason = reason_told(draft.receipt)
            text = origin or con(
                "returns-unknown", f"No recent receipt of this amount and payer was found{reason}."
            )
            draft.explanations = [
                Explanation(customer, (), draft.receipt.amount_minor, EvidenceClass.NONE, (text,), 0.0)
            ]

    # --- passes 2 and 3 ---

    def _read_names(self) -> None:
        """Remittance advice first, then the numbers in the text."""
        for draft in self._open():
            receipt, payer = draft.receipt, draft.payer
            advised = self._advices.explain(receipt, payer)
            outcome = advised
            named = self._named[receipt.id]
            differs = not advised.explanations or bool(advised.reason) or self._text_differs(advised, named)
            if differs or advised.explanations[0].probability < threshold(receipt, self._policy):
                told = by_references(self._book, self._sets, receipt, payer, set(), named)
                if differs or _say_the_same(advised, told):
                    outcome = self._reconciled(advised, told)
            if outcome is advised and outcome.explanations and self._another_is_alike(advised, draft):
                outcome = Outcome(outcome.explanations, outcome.reason or Reason.SEVERAL_SETS, unique=False)
            if (
                outcome.reason in _DIFFERS
                and outcome is not advised
                and (draft.told_by != "nobody" or self._advices.says_more(receipt, payer))
            ):
                outcome = replace(outcome, unique=False)  # the advice, as far as it can be read, says why
            if not outcome.explanations or outcome.reason:
                near = self._checked(self._advices.explain_nearly(receipt, payer), draft)
                outcome = near if _better(near.explanations, outcome.explanations) else outcome
            draft.rejected += self._named[receipt.id].rejected
            draft.explanations, draft.reason, draft.unique = (
                list(outcome.explanations),
                outcome.reason,
                outcome.unique,
            )
            self._doubt(draft, outcome)
            self._listed(draft)
            if draft.explanations and draft.explanations[0].klass is EvidenceClass.REMITTANCE:
                shares = draft.explanations[0].shares
                self._other_month(draft, (self._book.items[share.item_id] for share in shares))
            self._only_whole(draft)

    def _listed(self, draft: Draft) -> None:
        """Say that an advice names what is paid, and who may have sent it."""
        if draft.told_by == "nobody" or not draft.explanations:
            return
        text = "A remittance advice of just this amount names documents, without amounts."
        draft.explanations[0] = _with(draft.explanations[0], pro("listed", text))
        if draft.told_by == "anybody":
            self._against(draft, Reason.WEAK_EVIDENCE, "ungraded", "Nothing proves who sent the advice.")

    def _checked(self, near: Outcome, draft: Draft) -> Outcome:
        """An advice of a little more than was paid, unless items that the payer owes come to the amount exactly."""
        if not near.explanations or near.reason or draft.payer.known is None:
            return near
        if self._fits(draft.receipt, draft.payer.known).fits:
            return Outcome(near.explanations, Reason.SEVERAL_SETS, unique=False)
        return near

    def _text_differs(self, advised: Outcome, named: Named) -> bool:
        """Whether the text names an item that the advice does not list."""
        listed = {share.item_id for one in advised.explanations for share in one.shares}
        return any(item.id not in listed for item in named.items)

    def _another_is_alike(self, advised: Outcome, draft: Draft) -> bool:
        """Whether the money could as well be for an item of its amount that the advice does not list.

        Then the advice may belong to another receipt, unless the text names what it lists.
        """
        listed = {share.item_id for one in advised.explanations for share in one.shares}
        named = {item.id for item in self._named[draft.receipt.id].items}
        if listed <= named or len(listed) > 1:
            return False
        items = [self._book.items[item_id] for item_id in listed]
        twins, owners = {twin_key(item) for item in items}, {item.customer_id for item in items}
        alike = self._book.by_amount.get((draft.receipt.currency, draft.receipt.amount_minor), ())
        return any(
            item.id not in listed and item.customer_id in owners and twin_key(item) not in twins
            for item in alike
        )

    def _reconciled(self, advised: Outcome, told: Outcome) -> Outcome:
        """The better of advice and text; where both are good and differ, neither."""
        if not advised.explanations or not told.explanations:
            return told if told.explanations else advised
        first, second = (
            (told, advised) if _better(told.explanations, advised.explanations) else (advised, told)
        )
        if first.reason or second.reason or _say_the_same(advised, told):
            return first
        return Outcome((*first.explanations, *second.explanations), Reason.SEVERAL_SETS, unique=False)

    def _doubt(self, draft: Draft, outcome: Outcome) -> None:
        """What the named items cannot say: the same money twice, or money in another currency."""
        receipt = draft.receipt
        other = self._twin_receipts.get(receipt.id)
        draft.reason = None if is_posted(draft.reason, self._policy) else draft.reason
        repeated = self._past.repeated(self._arrived[receipt.id], draft.payer) if draft.strong else None
        if draft.strong and other is not None:
            text = f"Receipt {other} is alike in payer, amount and every word."
            self._against(draft, Reason.POSSIBLE_DUPLICATE, "twin-receipt", text)
        elif repeated:
            self._against(draft, Reason.POSSIBLE_DUPLICATE, repeated.code, repeated.text)
        draft.reason = draft.reason or outcome.reason
        if not draft.explanations and self._named[receipt.id].foreign:
            named = self._named[receipt.id].foreign
            draft.reason = Reason.CURRENCY_MISMATCH
            draft.rejected.append(
                Rejected(
                    named[0].customer_id,
                    tuple(i.id for i in named),
                    f"{labels(named)}: not in {receipt.currency}.",
                )
            )

    # --- passes 4 to 6 ---

    def _look_at_payers(self, *, known: bool) -> None:
        """Receipts whose text settled nothing: what do their payers owe?"""
        # One customer after another: what was prepared for one of its receipts serves the next.
        for draft in sorted(self._open(), key=_whose):
            if draft.reason is Reason.CURRENCY_MISMATCH or (draft.payer.known is not None) != known:
                continue
            if draft.sent is not None and not known and not draft.explanations:
                continue  # how many others owe what may have been sent is not asked
            if draft.explanations:
                self._beside(draft)
                continue
            if known:
                self._by_known_payer(draft)
            else:
                self._by_candidates(draft)
            self._repeat_or_advance(draft)
            self._only_whole(draft)

    def _beside(self, draft: Draft) -> None:
        """What is named hardly explains the money: what its payer owes is suggested first, and never applied alone."""
        if draft.explanations[0].probability >= _HARDLY:
            return
        customers = _whose(draft)
        found: list[Explanation] = []
        for customer in customers:
            answer = self._fits(draft.receipt, customer)
            each = _DOUBTED / (answer.total * len(customers))
            found += [self._explain_fit(draft, customer, fit, fit.weight * each) for fit in answer.fits]
        if not found:
            return
        text = con("names-others", f"The text names {labels(self._names(draft))}, not among these items.")
        both = [*draft.explanations, *(_with(one, text) for one in found)]
        draft.explanations = sorted(both, key=lambda one: -one.probability)
        draft.unique, draft.reason = False, Reason.UNKNOWN_REFERENCE

    def _by_known_payer(self, draft: Draft) -> None:
        customer = draft.payer.known
        assert customer is not None
        answer = self._fits(draft.receipt, customer)
        fits, sure = answer.fits, _SURE / answer.total
        draft.explanations = [
            self._explain_fit(draft, customer, fit, fit.weight * sure)
            for fit in fits[: self._policy.max_suggestions]
        ]
        if not fits:
            self._nothing_fits(draft, customer)
            return
        outweighs = self._outweighs(draft) and not answer.alike
        draft.unique = len(fits) == 1 or outweighs
        draft.reason = None if draft.unique else Reason.SEVERAL_SETS
        if len(fits) > 1:
            text = f"{len(fits) - 1} other sets of items fit as well."
            draft.explanations[0] = _with(draft.explanations[0], con("other-sets", text))
        elif not answer.complete and fits[0].klass is EvidenceClass.SET and not outweighs:
            text = "There are too many items to rule out other sets."
            self._against(draft, Reason.WEAK_EVIDENCE, "search-cut", text)
        self._contradicted(draft, fits[0])

    def _outweighs(self, draft: Draft) -> bool:
        """Whether policy lets sets be weighed, and the first outweighs everything else."""
        return self._policy.weighed and draft.explanations[0].probability >= threshold(
            draft.receipt, self._policy
        )

    def _contradicted(self, draft: Draft, fit: Fit) -> None:
        """The text names a document that is not among these items, or they are another customer's."""
        named = self._named[draft.receipt.id]
        for code, numbers, is_of, what in (
            ("unknown-number", named.unknown, part_of, "is no open item"),
            ("strange-number", named.strange, piece_of, "another customer owes"),
        ):
            missing = [raw for raw in numbers if not any(is_of(raw, item.number) for item in fit.items)]
            if missing:
                text = f"The text names {', '.join(missing)}, which {what}."
                self._against(draft, Reason.UNKNOWN_REFERENCE, code, text)
        left_out = [item for item in self._names(draft) if item not in fit.items]
        if left_out:  # what the payer says outranks what fits
            text = f"The text names {labels(left_out)}, not among these items."
            self._against(draft, Reason.UNKNOWN_REFERENCE, "names-others", text)
        self._other_month(draft, fit.items)
        if any(item.customer_id != draft.payer.known for item in fit.items) and not self._policy.weighed:
            self._against(
                draft,
                Reason.WEAK_EVIDENCE,
                "family",
                "They are items of a customer below the payer, and no reference names them.",
            )

    def _other_month(self, draft: Draft, items: Iterable[ItemRow]) -> None:
        """The text names a month, and not all of these items are of it."""
        items = tuple(items)
        months = months_named(draft.receipt.texts, draft.receipt.on)
        figures = months_in_figures(draft.receipt.texts)
        numbered = all(any(begins(item.number, month) for month in figures) for item in items)
        if months and not numbered and not is_of_months(items, months):
            text = "The text names a month, and not all of these items are of it."
            self._against(draft, Reason.WEAK_EVIDENCE, "other-month", text)

    def _nothing_fits(self, draft: Draft, customer: int) -> None:
        pool = self._pool(customer, draft.receipt.currency)
        if (
            not pool.debits
            and self._book.by_customer.get(customer)
            and any(item.currency != draft.receipt.currency for item in self._book.by_customer[customer])
        ):
            draft.reason = Reason.CURRENCY_MISMATCH
            draft.rejected.append(
                Rejected(
                    customer, (), f"{self._book.name(customer)} owes nothing in {draft.receipt.currency}."
                )
            )
            return
        draft.reason = (
            Reason.UNKNOWN_REFERENCE if self._named[draft.receipt.id].unknown else Reason.WEAK_EVIDENCE
        )
        draft.rejected.append(
            Rejected(
                customer, (), f"No set of {self._book.name(customer)}'s open items adds up to the amount."
            )
        )
        self._advised_loosely(draft)

    def _by_candidates(self, draft: Draft) -> None:
        """A payer that may be one of several customers, or of whom nothing is known."""
        receipt = draft.receipt
        found: list[tuple[Fit, int]] = []
        alike: set[int] = set()
        total = (1 - _CLOSE) * self._of_strangers(draft)
        each = _CLOSE / max(1, len(draft.payer.candidates))
        for customer in draft.payer.candidates:
            answer = self._fits(receipt, customer)
            total += each * answer.total
            found += [(fit, customer) for fit in answer.fits[: self._policy.max_suggestions]]
            alike |= {customer} if answer.alike else set()
            if not answer.fits:
                draft.rejected.append(
                    Rejected(customer, (), f"No set of {self._book.name(customer)}'s open items adds up.")
                )
        found.sort(key=lambda pair: (-pair[0].weight, draft.payer.candidates.index(pair[1])))
        draft.explanations = [
            self._explain_fit(draft, customer, fit, _SURE_IF_CLOSE * each * fit.weight / total)
            for fit, customer in found[: self._policy.max_suggestions]
        ]
        owners = {customer for _, customer in found}
        outweighs = bool(found) and self._outweighs(draft) and found[0][1] not in alike
        draft.unique = len(found) == 1 or outweighs
        several = len(owners) > 1 or draft.payer.conflict
        draft.reason = Reason.SEVERAL_CUSTOMERS if several else Reason.UNKNOWN_PAYER
        if outweighs:
            draft.reason = None
            self._contradicted(draft, found[0][0])
        if not found and not self._advised_loosely(draft):
            self._by_amount(draft)

    def _advised_loosely(self, draft: Draft) -> bool:
        """Whether an advice that does not quite belong to it suggests something."""
        loose = self._advices.explain_loosely(draft.receipt, draft.payer)
        if any(share.item_id in self._spent for one in loose.explanations for share in one.shares):
            return False
        if not loose.explanations:
            return False
        draft.explanations += loose.explanations
        draft.unique, draft.reason = loose.unique, draft.reason or loose.reason
        return True

    def _of_strangers(self, draft: Draft) -> float:
        """The share of payments of all other customers that come to this amount."""
        receipt = draft.receipt
        near = {one for customer in draft.payer.candidates for one in self._book.family(customer)}
        owners = self._book.owners_by_amount.get((receipt.currency, receipt.amount_minor), _NOBODY)
        all_of_them = self._book.owing(receipt.currency, receipt.amount_minor)
        alike = all_of_them - sum([owners[customer] for customer in near])
        # By customers and not by items: settling one must not change what is said of everybody else's receipts.
        usual = _USUALLY_OPEN * max(1, len(self._book.customers))
        return alike / usual + elsewhere(receipt.amount_minor)

    def _by_amount(self, draft: Draft) -> None:
        """Whose item has just this amount: the payer may pay for somebody it never paid for."""
        receipt = draft.receipt
        if is_crowd(self._book.owing(receipt.currency, receipt.amount_minor)):
            return
        rows = [
            row
            for row in self._book.by_amount.get((receipt.currency, receipt.amount_minor), ())
            if row.id not in self._spent
        ]
        if len(rows) > _FEW:
            return
        for row in rows:
            evidence = (
                pro(
                    "amount-alone",
                    f"It is exactly the amount of {label(row)} of {self._book.name(row.customer_id)}.",
                ),
                *payer_evidence(self._book, draft.payer, frozenset({row.customer_id})),
            )
            fit = Fit((row,), (0,), EvidenceClass.ONE_ITEM, "")
            draft.explanations.append(
                explanation(
                    receipt, row.customer_id, fit.shares(), EvidenceClass.NONE, "amount alone", evidence
                )
            )

    def _repeat_or_advance(self, draft: Draft) -> None:
        repeated = self._past.repeated(self._arrived[draft.receipt.id], draft.payer)
        if repeated:
            draft.reason, draft.unique = Reason.POSSIBLE_DUPLICATE, False
            draft.explanations = [_with(e, repeated) for e in draft.explanations[:1]] + draft.explanations[1:]
            if not draft.explanations:
                draft.rejected.append(Rejected(draft.payer.known, (), repeated.text))
        elif any(_ADVANCE.search(fold(text)) for text in draft.receipt.texts):
            said = pro("advance", "The text says that it is paid in advance or on account.")
            more = payer_evidence(
                self._book, draft.payer, frozenset({draft.payer.known} if draft.payer.known else ())
            )
            sure = self._is_named_payer(draft.payer) and not draft.explanations
            kind = "on account, payer known" if sure else "on account"
            perhaps = draft.payer.candidates[0] if len(draft.payer.candidates) == 1 else None
            owner = draft.payer.known or perhaps
            on_account = explanation(draft.receipt, owner, (), EvidenceClass.NONE, kind, (said, *more))
            draft.explanations.insert(0, on_account)
            draft.reason, draft.unique = Reason.OVER_PAY, len(draft.explanations) == 1

    def _is_named_payer(self, payer: Payer) -> bool:
        """Whether the money is this customer's own: a learned name may be that of anybody in its family."""
        if payer.known is None:
            return False
        return payer.code in {"payer-account", "payer-name"} or len(self._book.relatives(payer.known)) == 1

    # --- helpers of the passes ---

    def _fits(self, receipt: ReceiptRow, customer: int) -> Fits:
        pool = self._pool(customer, receipt.currency)
        months = months_named(receipt.texts, receipt.on)
        if months and _is_number(receipt.texts, pool.items):
            months = frozenset()
        return self._sets.fits(pool, receipt.amount_minor, receipt.on, months, self._habits.get(customer))

    def _pool(self, customer: int, currency: str) -> Pool:
        key = (customer, currency)
        if key not in self._pools:
            self._pools[key] = self._book.pool(self._book.family(customer), currency, self._spent.keys())
        return self._pools[key]

    def _explain_fit(self, draft: Draft, customer: int, fit: Fit, probability: float) -> Explanation:
        named = sorted(fit.items, key=attrgetter("id"))  # as its shares are: `_move` says them anew
        evidence = [pro("amount-fits", f"{labels(named)}: {fit.note}")]
        if any(fit.discounts_minor):
            evidence.append(pro("discount", "The cash discount that the terms grant on this day is taken."))
        habit = self._habits.get(customer)
        if habit is not None and habit.payments >= TOLD_FROM:
            evidence.append(
                pro(
                    "habit",
                    f"Of {habit.payments} payments of this customer that people confirmed: {told(habit)}.",
                )
            )
        owners = frozenset(item.customer_id for item in fit.items)
        evidence += payer_evidence(self._book, draft.payer, owners)
        owner = customer if len(owners) > 1 else next(iter(owners))
        return explanation(draft.receipt, owner, fit.shares(), fit.klass, probability, evidence)

    def _against(self, draft: Draft, reason: Reason, code: str, text: str) -> None:
        draft.reason = draft.reason or reason
        if draft.explanations:
            draft.explanations[0] = _with(draft.explanations[0], con(code, text))

    def _open(self) -> list[Draft]:
        return [draft for draft in self.drafts.values() if not draft.final]

    # --- between passes: an item is spent once ---

    def _settle(self, *, named: bool) -> None:
        """Give items to the receipts that stand; equals that want the same item go to the queue."""
        for draft in filter(attrgetter("strong"), self._open()):
            self._doubt_books(draft)
        claims = self._claims()
        if not named:
            claims = self._spread_twins(claims)
        for item_id, rivals in claims.items():
            if len(rivals) > 1:
                self._all_lose(self._book.items[item_id], rivals)
        for draft in self._open():
            self._hinder(draft)
        touched: set[int] = set()
        for draft in filter(attrgetter("strong"), self._open()):
            draft.final = True
            for share in draft.explanations[0].shares:
                self._spent[share.item_id] = draft.receipt.id
                touched.add(self._book.items[share.item_id].customer_id)
        for draft in self._open():
            self._drop_spent(draft)
        self._pools = {
            key: pool for key, pool in self._pools.items() if touched.isdisjoint(self._book.family(key[0]))
        }

    def _contest_differences(self) -> None:
        """What differs and is posted all the same takes no more of an item than is open, nor from books in doubt."""
        claims: dict[int, list[tuple[Draft, int]]] = defaultdict(list)
        for draft in self._open():
            if draft.unique and draft.explanations and is_posted(draft.reason, self._policy):
                self._doubt_books(draft)
                for share in draft.explanations[0].shares:
                    claims[share.item_id].append((draft, share.settled_minor))
        for item_id, rivals in claims.items():
            item = self._book.items[item_id]
            if abs(sum(minor for _, minor in rivals)) > abs(item.available_minor):
                self._all_lose(item, [draft for draft, _ in rivals])

    def _claims(self) -> dict[int, list[Draft]]:
        """The receipts that stand, by the items they want."""
        claims: dict[int, list[Draft]] = defaultdict(list)
        for draft in filter(attrgetter("strong"), self._open()):
            for share in draft.explanations[0].shares:
                claims[share.item_id].append(draft)
        return claims

    def _doubt_books(self, draft: Draft) -> None:
        """Nothing of a customer is sure while the books show more open on an item than it was made for."""
        if not self._book.overopen:
            return
        owners = {self._book.items[share.item_id].customer_id for share in draft.explanations[0].shares}
        for customer in sorted(
            self._book.overopen.keys() & {r for o in owners for r in self._book.relatives(o)}
        ):
            item = self._book.overopen[customer]
            left, made = money(item.available_minor, item.currency), money(item.original_minor, item.currency)
            text = f"{left} is open on {label(item)}, which was made for {made}: the books contradict themselves."
            draft.unique = False
            self._against(draft, Reason.WEAK_EVIDENCE, "books-differ", text)

    def _all_lose(self, item: ItemRow, rivals: list[Draft]) -> None:
        for draft in rivals:
            others = ", ".join(str(rival.receipt.id) for rival in rivals if rival is not draft)
            draft.unique = False
            text = f"{label(item)} is also what receipt {others} would pay."
            self._against(draft, Reason.SEVERAL_SETS, "rival", text)

    def _hinder(self, draft: Draft) -> None:
        """An item that another, undecided receipt names is not free for a receipt that does not name it."""
        if not draft.strong or draft.explanations[0].klass in {
            EvidenceClass.REFERENCE,
            EvidenceClass.REMITTANCE,
        }:
            return
        for share in draft.explanations[0].shares:
            others = self._wanted[share.item_id] - {draft.receipt.id}
            if others:
                item = self._book.items[share.item_id]
                text = f"Receipt {min(others)} names {label(item)} and is not decided."
                draft.unique = False
                self._against(draft, Reason.SEVERAL_SETS, "named-elsewhere", text)

    def _drop_spent(self, draft: Draft) -> None:
        """Explanations that need an item which better evidence has just settled are rejected."""
        kept = []
        for one in draft.explanations:
            taken = [share.item_id for share in one.shares if share.item_id in self._spent]
            if not taken:
                kept.append(one)
                continue
            item = self._book.items[taken[0]]
            text = f"{label(item)} is settled by receipt {self._spent[taken[0]]}."
            draft.rejected.append(
                Rejected(one.customer_id, tuple(share.item_id for share in one.shares), text)
            )
        if len(kept) < len(draft.explanations):
            draft.explanations, draft.unique = kept, False
            draft.reason = draft.reason or Reason.UNKNOWN_REFERENCE
        for one in kept[:1]:
            for share in one.shares:
                self._wanted[share.item_id].add(draft.receipt.id)

    def _spread_twins(self, claims: dict[int, list[Draft]]) -> dict[int, list[Draft]]:
        """Let receipts that want the same item have its twins, as far as there are enough."""
        spread: dict[int, list[Draft]] = defaultdict(list)
        wanted: dict[TwinKey, list[tuple[Draft, int]]] = defaultdict(list)
        moves: dict[int, dict[int, int]] = defaultdict(dict)
        for item_id, drafts in claims.items():
            for draft in drafts:
                wanted[twin_key(self._book.items[item_id])].append((draft, item_id))
        named = Counter(item.id for draft in self._open() if not draft.strong for item in self._names(draft))
        for key, claimants in wanted.items():
            # What an undecided receipt names is left to it as long as there is another twin.
            free = sorted((item.id for item in self._twins(key)), key=lambda item_id: named[item_id])
            enough = len(claimants) <= len(free)
            ordered = sorted(claimants, key=_claim_order)
            for (draft, item_id), twin in zip(
                ordered, free if enough else (i for _, i in ordered), strict=False
            ):
                moves[draft.receipt.id][item_id] = twin
                spread[twin].append(draft)
        for receipt_id, twins in moves.items():
            self._move(self.drafts[receipt_id], twins)
        return spread

    def _move(self, draft: Draft, twins: dict[int, int]) -> None:
        """Let a receipt have the twins of what it wants, and say which."""
        first = draft.explanations[0]
        shares = (share._replace(item_id=twins.get(share.item_id, share.item_id)) for share in first.shares)
        moved = tuple(sorted(shares, key=lambda share: share.item_id))
        before, after = self._labels(first.shares), self._labels(moved)
        evidence = tuple(
            one._replace(text=after + one.text.removeprefix(before)) if one.text.startswith(before) else one
            for one in first.evidence
        )
        draft.explanations[0] = replace(first, shares=moved, evidence=evidence)

    def _labels(self, shares: Iterable[Share]) -> str:
        return f"{labels([self._book.items[share.item_id] for share in shares])}:"

    def _names(self, draft: Draft) -> tuple[ItemRow, ...]:
        named = self._named.get(draft.receipt.id)
        return (*named.items, *named.grouped) if named else ()

    def _twins(self, key: TwinKey) -> Iterable[ItemRow]:
        amount = key[5]
        return (
            item
            for item in self._book.by_customer[key[0]]
            if item.available_minor == amount and twin_key(item) == key and item.id not in self._spent
        )

    # --- the answer ---

    def _finding(self, draft: Draft) -> Finding:
        """The finding of one receipt."""
        explanations = tuple(draft.explanations[: self._policy.max_suggestions])
        reason = draft.reason
        if draft.sent is not None and not (explanations and explanations[0].klass is EvidenceClass.BOOKED):
            explanations = tuple(closed(draft.sent, one) for one in explanations)
        if not explanations and reason is None:
            reason = Reason.UNKNOWN_PAYER if draft.payer.known is None else Reason.WEAK_EVIDENCE
        wait = self._may_wait(draft.receipt) and reason not in _NO_ADVICE_HELPS and not _is_settled(draft)
        return Finding(draft.receipt.id, explanations, draft.unique, reason, tuple(draft.rejected), wait)

    def reach(self, receipt_id: int) -> Reach:
        """What the finding of this receipt may depend on."""
        draft = self.drafts[receipt_id]
        receipt, payer = self._arrived[receipt_id], draft.payer
        customers = {*payer.candidates, *self._past.customers(receipt)}
        customers |= self._advices.customers(receipt, payer) | self._abroad.customers(receipt, payer)
        amounts = {(receipt.currency, abs(receipt.amount_minor))}
        if draft.sent is not None:
            customers |= self._past.customers(draft.receipt) | self._advices.customers(draft.receipt, payer)
            amounts.add((draft.receipt.currency, draft.receipt.amount_minor))
        if receipt_id in self._named:
            customers |= self._named[receipt_id].owners
        owing = self._book.owing(receipt.currency, receipt.amount_minor) if payer.known is None else 0
        looks: Iterable[int] = ()
        if owing and not is_crowd(owing):
            looks = self._book.owners_by_amount[receipt.currency, receipt.amount_minor]
        return Reach(
            self._under(customers),
            frozenset(amounts),
            owing if is_crowd(owing) else 0,
            self._under(looks),
        )

    def _under(self, customers: Iterable[int]) -> frozenset[int]:
        return frozenset([self._roofs.get(c, c) for c in customers] if self._roofs else customers)

    def _may_wait(self, receipt: ReceiptRow) -> bool:
        wait_days = self._policy.wait_days
        return wait_days > 0 and business_days_between(receipt.on, self.snapshot.as_of) < wait_days


def _whose(draft: Draft) -> tuple[int, ...]:
    """Who pays, or may."""
    return draft.payer.candidates if draft.payer.known is None else (draft.payer.known,)


def _is_settled(draft: Draft) -> bool:
    """Whether references, an advice or a booked payment settle it, so that no advice could add anything."""
    return draft.strong and draft.explanations[0].klass in _SETTLING


def _is_number(texts: tuple[str, ...], items: Iterable[ItemRow]) -> bool:
    """Whether what reads as a month begins the number of an item of another month: `2024-05` of 2024-05385."""
    said = months_in_figures(texts)
    return any(
        begins(item.number, month) and not is_of_months((item,), frozenset({month}))
        for month in said
        for item in items
    )


def _say_the_same(advised: Outcome, told: Outcome) -> bool:
    """Whether advice and text settle the same, and neither has anything in its way."""
    if not (advised.explanations and told.explanations) or advised.reason or told.reason:
        return False
    return advised.explanations[0].shares == told.explanations[0].shares


def _better(one: Iterable[Explanation], other: Iterable[Explanation]) -> bool:
    best = max((e.probability for e in one), default=0.0)
    return best > max((e.probability for e in other), default=0.0)


def _with(one: Explanation, evidence: Evidence) -> Explanation:
    return replace(one, evidence=(*one.evidence, evidence))


def _claim_order(claim: tuple[Draft, int]) -> tuple[int, date, int]:
    draft, item_id = claim
    return (item_id, draft.receipt.on, draft.receipt.id)
