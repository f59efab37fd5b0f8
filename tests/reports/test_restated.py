"""What moved the aging of a past day: each document, by how much, and why; and nothing is left over."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from arsync.core.items import ItemKind
from arsync.output import Screen
from arsync.reports.aging import AgedRow
from arsync.reports.restated import Cause, restated
from arsync.reports.stamp import Stamp

DAY = date(2026, 10, 31)
STAMP = Stamp(DAY, "effective", datetime(2026, 11, 1, tzinfo=UTC), "proven", "acme-us")


def row(item_id, open_minor, currency="USD"):
    return AgedRow(1, "Acme", item_id, None, ItemKind.INVOICE, date(2026, 10, 1), DAY, currency, open_minor)


def test_the_screen():
    then = [row(1, 100_00), row(2, -40_00), row(3, 7_00), row(5, 1_00)]
    now = [row(1, 60_00), row(4, 9_00), row(5, 1_00)]
    causes = [
        Cause(1, "Payment 158", date(2026, 10, 5), date(2026, 11, 20), 40_00),
        Cause(2, "Invoice 157", date(2026, 10, 5), date(2026, 11, 20), -40_00),
    ]
    names = {1: "Invoice 157", 2: "Payment 158", 3: "Invoice 160", 4: "Invoice 161"}
    assert restated(then, now, causes, names, STAMP).text(Screen(120, unicode=False)) == [
        "acme-us  as of 2026-10-31, by effective date, as known 2026-11-01 00:00 UTC",
        "proven",
        "",
        "open then USD 68.00, now USD 70.00; 4 documents moved",
        "Customer  Document       Then    Now   Moved  Why",
        "Acme      Invoice 157  100.00  60.00  -40.00  Payment 158 counts from 2026-10-05, known here 2026-11-20",
        "Acme      Payment 158  -40.00   0.00   40.00  Invoice 157 counts from 2026-10-05, known here 2026-11-20",
        "Acme      Invoice 161    0.00   9.00    9.00  entered later",
        "Acme      Invoice 160    7.00   0.00   -7.00  deleted or settled later",
    ]


def test_a_day_that_nothing_moved():
    assert restated([row(1, 5)], [row(1, 5)], [], {}, STAMP).text()[3:] == [
        "open then USD 0.05, now USD 0.05; 0 documents moved"
    ]
    assert restated([], [], [], {}, STAMP).text()[3:] == ["nothing was open, then or now"]


_rows = st.dictionaries(st.integers(1, 8), st.integers(-500, 500).filter(bool), max_size=8)


@given(then=_rows, now=_rows)
def test_then_and_moved_make_now(then, now):
    got = restated([row(*one) for one in then.items()], [row(*one) for one in now.items()], [], {}, STAMP)
    moved = sum(line.moved_minor for line in got.lines)
    assert sum(then.values()) + moved == sum(now.values())
    assert [(t.then_minor, t.now_minor) for t in got.totals] == (
        [(sum(then.values()), sum(now.values()))] if then or now else []
    )
    assert all(line.moved_minor for line in got.lines)
