"""What every report says about itself, so that a figure can be trusted, or not, without asking."""

from dataclasses import dataclass
from datetime import date, datetime

UNPROVEN = "unproven: not compared with the platform's totals"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The day, knowledge, basis and completeness behind the figures of one report."""

    as_of: date
    basis: str  # which date or rule orders the figures: "due", "document", ...
    known_at: datetime | None = None  # as the books were known then; None: as they are known now
    completeness: str = UNPROVEN  # "proven against ..." or "unproven: why"
    ledger: str = ""

    def lines(self) -> list[str]:
        """For the head of a report: one line for the day and basis, one for completeness."""
        ledger = f"{self.ledger}  " if self.ledger else ""
        known = (
            f", as known {self.known_at:%Y-%m-%d %H:%M %Z}".rstrip() if self.known_at else ", as known now"
        )
        return [f"{ledger}as of {self.as_of.isoformat()}, by {self.basis} date{known}", self.completeness]
