"""Why not this item? What speaks for and against it, asked of one receipt.

Shape   `why(snapshot, knowledge, policy, finding, item_id)` -> sentences for and against; pure, from what was seen.
Law     says nothing that the matcher does not look at, and decides nothing.
"""

from arsync.core.decisions import Evidence, Finding
from arsync.core.matching.candidates import Book, discount_minor
from arsync.core.matching.explain import con, label, labels, money, payer_evidence, pro
from arsync.core.matching.named import named_items, resembles
from arsync.core.matching.payers import Payer, Payers
from arsync.core.matching.sets import Sets
from arsync.core.matching.snapshot import ItemRow, Knowledge, MatchPolicy, ReceiptRow, Snapshot


def why(
    snapshot: Snapshot, knowledge: Knowledge, policy: MatchPolicy, finding: Finding, item_id: int
) -> tuple[Evidence, ...]:
    """What speaks for and against this item; empty if the matcher did not see it as open."""
    receipt = next(row for row in snapshot.receipts if row.id == finding.receipt_id)
    book = Book(snapshot, policy)
    item = book.items.get(item_id)
    if item is None:
        return ()
    payer = Payers(snapshot, knowledge, policy).find(receipt)
    said = [*_ranked(finding, item)]
    if item.currency != receipt.currency and said:
        return tuple(dict.fromkeys(said))
    if item.currency != receipt.currency:
        return (*said, con("other-currency", f"It is owed in {item.currency}, and {receipt.currency} came."))
    said += payer_evidence(book, payer, frozenset({item.customer_id}))
    said += _by_number(book, receipt, payer, item)
    said += _by_amount(book, receipt, payer, item)
    return tuple(dict.fromkeys(said))


def _ranked(finding: Finding, item: ItemRow) -> list[Evidence]:
    """Where it stands among what was found."""
    for place, one in enumerate(finding.explanations, 1):
        if any(share.item_id == item.id for share in one.shares):
            against = [evidence for evidence in one.evidence if not evidence.supports]
            return [pro("suggested", f"Suggestion {place} pays it."), *against]
    rejected = [row for row in finding.rejected if item.id in row.item_ids]
    return [con("rejected", row.why) for row in rejected]


def _by_number(book: Book, receipt: ReceiptRow, payer: Payer, item: ItemRow) -> list[Evidence]:
    """Whether the text names it, or rather something else."""
    named = named_items(book, receipt, payer, set())
    items = (*named.items, *named.grouped)
    if item in items:
        if item.id in named.weak:
            return [pro("named-weakly", f"The text names {label(item)}, by a short or cut number only.")]
        return [pro("named", f"The text names {label(item)}.")]
    near = [raw for raw in named.unread if resembles(raw, item.number)]
    if near:
        return [con("named-nearly", f"The text names {near[0]}, which may be a slip for {item.number}.")]
    if items:
        return [con("others-named", f"The text names {labels(items)}, and not this one.")]
    if item.number is None:
        return [con("no-number", "It has no number that a text could name.")]
    return [con("not-named", f"Nothing in the text reads as {item.number}.")]


def _by_amount(book: Book, receipt: ReceiptRow, payer: Payer, item: ItemRow) -> list[Evidence]:
    """Whether the amount is its own, or that of a set with it."""
    left = money(item.available_minor, item.currency)
    less = discount_minor(item, receipt.on, book.policy.discount_grace_days)
    if receipt.amount_minor in {item.available_minor, item.available_minor - less}:
        text = "less its discount" if receipt.amount_minor != item.available_minor else "exactly"
        said = [pro("amount-fits", f"The money is {text} what is open on it, {left}.")]
    else:
        came = money(receipt.amount_minor, receipt.currency)
        said = [con("amount-differs", f"{left} is open on it, and {came} came.")]
    owners = [c for c in payer.candidates if item.customer_id in book.family(c)] or [item.customer_id]
    pool = book.pool(book.family(owners[0]), receipt.currency, frozenset())
    answer = Sets(book.policy).fits(pool, receipt.amount_minor, receipt.on)
    holding = [fit for fit in answer.fits if item in fit.items and len(fit.items) > 1]
    if holding:
        best = holding[0]
        others = len(answer.fits) - len(holding)
        said.append(
            pro("in-a-set", f"It is one of {labels(best.items)}, which come to the amount. {best.note}")
        )
        if others:
            said.append(con("other-sets", f"{others} other sets without it come to the amount as well."))
    elif len(pool.items) > 1 and said[0].code == "amount-differs":
        whole = "" if answer.complete else ", as far as there was time to look"
        said.append(con("in-no-set", f"No set of open items with it comes to the amount{whole}."))
    return said
