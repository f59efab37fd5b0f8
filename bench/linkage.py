"""Splink beside the matcher: the same receipts and open items as two tables, scored pairs as the answer.

Splink is given what its user would give it: one row an item and one row a receipt, each with a document number, an
amount and a name (capitals, no legal form). It compares the number exactly, the amount exactly with the frequency of
each amount, the name by Jaro-Winkler; its chances are learned as its guide does (a rule for how many pairs match, a
random sample, expectation maximisation). Nothing else is tuned. It knows one number of a row, so that a receipt of many
numbers shows its first; `each_number` gives it one row for each number that a receipt quotes instead.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from arsync.core.matching.snapshot import Snapshot
from bench.pairs import Scored

_NUMBER = re.compile(r"\d{5,}")
_LEGAL_FORM = re.compile(r" (?:INC|LLC|LTD)$")
_SAMPLE_PAIRS = 2e6  # of its random sample; its own default is 1e6, with a warning that this is few
_LEAST = 0.01  # less likely pairs are not fetched
_NUMBERED = 0.7  # the share of true pairs that a number names: a guess that its user has to make


@dataclass(frozen=True, slots=True)
class Variant:
    """What Splink is asked."""

    each_number: bool  # a row for each number of a receipt, not for its first alone
    by_name: bool  # pairs of the same name are looked at too, whatever their amounts

    @property
    def name(self) -> str:
        """For the table."""
        rows = "a row for each number" if self.each_number else "first number"
        return f"{rows}; number, or amount and 4 letters{', or name' if self.by_name else ''}"


VARIANTS = tuple(Variant(each, by_name) for each in (False, True) for by_name in (False, True))


def installed() -> str:
    """The version of Splink, or nothing."""
    try:
        return version("splink")
    except PackageNotFoundError:
        return ""


def prepare(snapshot: Snapshot, variant: Variant) -> tuple[Any, list[int]]:
    """A linker over the snapshot's two tables, and the receipt of each row of the second."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink import comparison_library as compare

    logging.getLogger("splink").setLevel(logging.ERROR)  # it tells of levels that its sample did not show
    database = DuckDBAPI()
    items = {
        "unique_id": [row.id for row in snapshot.items],
        "number": ["".join(_NUMBER.findall(row.number or "")) or None for row in snapshot.items],
        "amount": [row.available_minor for row in snapshot.items],
        "name": _names(snapshot),
    }
    rows = list(_receipt_rows(snapshot, each_number=variant.each_number))
    receipts = {
        "unique_id": list(range(len(rows))),
        "number": [number for _, number, _, _ in rows],
        "amount": [amount for _, _, amount, _ in rows],
        "name": [name for _, _, _, name in rows],
    }
    blocking = [block_on("number"), block_on("amount", "substr(name, 1, 4)")]
    if variant.by_name:
        blocking.append(block_on("name"))
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            compare.ExactMatch("number"),
            compare.ExactMatch("amount").configure(term_frequency_adjustments=True),
            compare.JaroWinklerAtThresholds("name"),
        ],
        blocking_rules_to_generate_predictions=blocking,
        retain_matching_columns=False,
    )
    tables = [
        database.register(items, dataset_display_name="items"),
        database.register(receipts, dataset_display_name="receipts"),
    ]
    return Linker(tables, settings, log_level=None), [receipt_id for receipt_id, _, _, _ in rows]


def train(linker: Any) -> None:
    """Learn the chances, as Splink's guide says."""
    from splink import block_on

    learn = linker.training
    learn.estimate_probability_two_random_records_match([block_on("number")], recall=_NUMBERED)
    learn.estimate_u_using_random_sampling(max_pairs=_SAMPLE_PAIRS)
    learn.estimate_parameters_using_expectation_maximisation(block_on("number"))
    learn.estimate_parameters_using_expectation_maximisation(block_on("amount", "substr(name, 1, 4)"))


def pairs(linker: Any, receipt_of: list[int]) -> Scored:
    """The pairs that are at all likely, with their probabilities."""
    found = linker.inference.predict(threshold_match_probability=_LEAST)
    chosen = found.query_sql("select unique_id_l, unique_id_r, match_probability from {this}")
    return [
        ((receipt_of[row], item), probability)
        for item, row, probability in chosen.as_duckdbpyrelation().fetchall()
    ]


def _names(snapshot: Snapshot) -> list[str]:
    names = {row.id: _plain(row.name) for row in snapshot.customers}
    return [names[row.customer_id] for row in snapshot.items]


def _receipt_rows(snapshot: Snapshot, *, each_number: bool) -> Iterator[tuple[int, str | None, int, str]]:
    for row in snapshot.receipts:
        numbers: list[str | None] = [*_NUMBER.findall(row.texts[0])] or [None]
        for number in numbers if each_number else numbers[:1]:
            yield row.id, number, row.amount_minor, _plain(row.payer_name)


def _plain(name: str) -> str:
    return _LEGAL_FORM.sub("", name.upper())
