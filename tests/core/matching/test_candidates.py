"""What a part of the books knows of their numbers."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from arsync.core.matching.candidates import Book, Numbers
from arsync.core.matching.snapshot import MatchPolicy
from tests.core.matching.build import item, snapshot

NUMBERS = st.sampled_from(("INV-101", "101", "INV 0101", "PO-7", "2024-00101", "2024-0101", "RENT"))


@st.composite
def ledgers(draw):
    """Items that share numbers and orders, and what is left of a part of them."""
    rows = draw(
        st.lists(st.tuples(NUMBERS, st.lists(NUMBERS, max_size=2), st.integers(0, 3)), min_size=1, max_size=8)
    )
    items = [
        item(place + 1, 1000 + due, number, references=tuple(orders), due=due)
        for place, (number, orders, due) in enumerate(rows)
    ]
    rest = [row for row in items if draw(st.booleans())]
    kept = item(99, 700)  # money on account, which has no number
    rest += [kept] if draw(st.booleans()) else []
    return items, [row._replace(available_minor=1) if draw(st.booleans()) else row for row in rest]


@given(ledgers())
def test_a_book_with_the_numbers_of_all_items_answers_as_one_with_its_own(ledger):
    items, rest = ledger
    whole = snapshot(items, [])
    part = replace(whole, items=tuple(rest))
    alone, shared = Book(part, MatchPolicy()), Book(part, MatchPolicy(), Numbers(whole.items))
    keys = {*Numbers(whole.items).first, *Numbers(whole.items).orders, "NOBODY"}
    for key in keys:
        assert (key in shared.known_keys) == (key in alone.known_keys), key
        assert shared.numbered(key) == alone.numbered(key), key
        assert shared.ordered(key) == alone.ordered(key), key
