"""`python -m bench --write` renews what it measured and keeps everything else on the page."""

import pytest

from bench.__main__ import PAGE, renewed

OLD = """\
# Speed

Made before.

```
old head
```

- A note of the head.

## By hand

Measured once.

```
1 s
```

## Bank files

Made before.

```
old bank
```

- A note of the bank.

```
another table
```
"""


def table(text):
    return f"\nMade now.\n\n```\n{text}\n```\n"


@pytest.mark.parametrize(
    ("made", "gone", "there"),
    [
        pytest.param(
            {"": "# Speed\n" + table("new head")}, ["old head"], ["new head", "old bank"], id="the head"
        ),
        pytest.param(
            {"Bank files": table("new bank")}, ["old bank"], ["old head", "new bank"], id="a section"
        ),
        pytest.param(
            {"Beside others": table("new")}, [], ["old head", "old bank", "## Beside others"], id="a new one"
        ),
        pytest.param({}, [], ["old head", "old bank"], id="nothing"),
    ],
)
def test_what_was_not_measured_stays(made, gone, there):
    page = renewed(OLD, made)
    for text in [
        "- A note of the head.",
        "## By hand",
        "1 s",
        "- A note of the bank.",
        "another table",
        *there,
    ]:
        assert page.count(text) == 1
    for text in gone:
        assert text not in page
    assert renewed(page, made) == page


def test_nothing_measured_changes_nothing():
    for page in (OLD, PAGE.read_text("utf-8")):
        assert renewed(page, {}) == page
