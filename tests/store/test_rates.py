"""Rates on file: one for each day and pair, to the digit; what comes later corrects."""

from datetime import date, timedelta
from decimal import Decimal

from arsync.core.rates import Rate
from arsync.store import rates

DAY = date(2026, 3, 6)
AT, LATER = "2026-03-06T16:00:00.000000Z", "2026-03-09T16:00:00.000000Z"


def rate(value, one="EUR", other="USD", days=0):
    return Rate(DAY + timedelta(days=days), one, other, Decimal(value))


def test_rates_are_kept_to_the_digit_and_corrected_by_day_and_pair(store):
    first = [rate("1.0850"), rate("160.25", other="JPY"), rate("1.09", days=3)]
    with store.begin() as conn:
        assert rates.keep(conn, first, "Cleo", AT) == (3, 0)
        assert rates.keep(conn, first, "Max", LATER) == (0, 0)
        assert rates.keep(conn, [], "Max", LATER) == (0, 0)
    with store.begin() as conn:
        assert rates.between(conn, DAY, DAY) == [first[1], first[0]]
        turned = rate("0.9217", one="USD", other="EUR")
        assert rates.keep(conn, [turned, rate("1.10", days=4)], "Max", LATER) == (1, 1)
    with store.read() as conn:
        rows = rates.listing(conn, DAY, DAY + timedelta(days=9))
        assert rates.between(conn, DAY, DAY) == [first[1], turned]
    assert [(row.who, row.at) for row in rows] == [("Cleo", AT), ("Max", LATER), ("Cleo", AT), ("Max", LATER)]
