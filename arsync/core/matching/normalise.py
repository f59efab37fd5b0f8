"""Names, accounts and document numbers in the one form in which they are compared.

Shape   text -> text; pure. `number_keys` and `normalise_payer` are stored at ingest, so a run compares and
        never rewrites old rows.
Law     a number and every way payers write it (prefix or separators dropped, zeros dropped, last six digits)
        share a key.
Source  the ways payers write numbers were collected from bank files of 35 public sources.
"""

import re
import unicodedata
from functools import lru_cache

_EXPANDED = str.maketrans(
    {
        "Ä": "AE",
        "Ö": "OE",
        "Ü": "UE",
        "Ø": "OE",
        "Æ": "AE",
        "Œ": "OE",
        "Å": "AA",
        "Ł": "L",
        "Đ": "D",
        "ẞ": "SS",
    }
)
_BANK_PREFIX = re.compile(
    r"^(?:ACH CREDIT|ORIG CO NAME|WIRE FROM|WIRE TRANSFER FROM|DEPOSIT|CHQ|CHECK FROM|FPI|BACS|CHAPS|SEPA)[ :]+"
)
_APOSTROPHES = re.compile(r"['`\u2018\u2019\u00b4]")
_NOT_WORD = re.compile(r"[^A-Z0-9]+")
_JOINERS = frozenset({"AND", "UND", "ET"})
_LEGAL = {
    "LIMITED": "LTD",
    "INCORPORATED": "INC",
    "CORPORATION": "CORP",
    "COMPANY": "CO",
}
SUFFIXES = frozenset(
    [
        "AB",
        "AG",
        "AS",
        "BV",
        "CO",
        "CORP",
        "GMBH",
        "INC",
        "KG",
        "LLC",
        "LLP",
        "LP",
        "LTD",
        "NV",
        "OY",
        "PC",
        "PLC",
        "PLLC",
        "PTY",
        "SA",
        "SARL",
        "SAS",
        "SE",
        "SL",
        "SPA",
        "SRL",
    ]
)
_RUNS = re.compile(r"[A-Z]+|[0-9]+")
_PLAIN_NUMBER = re.compile(
    r"[^A-Z0-9]*([A-Z]*)[^A-Z0-9]*(0*[1-9][0-9]*)[^A-Z0-9]*"
)  # as most are: letters, then one run of figures
_TAIL_DIGITS = 6
TAIL = "~"  # marks a key made of the last six digits only


def fold(text: str) -> str:
    """Upper case without accents; umlauts as banks spell them (`Müller` -> `MUELLER`)."""
    upper = text.upper()
    if upper.isascii():
        return upper
    spread = unicodedata.normalize("NFKD", upper.translate(_EXPANDED))
    return "".join(char for char in spread if not unicodedata.combining(char))


@lru_cache(maxsize=1 << 16)
def normalise_payer(name: str) -> str:
    r"""A name for comparing: words in order, bank prefixes and punctuation gone, legal suffixes short.

    `O'Brien \ Sons' & Co` -> `OBRIEN SONS CO`; empty when nothing is left.
    """
    plain = _APOSTROPHES.sub("", _BANK_PREFIX.sub("", fold(name).strip()))
    words = (_LEGAL.get(word, word) for word in _NOT_WORD.sub(" ", plain).split())
    return " ".join(word for word in words if word not in _JOINERS)


def base_name(normalised: str) -> str:
    """A normalised name without its legal suffixes; never empty for a name that was not."""
    words = normalised.split()
    while len(words) > 1 and words[-1] in SUFFIXES:
        words.pop()
    return " ".join(words)


def normalise_account(account: str) -> str:
    """An account for comparing: letters and digits only; empty when digits are hidden (`****1234`)."""
    if not account or "*" in account or "XXX" in account.upper():
        return ""
    return _NOT_WORD.sub("", account.upper())


@lru_cache(maxsize=1 << 16)
def number_keys(number: str) -> tuple[str, ...]:
    """The keys under which a document number is found, strongest first.

    `INV-041234` -> (`INV041234`, `INV41234`, `41234`); `2024-00123` -> (`202400123`, `2024-123`, `~400123`).
    A key with `~` is the last six digits, which names a document only within one customer.
    """
    return keys_of_number(number)


def keys_of_number(number: str) -> tuple[str, ...]:
    """As `number_keys`, without keeping the answer: for a million numbers that come once each."""
    upper = fold(number)
    plain = _PLAIN_NUMBER.fullmatch(upper)
    if plain is None:
        return _keys_of_runs(_RUNS.findall(upper))
    letters, figures = plain.groups()
    short = figures.lstrip("0")
    tail = (TAIL + figures[-_TAIL_DIGITS:],) if len(figures) > _TAIL_DIGITS else ()
    if not letters:
        return (short, *tail) if short == figures else (figures, short, *tail)
    if short == figures:
        return (letters + figures, figures, *tail)
    return (letters + figures, letters + short, short, *tail)


def _keys_of_runs(runs: list[str]) -> tuple[str, ...]:
    figures = [run for run in runs if run.isdigit()]
    joined = "".join(figures)
    if not joined.strip("0"):
        return ("".join(runs),) if len("".join(runs)) >= _TAIL_DIGITS else ()
    short = [run.lstrip("0") or "0" for run in figures]
    bare = "".join(run if run.isalpha() else run.lstrip("0") or "0" for run in runs)
    keys = ["".join(runs), bare] if len(runs) > len(figures) else ["".join(runs)]
    keys += ["-".join(short), joined.lstrip("0")]
    if len(joined) > _TAIL_DIGITS:
        keys.append(TAIL + joined[-_TAIL_DIGITS:])
    return tuple(dict.fromkeys(keys))
