"""CSV exports, by a profile that declares their dialect. Nothing about the dialect is guessed.

Units   amounts as the profile's `AmountStyle` says; dates by the declared formats.
Shape   (text, profile) -> one statement per account and currency.
Law     every row is preamble, header, blank, declared as skipped, a line, or a problem; none vanishes.
Errors  `FileRefused` when the declared header is not there, or an account or currency is nowhere named.
Source  RFC 4180 and 71 real exports; README, section "CSV profiles".
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from arsync.connectors.bank import identity, texts
from arsync.connectors.bank.amounts import SignUnreadable, amount_problem_code, read_money
from arsync.connectors.bank.bankprofile import CsvDialect, Profile, Skip
from arsync.connectors.bank.readers.advice import advices
from arsync.connectors.bank.readers.draft import Draft
from arsync.connectors.bank.readers.rows import Row, read_date
from arsync.core.bank import BankLineRead, Problem, Remittance, Statement
from arsync.core.money import AmountUnreadable, Money
from arsync.errors import FileRefused

_DATES_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Balance:
    """The balance a row states after itself; None when it could not be read."""

    locator: str
    moved: Money
    after: Money | None


Read = tuple[tuple[Statement, ...], tuple[str, ...], tuple[Remittance, ...]]


@dataclass(slots=True)
class _Draft(Draft):
    """The rows of one account and currency, or of one payout."""

    balances: list[_Balance] = field(default_factory=list)


def read(text: str, profile: Profile, dialect: CsvDialect) -> Read:
    """Read one CSV file: its statements, warnings about the file as a whole, its remittances."""
    return _read(_rows(text, dialect), profile, dialect)


def read_cells(cells: Iterable[tuple[int, list[str]]], profile: Profile, dialect: CsvDialect) -> Read:
    """Read the rows of a spreadsheet, with their numbers, by the same profile."""
    return _read((Row(row, number, "\t".join(row).rstrip("\t")) for number, row in cells), profile, dialect)


def _read(rows: Iterator[Row], profile: Profile, dialect: CsvDialect) -> Read:
    columns = _columns(dialect, _header(rows, dialect))
    if dialect.kind == "advice":
        remittances = advices(rows, profile, columns)
        return (), ("account-missing",) if not remittances else (), remittances
    reader = _Reader(profile, dialect, columns)
    for row in _continued(rows, dialect, columns) if dialect.continued else rows:
        reader.take(row)
    return reader.statements(), texts.once(reader.warnings()), ()


def _rows(text: str, dialect: CsvDialect) -> Iterator[Row]:
    """Records with their text; a malformed one is given as it is, and reading goes on after it."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=None):
            taken.append(line)
            # NUL bytes after the end of a file are no data.
            yield line.rstrip("\n\x00") + "\n"

    quote = dialect.quote or None
    records = csv.reader(
        lines(),
        delimiter=dialect.delimiter,
        quotechar=quote,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )
    number = 1
    while True:
        taken.clear()
        try:
            record, malformed = next(records), ""
        except StopIteration:
            return
        except csv.Error as error:
            record, malformed = [], str(error)
        yield Row(record, number, "".join(taken).rstrip("\n\x00"), malformed)
        number += len(taken)


def _continued(
    rows: Iterator[Row], dialect: CsvDialect, columns: Mapping[str, tuple[int, ...]]
) -> Iterator[Row]:
    """Put rows that hold nothing but text into the row before them."""
    positions = set(columns["text"])
    held: Row | None = None
    for row in rows:
        filled = {i for i, text in enumerate(row.fields) if text.strip()}
        if held and filled and filled <= positions and not row.malformed:
            for i in filled:
                held.fields[i] += f" {row.fields[i]}"
            held = Row(held.fields, held.number, f"{held.raw}\n{row.raw}", held.malformed)
        else:
            if held:
                yield held
            held = row
    if held:
        yield held


def _header(rows: Iterator[Row], dialect: CsvDialect) -> tuple[str, ...]:
    """Find the declared header; without one, step over the rows before the first row of data."""
    if not dialect.header:
        for _ in range(dialect.first_row - 1):
            next(rows, None)
        return ()
    wanted = [name.strip() for name in dialect.header]
    seen = ""
    for _ in range(dialect.header_within):
        row = next(rows, None)
        if row is None:
            break
        names = [name.strip() for name in row.fields]
        if names[: len(wanted)] == wanted and not any(names[len(wanted) :]):
            return tuple(wanted)
        seen = seen or row.raw[:200]
    raise FileRefused(
        "the header the profile declares is not in the file",
        where=f"the first {dialect.header_within} rows; the first is {seen!r}",
        do="choose the right profile, or declare the new header in a copy of it",
    )


def _columns(dialect: CsvDialect, header: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Our field -> positions from 0. A name that stands twice in a header means its first column."""
    return {
        name: tuple(_position(column, header) for column in (given if isinstance(given, tuple) else (given,)))
        for name, given in dialect.columns.items()
    }


def _position(column: str | int, header: tuple[str, ...]) -> int:
    return column - 1 if isinstance(column, int) else header.index(column.strip())


class _Reader:
    """The state of one pass over the rows."""

    def __init__(self, profile: Profile, dialect: CsvDialect, columns: Mapping[str, tuple[int, ...]]) -> None:
        self.profile, self.dialect, self.columns = profile, dialect, columns
        self.width = len(dialect.header)
        self.drafts: dict[tuple[str, str | None, str], _Draft] = {}
        self.by_text: dict[tuple[str, str | None, str], _Draft] = {}
        self.skipped: dict[str, int] = {}
        self.dates: dict[str, date | None] = {}
        self.skips = [(_position(skip.column, dialect.header), skip) for skip in dialect.skips]

    def take(self, row: Row) -> None:
        if row.malformed:
            self._unreadable(row, f"the row is not CSV as the profile declares it: {row.malformed}")
            return
        if not any(text.strip() for text in row.fields):
            return
        skip = self._skip(row)
        if skip:
            self.skipped[skip.reason] = self.skipped.get(skip.reason, 0) + 1
        elif self.width and any(text.strip() for text in row.fields[self.width :]):
            # An unquoted delimiter inside a field moves all fields after it: none can be believed.
            self._unreadable(row, f"the row has {len(row.fields)} fields, the header {self.width}")
        else:
            self._line(row)

    def _skip(self, row: Row) -> Skip | None:
        for position, skip in self.skips:
            value = row.fields[position].strip() if position < len(row.fields) else ""
            if value in skip.values or (skip.starts and value.startswith(skip.values)):
                return skip
        return None

    def _unreadable(self, row: Row, why: str) -> None:
        problem = Problem(
            "line-unreadable", _locator(row), "row", row.raw, why, "look at the row in the file"
        )
        # Which account it belongs to cannot be known: it makes every statement of the file unproven.
        self._draft(self.profile.account or "", self.profile.currency).problems.append(problem)

    def _draft(self, account: str, currency: str | None, payout: str = "") -> _Draft:
        draft = self.by_text.get((account, currency, payout))
        if draft is None:
            is_payout = self.dialect.kind == "payout"
            scheme = "payout" if is_payout else "bank" if account else "unknown"
            named = identity.account_id(scheme, account or (self.profile.name if is_payout else ""))
            made = _Draft(named, currency, "detail" if is_payout else "booked")
            made.statement_id = made.reference = payout or None
            # One account may be written in two ways in one file.
            draft = self.drafts.setdefault((named.key, currency, payout), made)
            self.by_text[account, currency, payout] = draft
        return draft

    def one(self, row: Row, name: str) -> str:
        for position in self.columns.get(name, ()):
            if position < len(row.fields):
                return row.fields[position].strip()
        return ""

    def _line(self, row: Row) -> None:
        account = self.one(row, "account") or self.profile.account or ""
        currency = self.one(row, "currency").upper() or self.profile.currency
        draft = self._draft(account, currency, self.one(row, "payout"))
        try:
            amount = self._amount(row, currency)
            fee = self._fee(row, amount)
        except AmountUnreadable as error:
            code = amount_problem_code(error, currency)
            do = "look at the row in the file and enter it by hand, or correct the profile"
            draft.problems.append(Problem(code, _locator(row), "amount", row.raw, error.why, do))
            return
        given = self.one(row, "booking_date")
        booked = self._date(given)
        if booked is None:
            why = f"{given!r} fits none of the declared date formats"
            do = "look at the row and give its date, or correct the profile"
            draft.problems.append(Problem("date-unreadable", _locator(row), "booking_date", given, why, do))
        line = self._read(row, draft, amount, booked)
        draft.lines.append(line)
        if fee:
            draft.lines.append(_fee_line(line, fee))
        self._balance(row, draft, amount)

    def _fee(self, row: Row, amount: Money) -> Money | None:
        """What was kept of a payout's payment, as money out."""
        given = self.one(row, "fee")
        fee = self._money(given, amount.currency) if given else None
        return -fee if fee else None

    def _amount(self, row: Row, currency: str | None) -> Money:
        if currency is None:
            raise AmountUnreadable("", "neither the row nor the profile names a currency")
        if self.dialect.sign == "debit and credit columns":
            return self._two_columns(row, currency)
        amount = self._money(self.one(row, "amount"), currency)
        if self.dialect.sign == "flag":
            return self._directed(amount, out=self._is_out(self.one(row, "flag")))
        inverted = (self.dialect.sign == "inverted") != self.profile.invert_sign
        return -amount if inverted else amount

    def _two_columns(self, row: Row, currency: str) -> Money:
        """Debit is money out, credit money in; one of the two, or a zero beside it."""
        debit, credit = self.one(row, "debit"), self.one(row, "credit")
        if not debit and not credit:
            raise AmountUnreadable("", "neither debit nor credit is given")
        out = self._money(debit, currency) if debit else Money(0, currency)
        back = self._money(credit, currency) if credit else Money(0, currency)
        if out and back:
            raise SignUnreadable(f"{debit} / {credit}", "both debit and credit are given")
        return self._directed(out, out=True) if out else self._directed(back, out=False)

    def _directed(self, amount: Money, *, out: bool) -> Money:
        """Give a column's or flag's direction to an amount that should carry no minus of its own."""
        if amount.minor < 0 and self.dialect.odd_sign == "problem":
            raise SignUnreadable(amount.text(), "a minus where column or flag already say the direction")
        magnitude = abs(amount) if self.dialect.odd_sign == "ignore" else amount
        return -magnitude if out else magnitude

    def _is_out(self, flag: str) -> bool:
        if flag in self.dialect.money_out:
            return True
        if flag in self.dialect.money_in:
            return False
        raise SignUnreadable(flag, "the flag is neither in money_in nor in money_out")

    def _money(self, text: str, currency: str) -> Money:
        return read_money(text, currency, self.profile.amounts)

    def _date(self, text: str) -> date | None:
        if text not in self.dates:
            if len(self.dates) >= _DATES_REMEMBERED:
                self.dates.clear()
            self.dates[text] = read_date(text, self.dialect.date_formats)
        return self.dates[text]

    def _read(self, row: Row, draft: _Draft, amount: Money, booked: date | None) -> BankLineRead:
        pieces = [row.fields[i] for i in self.columns.get("text", ()) if i < len(row.fields)]
        text, joined, cut = texts.join(pieces)
        value_date = self._date(self.one(row, "value_date")) if "value_date" in self.columns else None
        provider_id = self.one(row, "id") or None
        trust = identity.trust_of(provider_id, self.profile.id_trust)
        payer_account = self.one(row, "payer_account")
        code = self.one(row, "code")
        content = identity.Content(
            booked or self.one(row, "booking_date"), value_date, code, payer_account, text
        )
        family = self.dialect.families.get(code, "other")
        original, warnings = self._original(row, amount)
        if "currency" not in self.columns or not self.one(row, "currency"):
            warnings = (*warnings, "currency-from-profile")
        return BankLineRead(
            locator=_locator(row),
            key=identity.line_key(draft.account, trust, provider_id, amount, content),
            occurrence=1,
            provider_id=provider_id,
            provider_id_trust=trust,
            booking_date=booked,
            value_date=value_date,
            amount=amount,
            original_amount=original,
            payer_name=self.one(row, "payer_name") or None,
            payer_account=payer_account or None,
            end_to_end_id=self._usable(row, "end_to_end_id"),
            creditor_reference=self.one(row, "creditor_reference") or None,
            text=text,
            text_joined=joined,
            bank_reference=self.one(row, "bank_reference") or None,
            cheque_number=self.one(row, "cheque_number") or None,
            code_family=family,
            is_return=family in {"return", "chargeback"},
            raw_codes={"code": code} if code else {},
            warnings=warnings + cut,
            raw=row.raw,
        )

    def _usable(self, row: Row, name: str) -> str | None:
        value = self.one(row, name)
        return None if identity.trust_of(value, "A") == "C" else value

    def _original(self, row: Row, amount: Money) -> tuple[Money | None, tuple[str, ...]]:
        text, currency = self.one(row, "original_amount"), self.one(row, "original_currency").upper()
        if not text or not currency or currency == amount.currency:
            return None, ()
        try:
            return self._money(text, currency), ()
        except AmountUnreadable:
            return None, ("original-amount-unreadable",)

    def _balance(self, row: Row, draft: _Draft, amount: Money) -> None:
        if "balance" not in self.columns:
            return
        text = self.one(row, "balance")
        after: Money | None = None
        if text:
            try:
                after = self._money(text, amount.currency)
            except AmountUnreadable as error:
                do = "look at the row in the file"
                problem = Problem("balance-unreadable", _locator(row), "balance", text, error.why, do)
                draft.problems.append(problem)
        draft.balances.append(_Balance(_locator(row), amount, after))

    def statements(self) -> tuple[Statement, ...]:
        unreadable = any(p.code == "line-unreadable" for d in self.drafts.values() for p in d.problems)
        if not self.drafts:
            self._draft(self.profile.account or "", self.profile.currency)
        return tuple(_statement(draft, self.dialect, unreadable=unreadable) for draft in self.drafts.values())

    def warnings(self) -> Iterable[str]:
        return (f"rows-skipped:{reason}:{count}" for reason, count in sorted(self.skipped.items()))


def _locator(row: Row) -> str:
    return f"line {row.number}"


def _fee_line(line: BankLineRead, fee: Money) -> BankLineRead:
    return replace(
        line,
        locator=f"{line.locator}/fee",
        key=identity.part_key(line.key, 1, "fee", fee),
        amount=fee,
        original_amount=None,
        code_family="fee",
        is_return=False,
        raw="",
    )


def _statement(draft: _Draft, dialect: CsvDialect, *, unreadable: bool) -> Statement:
    ordered = draft.balances if dialect.order == "oldest first" else draft.balances[::-1]
    draft.opening, draft.closing, broken = _chain(ordered)
    draft.problems += broken
    draft.days_of_lines()
    statement = draft.statement()
    return replace(statement, proven="unproven") if unreadable else statement


def _chain(balances: list[_Balance]) -> tuple[Money | None, Money | None, tuple[Problem, ...]]:
    """Opening and closing by the running balance, and the first row where it does not follow."""
    first = next((i for i, balance in enumerate(balances) if balance.after is not None), None)
    if first is None:
        return None, None, ()
    closing = running_at_closing = balances[first].after or balances[first].moved
    opening = running = closing - _sum(balances[: first + 1], closing.currency)
    broken: tuple[Problem, ...] = ()
    for balance in balances:
        running += balance.moved
        if balance.after is None:
            continue
        if balance.after != running and not broken:
            why = f"the balance says {balance.after}, the rows before it give {running}"
            do = "check that no row is missing, that the profile's signs are right, and the order of rows"
            raw = balance.after.text()
            broken = (Problem("balance-chain-broken", balance.locator, "balance", raw, why, do),)
        closing, running_at_closing = balance.after, running
    # Rows after the last stated balance move the closing balance on.
    return opening, closing + (running - running_at_closing), broken


def _sum(balances: Iterable[_Balance], currency: str) -> Money:
    return Money(sum(balance.moved.minor for balance in balances), currency)
