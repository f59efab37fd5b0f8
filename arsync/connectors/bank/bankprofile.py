"""A bank profile: what a file of this bank does not say itself. Declared by a person, never guessed.

Shape   TOML text -> `Profile`; unknown words in it are errors, not ignored.
Errors  `ConfigError` naming the key and what is allowed.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import Any, Literal, TypeVar, get_args

from arsync.connectors.bank.amounts import AmountStyle, is_currency
from arsync.core.bank import CodeFamily, Grade, Trust
from arsync.errors import ConfigError, NotFound

SignModel = Literal["signed", "inverted", "debit and credit columns", "flag"]
Order = Literal["oldest first", "newest first"]
CsvKind = Literal["statement", "payout", "advice"]
OddSign = Literal["problem", "ignore", "flip"]
BalanceUnit = Literal["major", "minor"]
DateOrder = Literal["month first", "day first", "year first"]
DEFAULT_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows that are not booked lines: pending, totals, headings. Counted and named, never silent.

    Attributes:
        column: name or 1-based number of the column looked at.
        values: texts that mark such a row; exact, or its start when `starts` is true.
        reason: one word for the warning, `rows-skipped:<reason>`.
    """

    column: str | int
    values: tuple[str, ...]
    reason: str
    starts: bool = False


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """The shape of one bank's CSV export.

    Attributes:
        encodings: tried in this order, strictly.
        header: the names of the header row exactly as written, or empty when there is none.
        header_within: the header stands in one of the first so many rows; rows above it are preamble.
        first_row: without a header, the 1-based number of the first row of data.
        columns: our field -> column name, or 1-based number. Fields: booking_date, value_date, amount,
            debit, credit, flag, currency, account, payer_name, payer_account, text (a list), id,
            bank_reference, end_to_end_id, creditor_reference, cheque_number, code, balance,
            original_amount, original_currency.
        date_formats: strptime formats, tried in this order; they must not be able to fit the same text.
        money_in, money_out: values of the flag column.
        odd_sign: a minus in a debit, credit or flagged amount: a problem, `ignore`d (it repeats
            the column), or `flip` (it takes back).
        continued: a row with nothing but text goes on with the text of the row above it.
        skips: rows that are not booked lines.
        kind: a statement of an account; a report of payouts, whose rows are what bank lines are made of (columns
            payout and fee); or remittance advices (columns payment, reference, paid, gross, discount, note, total).
        families: text of the code column -> code family of the line (see `CodeFamily`).
        sheet: name of the sheet, in a workbook; None: the first that is shown.
    """

    columns: Mapping[str, str | int | tuple[str | int, ...]]
    date_formats: tuple[str, ...]
    sign: SignModel = "signed"
    delimiter: str = ","
    quote: str = '"'
    encodings: tuple[str, ...] = ("utf-8",)
    header: tuple[str, ...] = ()
    header_within: int = 1
    first_row: int = 1
    money_in: tuple[str, ...] = ()
    money_out: tuple[str, ...] = ()
    odd_sign: OddSign = "problem"
    order: Order = "oldest first"
    continued: bool = False
    skips: tuple[Skip, ...] = ()
    kind: CsvKind = "statement"
    families: Mapping[str, CodeFamily] = field(default_factory=dict)
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class LockboxLayout:
    """How one bank fills the overflow records (4) of its lockbox files.

    Attributes:
        invoice_width: characters of the invoice number, from column 12.
        amount_width: characters of the amount in minor units behind it; 0 when there is none.
    """

    invoice_width: int
    amount_width: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person declares about one bank's files.

    Attributes:
        currency: used where the file names none; such lines carry `currency-from-profile`.
        account: used where the file names none.
        id_trust: trust in the bank's line ids; C for a bank that numbers anew on every download.
        entry_reference_trust: the same for camt `NtryRef`, which many banks repeat or renumber.
        amounts: how amounts are written.
        invert_sign: the bank writes money out as positive (card statements).
        balance_unit: what a balance without a decimal mark counts; None when not known.
        date_order: how QIF files write dates; None when not known.
        grade: trust in remittance advices read by this profile; "known sender" only if a person vouches for it.
        lockbox: how lockbox files write invoices; None: the whole field is the number.
    """

    name: str
    currency: str | None = None
    account: str | None = None
    id_trust: Trust = "B"
    entry_reference_trust: Trust = "C"
    amounts: AmountStyle = field(default_factory=AmountStyle)
    invert_sign: bool = False
    balance_unit: BalanceUnit | None = None
    date_order: DateOrder | None = None
    lockbox: LockboxLayout | None = None
    grade: Grade = "unknown"
    max_bytes: int = DEFAULT_MAX_BYTES
    csv: CsvDialect | None = None


GENERIC = Profile(name="generic")

CSV_FIELDS = frozenset(
    [
        "booking_date",
        "value_date",
        "amount",
        "debit",
        "credit",
        "flag",
        "currency",
        "account",
        "payer_name",
        "payer_account",
        "text",
        "id",
        "bank_reference",
        "end_to_end_id",
        "creditor_reference",
        "cheque_number",
        "code",
        "balance",
        "original_amount",
        "original_currency",
        "payout",
        "fee",
        "payment",
        "reference",
        "paid",
        "gross",
        "discount",
        "note",
        "total",
        "document_date",
    ]
)
_SIGN_COLUMNS: Mapping[SignModel, tuple[str, ...]] = {
    "signed": ("amount",),
    "inverted": ("amount",),
    "debit and credit columns": ("debit", "credit"),
    "flag": ("amount", "flag"),
}


def shipped_profile(name: str) -> Profile:
    """One of the profiles that come with arsync. Raises `NotFound` with the list of names."""
    folder = resources.files("arsync.connectors.bank") / "profiles"
    names = sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )
    if name not in names:
        raise NotFound(
            f"no bank profile {name!r} is shipped", do=f"use one of {', '.join(names)}, or your own file"
        )
    return parse_profile((folder / f"{name}.toml").read_text("utf-8"), where=name)


def parse_profile(text: str, *, where: str) -> Profile:
    """Read a profile from TOML.

    Args:
        text: the TOML.
        where: file name for errors.

    Raises:
        ConfigError: not TOML, an unknown key, a wrong type, or a dialect that cannot work.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"the bank profile is not TOML: {error}", where=where, do="correct the file"
        ) from None
    return _profile(table, where)


_Kind = TypeVar("_Kind", AmountStyle, CsvDialect, LockboxLayout, Profile, Skip)


def _profile(table: dict[str, Any], where: str) -> Profile:
    csv_table = table.pop("csv", None)
    amounts = _build(AmountStyle, table.pop("amounts", {}), f"{where}, [amounts]")
    csv = None if csv_table is None else _csv_dialect(csv_table, f"{where}, [csv]")
    lockbox_table = table.pop("lockbox", None)
    lockbox = None if lockbox_table is None else _build(LockboxLayout, lockbox_table, f"{where}, [lockbox]")
    profile = _build(Profile, {**table, "amounts": amounts, "csv": csv, "lockbox": lockbox}, where)
    for key, allowed in (("id_trust", get_args(Trust)), ("entry_reference_trust", get_args(Trust))):
        _one_of(getattr(profile, key), allowed, key, where)
    _one_of(profile.balance_unit, (None, *get_args(BalanceUnit)), "balance_unit", where)
    _one_of(profile.grade, get_args(Grade), "grade", where)
    _one_of(profile.date_order, (None, *get_args(DateOrder)), "date_order", where)
    _one_of(profile.amounts.decimal_mark, (None, ".", ","), "decimal_mark", where)
    if csv and profile.amounts.decimal_mark is None:
        raise ConfigError(
            "a CSV profile must declare its decimal mark", where=where, do="set amounts.decimal_mark"
        )
    if profile.currency is not None and not is_currency(profile.currency):
        raise ConfigError(
            f"currency {profile.currency!r} is not in ISO 4217", where=where, do="use a code like EUR"
        )
    return profile


def _csv_dialect(table: dict[str, Any], where: str) -> CsvDialect:
    skips = tuple(_build(Skip, skip, f"{where} skips") for skip in table.pop("skips", []))
    columns = {name: _frozen(column) for name, column in dict(table.pop("columns", {})).items()}
    dialect = _build(CsvDialect, {**table, "columns": columns, "skips": skips}, where)
    _one_of(dialect.sign, get_args(SignModel), "sign", where)
    _one_of(dialect.odd_sign, get_args(OddSign), "odd_sign", where)
    _one_of(dialect.order, get_args(Order), "order", where)
    unknown = sorted(set(columns) - CSV_FIELDS)
    if unknown:
        raise ConfigError(f"unknown fields {unknown} in columns", where=where, do=f"use {sorted(CSV_FIELDS)}")
    _one_of(dialect.kind, get_args(CsvKind), "kind", where)
    for family in dialect.families.values():
        _one_of(family, get_args(CodeFamily), "families", where)
    needed = (
        {"reference", "paid"} if dialect.kind == "advice" else {"booking_date", *_SIGN_COLUMNS[dialect.sign]}
    )
    needed |= {"text"} if dialect.continued else set()
    needed |= {"payout"} if dialect.kind == "payout" else set()
    missing = sorted(needed - set(columns))
    if missing:
        raise ConfigError(
            f"columns lacks {missing}", where=where, do="name the column, or its 1-based number"
        )
    if not dialect.header and any(isinstance(c, str) for c in _named(dialect)):
        raise ConfigError("columns are named, but no header is declared", where=where, do="declare header")
    absent = sorted(str(c) for c in _named(dialect) if isinstance(c, str) and c not in dialect.header)
    if absent:
        raise ConfigError(f"columns {absent} are not in the header", where=where, do="use the header's names")
    if len(dialect.delimiter) != 1 or len(dialect.quote) > 1:
        raise ConfigError("delimiter and quote are one character each", where=where, do="correct them")
    return dialect


def _named(dialect: CsvDialect) -> list[str | int]:
    found: list[str | int] = [skip.column for skip in dialect.skips]
    for column in dialect.columns.values():
        found.extend(column if isinstance(column, tuple) else (column,))
    return found


def _build(kind: type[_Kind], table: Mapping[str, Any], where: str) -> _Kind:
    known = {item.name for item in fields(kind)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigError(f"unknown keys {unknown}", where=where, do=f"use {sorted(known)}")
    try:
        return kind(**{key: _frozen(value) for key, value in table.items()})
    except TypeError as error:
        raise ConfigError(f"incomplete: {error}", where=where, do="add the missing key") from None


def _frozen(value: Any) -> Any:  # noqa: ANN401 - TOML has any shape
    return tuple(value) if isinstance(value, list) else value


def _one_of(value: object, allowed: tuple[object, ...], key: str, where: str) -> None:
    if value not in allowed:
        raise ConfigError(f"{key} is {value!r}", where=where, do=f"use one of {[a for a in allowed if a]}")
