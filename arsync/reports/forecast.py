"""The cash forecast as people read it, and as files."""

from dataclasses import dataclass

from arsync.core.forecast.cash import CashForecast, CurrencyForecast
from arsync.core.money import Money
from arsync.output import PLAIN, Bar, Screen, bars, counted, grid, section
from arsync.reports.stamp import Stamp
from arsync.reports.writers import Cell, Column, Table

_COLUMNS = (
    Column("currency", "currency"),
    Column("what"),
    Column("from", "date"),
    Column("to", "date"),
    Column("low", "amount"),
    Column("likely", "amount"),
    Column("high", "amount"),
)


@dataclass(frozen=True, slots=True)
class ForecastReport:
    """A forecast with its stamp (basis "due": delays are counted from due dates)."""

    stamp: Stamp
    forecast: CashForecast

    def table(self) -> Table:
        """For CSV, JSON and XLSX: the likely amounts of a currency add up to what is open."""
        return Table("cash_forecast", _COLUMNS, self.rows(), self.stamp)

    def rows(self) -> list[tuple[Cell, ...]]:
        """One row a week, then what comes later, is disputed, or is here already."""
        return [row for each in self.forecast.currencies for row in _rows(each)]

    def text(self, screen: Screen = PLAIN, *, following: str = "") -> list[str]:
        """For people: per currency the weeks as a picture, their ranges, and what adds up to all open."""
        result = [*self.stamp.lines(), self.forecast.note, ""]
        for each in self.forecast.currencies:
            result += [*_text(each, screen), ""]
        if not self.forecast.currencies:
            result += ["nothing is open", ""]
        return [*result, f"next: {following}"] if following else result[:-1]


def _rest(each: CurrencyForecast) -> tuple[tuple[str, Money], ...]:
    """What is open and in no week."""
    return (
        ("beyond", Money(each.beyond_minor, each.currency)),
        ("disputed", Money(each.disputed_minor, each.currency)),
        ("credit", Money(each.credit_minor, each.currency)),
    )


def _bars(each: CurrencyForecast) -> list[Bar]:
    return [
        Bar(
            week.start.isoformat(),
            Money(week.likely_minor, each.currency),
            Money(week.low_minor, each.currency),
            Money(week.high_minor, each.currency),
        )
        for week in each.weeks
    ]


def _rows(each: CurrencyForecast) -> list[tuple[Cell, ...]]:
    weeks = zip(each.weeks, _bars(each), strict=True)
    return [
        *(
            (each.currency, "week", week.start, week.end, bar.low, bar.likely, bar.high)
            for week, bar in weeks
        ),
        *((each.currency, what, None, None, None, amount, None) for what, amount in _rest(each)),
    ]


def _text(each: CurrencyForecast, screen: Screen) -> list[str]:
    total = Money(each.open_minor, each.currency)
    weeks = _bars(each)
    body: list[tuple[Cell, ...]] = [
        (week.start, week.end, bar.low, bar.likely, bar.high)
        for week, bar in zip(each.weeks, weeks, strict=True)
    ]
    totals: list[tuple[Cell, ...]] = [
        *((None, what, None, amount, None) for what, amount in _rest(each) if amount or what == "beyond"),
        (None, "open", None, total, None),
    ]
    title = f"open {total} in {counted(each.items, 'item')}; expected by week, 8 in 10 between low and high"
    table = grid(("From", "To", "Low", "Likely", "High"), body, screen, totals=totals)
    return [*section(title, bars(weeks, screen), screen), "", *table]
