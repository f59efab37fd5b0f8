"""How often what was applied without a person was wrong: what a blind sample found, and what was found otherwise.

Units   counts; rates in 10,000 with their 95 % interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from arsync.core.matching.sampling import interval
from arsync.output import PLAIN, Cell, Screen, counted, grid


@dataclass(frozen=True, slots=True)
class OfClass:
    """One class of evidence; since a manager last lifted it, if one ever did."""

    evidence_class: str
    applied: int  # without a person
    checked: int  # of the sample
    wrong: int
    undone: int  # found later, by people
    moved: int  # found later, in the books
    since: str | None = None
    held: str | None = None  # why it applies nothing by itself now

    @property
    def rate(self) -> tuple[int, int]:
        """In 10,000: between what the share of wrong ones lies (95 %)."""
        low, high = interval(self.wrong, self.checked)
        return round(10_000 * low), round(10_000 * high)


@dataclass(frozen=True, slots=True)
class Measured:
    """The report."""

    ledger: str
    one_in: int  # 0: no sample is drawn
    most_wrong: int  # in 10,000
    asked: int  # checks that wait for a clerk
    unclear: int  # nobody could tell
    classes: tuple[OfClass, ...]

    @property
    def all_of_them(self) -> OfClass:
        """Everything that was applied without a person."""
        names = ("applied", "checked", "wrong", "undone", "moved")
        return OfClass("all", *(sum(getattr(one, name) for one in self.classes) for name in names))

    def lines(self, screen: Screen = PLAIN) -> list[str]:
        """For people."""
        several = self.one_in > 1
        drawn = f"{f'one in {self.one_in:,}' if several else 'all of it'} is checked blind"
        drawn = drawn if self.one_in else "no sample is drawn"
        told = [
            f"{self.ledger}: applied without a person; {drawn}, {self.most_wrong} in 10,000 may be wrong",
            "",
        ]
        body = [_row(one) for one in self.classes]
        head = ("Evidence", "Applied", "Checked", "Wrong", "In 10,000 (95 %)", "Undone", "Moved")
        told += grid(head, body, screen, totals=[_row(self.all_of_them)] if body else [])
        told += [
            f"{one.evidence_class} counts since {_minute(one.since)}" for one in self.classes if one.since
        ]
        for one in self.classes:
            if one.held:
                told.append(f"{one.evidence_class} applies nothing by itself: {one.held}")
                told.append(f'  a manager lifts it: arsync quality lift "{one.evidence_class}" --why TEXT')
        if self.unclear:
            told.append(f"{counted(self.unclear, 'check')} in which nobody could tell")
        if self.asked:
            told.append(f'{counted(self.asked, "check")} to do: arsync queue list --reason "quality check"')
        return told


def _row(one: OfClass) -> Sequence[Cell]:
    low, high = one.rate
    return (
        one.evidence_class,
        one.applied,
        one.checked,
        one.wrong,
        f"{low} to {high}",
        one.undone,
        one.moved,
    )


def _minute(at: str | None) -> str:
    return (at or "")[:16].replace("T", " ")
