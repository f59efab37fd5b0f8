"""What was learned, as people see it: what follows from each confirmation."""

from datetime import date, timedelta

import pytest

from arsync.reports.learned import Taught, learned

TODAY = date(2026, 11, 20)


def taught(
    number=1, key="QUILL MEDIA", confirmations=1, until=TODAY + timedelta(days=1), customer="Quill Ltd"
):
    return Taught(number, key, f'"{key}"', customer, confirmations, TODAY, until, ("Cleo",))


@pytest.mark.parametrize(
    ("rows", "standing"),
    [
        pytest.param([taught()], ["suggests, known from 2 on"], id="one confirmation suggests"),
        pytest.param([taught(confirmations=2)], ["known"], id="two are known"),
        pytest.param([taught(confirmations=2, until=None)], ["known"], id="learned before anything ended"),
        pytest.param([taught(confirmations=2, until=TODAY)], ["ended"], id="it ends today"),
        pytest.param(
            [taught(confirmations=5), taught(2, confirmations=5, customer="Other")],
            ["several customers", "several customers"],
            id="one name for two customers makes neither known",
        ),
        pytest.param(
            [taught(confirmations=5), taught(2, confirmations=5, customer="Other", until=TODAY)],
            ["known", "ended"],
            id="what has ended stands in nobody's way",
        ),
    ],
)
def test_what_follows(rows, standing):
    assert [one.standing for one in learned(rows, 2, TODAY, used=True)] == standing


def test_where_the_policy_uses_nothing_that_was_learned():
    assert learned([taught()], 2, TODAY, used=False)[0].standing == "not used"
