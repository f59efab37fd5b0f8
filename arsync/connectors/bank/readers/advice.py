"""Remittance advices in tables: one row a document, by a profile of kind "advice".

Units   amounts as the profile's `AmountStyle` says.
Shape   rows -> one `Remittance` for each payment the rows name.
Law     each row is a document of an advice or a problem of it; documents that do not come to the payment's
        total are a problem. The trust grade is what the profile declares, "unknown" unless a person says more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from arsync.connectors.bank import remit
from arsync.connectors.bank.amounts import amount_problem_code, read_money
from arsync.connectors.bank.bankprofile import Profile
from arsync.connectors.bank.readers.rows import Row, read_date
from arsync.core.bank import Problem, Remittance, RemittanceLine
from arsync.core.money import AmountUnreadable, Money


@dataclass(slots=True)
class _Payment:
    """The rows of one payment."""

    first: Row
    currency: str | None
    total: Money | None = None
    lines: list[RemittanceLine] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)


def advices(
    rows: Iterable[Row], profile: Profile, columns: Mapping[str, tuple[int, ...]]
) -> tuple[Remittance, ...]:
    """Read every row; rows that name the same payment are one advice."""
    reader = _Reader(profile, columns)
    for row in rows:
        if row.malformed or any(text.strip() for text in row.fields):
            reader.take(row)
    return tuple(reader.finished())


class _Reader:
    def __init__(self, profile: Profile, columns: Mapping[str, tuple[int, ...]]) -> None:
        self.profile, self.columns = profile, columns
        self.payments: dict[str, _Payment] = {}

    def one(self, row: Row, name: str) -> str:
        found = (row.fields[at].strip() for at in self.columns.get(name, ()) if at < len(row.fields))
        return next(found, "")

    def take(self, row: Row) -> None:
        currency = self.one(row, "currency").upper() or self.profile.currency
        payment = self.payments.setdefault(self.one(row, "payment"), _Payment(row, currency))
        payment.raw.append(row.raw)
        try:
            line = self._line(row, currency)
            total = self._money(row, "total", currency)
        except AmountUnreadable as error:
            code = amount_problem_code(error, currency)
            problem = Problem(code, f"line {row.number}", "paid", row.raw, str(error), remit.ASK)
            payment.problems.append(problem)
            return
        payment.total = payment.total or total
        if line.reference or line.paid is not None:
            payment.lines.append(line)

    def _line(self, row: Row, currency: str | None) -> RemittanceLine:
        if row.malformed:
            raise AmountUnreadable(row.raw, f"the row is not what the profile declares: {row.malformed}")
        formats = self.profile.csv.date_formats if self.profile.csv else ()
        return RemittanceLine(
            reference=self.one(row, "reference"),
            paid=self._money(row, "paid", currency),
            gross=self._money(row, "gross", currency),
            discount=self._money(row, "discount", currency),
            document_date=read_date(self.one(row, "document_date"), formats),
            note=self.one(row, "note"),
        )

    def _money(self, row: Row, name: str, currency: str | None) -> Money | None:
        given = self.one(row, name)
        if not given:
            return None
        if currency is None:
            raise AmountUnreadable(given, "neither the row nor the profile names a currency")
        return read_money(given, currency, self.profile.amounts)

    def finished(self) -> Iterable[Remittance]:
        formats = self.profile.csv.date_formats if self.profile.csv else ()
        for reference, payment in self.payments.items():
            first = payment.first
            yield remit.sealed(
                Remittance(
                    key="",
                    locator=f"line {first.number}",
                    on=read_date(self.one(first, "booking_date"), formats),
                    payer_name=self.one(first, "payer_name"),
                    payer_account=self.one(first, "payer_account"),
                    currency=payment.currency,
                    total=payment.total,
                    grade=self.profile.grade,
                    reference=reference,
                    lines=tuple(payment.lines),
                    problems=tuple(payment.problems),
                    raw="\n".join(payment.raw),
                )
            )
