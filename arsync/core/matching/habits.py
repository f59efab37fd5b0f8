"""How a customer usually pays, by what people confirmed one at a time: the oldest first, everything, less discounts.

Shape   `observed(...)` says in which ways a confirmed payment may have been chosen; `ways_of(habit)` are the shares
        that the likelihood of sets uses for this customer.
Law     habits weigh sets that come to the cent against each other; they never make one that does not. The usual shares
        count as twenty payments, so that a few confirmations move little; what nobody confirms any more is forgotten.
Source  the model of `likelihood`; a payment is shared between the ways by how likely each makes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import attrgetter

from arsync.core.matching.candidates import Pool, discount_minor
from arsync.core.matching.likelihood import DISCOUNT, USUAL, Ways, by_way
from arsync.core.matching.snapshot import Habit, ItemRow, Knowledge, ReceiptRow

_USUAL_PAYMENTS = 20  # the usual shares count as so many
TOLD_FROM = 3  # payments; fewer are no habit to speak of
_NAMES = (
    "one item",
    "the oldest items",
    "a run of items in order of due date",
    "a run of due dates",
    "a run of items but one",
    "everything due on one date",
    "the whole balance",
    "some items",
)  # in the order of `Ways`


def observed(
    customer_id: int,
    open_then: Iterable[ItemRow],
    settled: Mapping[int, int],
    receipt: ReceiptRow,
    *,
    discounted: bool | None,
) -> Habit | None:
    """What one confirmed payment says; None if it did not settle whole items of the customer, and those alone.

    Args:
        customer_id: whose money it was.
        open_then: what was open before; what is not this customer's, or in another currency, is left aside.
        settled: minor units by item, with what was given up.
        receipt: the money.
        discounted: whether a cash discount was taken; None: nobody knows.
    """
    mine = [i for i in open_then if (i.customer_id, i.currency) == (customer_id, receipt.currency)]
    pool = Pool(sorted(mine, key=attrgetter("due", "id")))
    available = {item.id: item.available_minor for item in pool.items}
    places = [place for place, item in enumerate(pool.debits) if item.id in settled]
    if not places or any(available.get(item_id) != minor for item_id, minor in settled.items()):
        return None
    made = by_way(len(pool.debits), places, pool.dues, pool.on_date)
    parts = [one * usual for one, usual in zip(made, USUAL, strict=True)]
    if not any(parts):
        return None
    ways = Ways(*(part / sum(parts) for part in parts))
    granted = any(discount_minor(pool.debits[place], receipt.on, 0) for place in places)
    left = granted and discounted is False
    return Habit(customer_id, 1, ways, int(discounted is True), int(left))


def with_habit(knowledge: Knowledge, seen: Habit | None) -> Knowledge:
    """Knowledge with one more payment observed; the same where it says nothing."""
    return replace(knowledge, habits=together([*knowledge.habits, seen])) if seen else knowledge


def together(habits: Iterable[Habit]) -> tuple[Habit, ...]:
    """One habit of each customer, by customer."""
    found: dict[int, Habit] = {}
    for one in habits:
        had = found.get(one.customer_id)
        found[one.customer_id] = one if had is None else _added(had, one)
    return tuple(found[customer] for customer in sorted(found))


def ways_of(habit: Habit | None) -> Ways:
    """How often this customer pays in each way."""
    if habit is None:
        return USUAL
    number = _USUAL_PAYMENTS + habit.payments
    known = sum(USUAL)
    return Ways(
        *(
            (usual * _USUAL_PAYMENTS + known * seen) / number
            for usual, seen in zip(USUAL, habit.ways, strict=True)
        )
    )


def taking(habit: Habit | None) -> float:
    """How often this customer takes a cash discount that is granted."""
    if habit is None:
        return DISCOUNT
    number = _USUAL_PAYMENTS + habit.taken + habit.left
    return (DISCOUNT * _USUAL_PAYMENTS + habit.taken) / number


def told(habit: Habit) -> str:
    """The habit in words."""
    most = max(range(len(habit.ways)), key=lambda place: habit.ways[place])
    said = f"most often {_NAMES[most]}"
    if habit.taken + habit.left:
        said += f"; the discount was taken {habit.taken} of {habit.taken + habit.left} times"
    return said


def _added(one: Habit, other: Habit) -> Habit:
    ways = Ways(*(a + b for a, b in zip(one.ways, other.ways, strict=True)))
    return Habit(
        one.customer_id, one.payments + other.payments, ways, one.taken + other.taken, one.left + other.left
    )
