"""How likely is it that a payer means this set of items, before the amount is known?

Shape   `weight(...)` of a set, `elsewhere(amount)` of everything that is not among the items, `unseen(...)` of sets
        that a cut search did not reach. The probability of a set that fits is its weight over the sum of all that fit.
Model   a payer chooses a way of paying (one item, the oldest ones, a run in order of due date, a run but one, one
        due date, everything, some), then a set of that way, each alike. There are few runs and many sets of some:
        a run that fits is hardly chance, a bare sum easily is.
Units   amounts in minor units; weights are shares, not money.
Source  of payments in open data 57 to 65 % settle one item and three quarters of the others items in order of due date
        (docs/matching.md); the shares below are round on purpose.
"""

from collections.abc import Mapping, Sequence
from math import comb, gcd, prod
from operator import mul
from typing import Any, NamedTuple


class Ways(NamedTuple):
    """A number for each way of paying: how often it is chosen, or how likely it makes a set."""

    one: float  # one item
    oldest: float  # the oldest items
    run: float  # a run in order of due date
    ties: float  # a run of due dates, and some items of its first and last
    but_one: float  # a run but one
    due: float  # everything due on one date
    all: float  # everything
    some: float  # some items


USUAL = Ways(one=0.50, oldest=0.15, run=0.08, ties=0.05, but_one=0.03, due=0.05, all=0.06, some=0.04)
_OTHER = 0.04  # an advance, a part, an item we do not have, another customer's
_ALL_CREDITS, _NO_CREDIT, _A_CREDIT = 0.5, 0.4, 0.1  # while credits are open
ITS_MONTH = 0.15  # the text names a month, and they are all that is due in it, or all that was issued
OTHER_MONTH = 0.002  # the text names a month, and it is not theirs
DISCOUNT = 0.5  # the granted discounts are taken
DISCOUNT_LATE = 0.1  # a discount is taken that the terms grant no more
# Of runs that leave an item open with the amount of one they settle, how many leave an older one.
OLDER_LEFT = 0.02
_CUT = 0.1  # of runs that end inside a date, how many take its items in the order in which we know them
FEW_ON_A_DATE = 5  # so many items of one date may be combined freely
_USUAL_DAYS, _STALE = 10, 0.03  # from the due date, half as likely; and the least
# Of amounts that nobody can explain, how many are round to so many minor units.
_ROUND = ((1, 0.5), (100, 0.2), (100_00, 0.2), (1_000_00, 0.1))
_ALIKE = 3  # from so many items on it is no accident that all are multiples of one amount
_USUAL = 20  # a round amount is one of at least so many


def weight(
    debits: int,
    chosen: Sequence[int],
    dues: Sequence[object],
    on_date: Mapping[Any, int],
    credits_open: int,
    credits_netted: int,
    ways: Ways = USUAL,
) -> float:
    """The share of payments that would settle exactly these items.

    Args:
        debits: open items, in order of due date.
        chosen: places of those that are paid, ascending; at least one.
        dues: the due dates, by place.
        on_date: how many debits are due on each date.
        credits_open: credits that may be netted.
        credits_netted: how many of them are.
        ways: how often the payer pays in each way.
    """
    made = by_way(debits, chosen, dues, on_date)
    share: float = sum(map(mul, made, ways))
    return share * _netting(credits_open, credits_netted)


def by_way(debits: int, chosen: Sequence[int], dues: Sequence[object], on_date: Mapping[Any, int]) -> Ways:
    """Of the payments made in each way, the share that settles exactly these items; arguments as of `weight`."""
    size = len(chosen)
    first, last = chosen[0], chosen[-1]
    length = last - first + 1
    runs = debits * (debits - 1) / 2
    cuts = (first > 0 and dues[first - 1] == dues[first]) + (
        last + 1 < debits and dues[last + 1] == dues[last]
    )
    ordered = _CUT**cuts
    oldest = ordered / debits if length == size and first == 0 else 0.0
    everything = 1.0 if size == debits else 0.0
    if size == 1:
        return Ways(1 / debits, oldest, 0.0, 0.0, 0.0, 0.0, everything, 0.0)
    return Ways(
        one=0.0,
        oldest=oldest,
        run=ordered / runs if length == size else 0.0,
        ties=1 / _choices(chosen, dues, on_date) if _between(chosen, dues) == size else 0.0,
        but_one=ordered / (runs * length) if length == size + 1 else 0.0,
        due=1 / len(on_date) if dues[first] == dues[last] and on_date[dues[first]] == size else 0.0,
        all=everything,
        # One over a whole number and not a share over it: there may be more sets than a float can count.
        some=1 / (size * (size - 1) * comb(debits, size)),
    )


def discounting(*, granted: bool, taken: bool, often: float = DISCOUNT) -> float:
    """The share of payments that take the discounts that are granted, or leave them; `often` they are taken."""
    if not granted:
        return 1.0
    return often if taken else 1 - often


def timely(days: Sequence[int]) -> float:
    """How likely items so many days from their due dates are paid, beside such as are due today.

    Never so little that the day alone could decide: some payers are always months late.
    """
    usual = sorted(days)[len(days) // 2]
    return max(_STALE, 1 / (1 + (usual / _USUAL_DAYS) ** 2))


def elsewhere(amount_minor: int, values_minor: Sequence[int] = ()) -> float:
    """The share of payments that are about none of the items and come to this amount by chance.

    Where all of the items are multiples of one amount, what else is paid is likely to be one too.
    """
    grain = gcd(*values_minor)
    alike = len(values_minor) >= _ALIKE and grain > 1 and not amount_minor % grain
    grains = ((grain, 1.0),) if alike else _ROUND
    multiples = [(abs(amount_minor) // step, share) for step, share in grains if not amount_minor % step]
    return _OTHER * sum(share / (_USUAL + number) for number, share in multiples)


def unseen(amount_minor: int, values_minor: Sequence[int], seen: int, ways: Ways = USUAL) -> float:
    """The share of payments that settle some set which a cut search may have missed, and come to this amount.

    The search looked at every set of up to `seen` items; of sets of some, one in `seen` has more.
    """
    grain = gcd(*values_minor)
    if grain == 0 or amount_minor % grain:
        return 0.0
    multiples = max(1, abs(amount_minor) // grain)
    return ways.some / seen / multiples


def _between(chosen: Sequence[int], dues: Sequence[object]) -> int:
    """How many of the items a run from the first to the last of these takes, its first and last date as chosen."""
    first, last = dues[chosen[0]], dues[chosen[-1]]
    at_ends = sum(1 for place in chosen if dues[place] in (first, last))
    inside = sum(1 for place in range(chosen[0], chosen[-1]) if dues[place] not in (first, last))
    return at_ends + inside


def _choices(chosen: Sequence[int], dues: Sequence[object], on_date: Mapping[Any, int]) -> int:
    """Among how many runs alike a run is one: its first and last date, then which items of these two."""
    first, last = dues[chosen[0]], dues[chosen[-1]]
    ends = {first: [p for p in chosen if dues[p] == first], last: [p for p in chosen if dues[p] == last]}
    dates = len(on_date)
    return dates * (dates + 1) // 2 * prod(_of_date(places, dues, on_date) for places in ends.values())


def _of_date(places: Sequence[int], dues: Sequence[object], on_date: Mapping[Any, int]) -> int:
    """Among how many choices from one date this is one; of many items, few take them in order from either end."""
    count, taken = on_date[dues[places[0]]], len(places)
    if count <= FEW_ON_A_DATE:
        return int(2**count - 1)
    start = dues.index(dues[places[0]])
    in_order = places[-1] - places[0] + 1 == taken
    at_an_end = places[0] == start or places[-1] == start + count - 1
    if in_order and at_an_end:
        return round((2 * count - 1) / _CUT)
    return 10 * int(2**count - 1) // 9  # all that `_CUT` leaves, in whole numbers: a date may have thousands


def _netting(credits_open: int, credits_netted: int) -> float:
    if not credits_open:
        return 1.0
    if not credits_netted:
        return _NO_CREDIT
    if credits_netted == credits_open:
        return _ALL_CREDITS
    return _A_CREDIT * (1 / comb(credits_open, credits_netted))
