"""Remittance advices in plain sentences: "we have paid USD 3,450.00 for your invoices INV-1001 and INV-1002".

Units   the one amount the words name as paid, in the currency they name, else the given one.
Shape   text -> one `Remittance` whose lines name documents and state no amounts, or None; pure.
Law     money must be said to be paid, in one amount, for documents with numbers. A paragraph that denies, disputes or
        asks is nothing; what is quoted from an earlier letter is nothing. Which of our documents are named is not
        decided here: a line holds the payer's words, for who knows the open items.
"""

import re

from arsync.connectors.bank.readers.advice_document import (
    CURRENCIES,
    Given,
    Table,
    advice_of,
    currency_of,
    has_digit,
    mark_of,
    only_amount,
    said_total,
)
from arsync.core.bank import Remittance, RemittanceLine

_LONGEST = 20_000  # a letter that says what it pays says it sooner
_LONGEST_PARAGRAPH = 2_000
_EARLIER = re.compile(
    r"^(?:>|-{2,} ?(?:original|forwarded|ursprüngliche|weitergeleitete)|_{8,}|(?:from|von|de|van|da) ?: )",
    re.IGNORECASE,
)
_PAID = re.compile(
    r"\b(?:paid|remitted|transferred|wired|(?:payment|transfer|wire|remittance|ach|eft) (?:of|for|has been|was|is)"
    r"|überwiesen|angewiesen|gezahlt|bezahlt|zahlung (?:von|über|für)|réglé|payé|(?:virement|règlement) (?:de|pour)"
    r"|betaald|overgemaakt|pagato|bonifico (?:di|per)|pagado|transferido|transferencia (?:de|por))",
    re.IGNORECASE,
)
_WORDS = (
    r"(?:invoices?|inv|bills?|credit (?:notes?|memos?)|rechnung(?:en|s)?(?:nummern?|nr)?|re(?:-?nr)?|belege?"
    r"|gutschrift(?:en)?|factures?|avoirs?|factu(?:ur|ren)|fattur[ae]|facturas?)"
)
_WORD = re.compile(rf"\b{_WORDS}\b", re.IGNORECASE)
_DOCUMENT = re.compile(rf"\b{_WORDS}\b[^\n]{{0,40}}?[0-9]", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:not|never|cannot|can't|won't|haven't|unpaid|dispute[ds]?|wrong|incorrect|overdue|remind\w*"
    r"|please (?:pay|send|confirm)|will be paid|to be paid|(?:is|are|was|fell) due|fällig|nicht|falsch|mahnung"
    r"|bitte (?:zahlen|senden)|pas encore|contest\w*|niet|non ancora|aún no)\b|\?",
    re.IGNORECASE,
)
_FIGURES = r"[0-9]{1,3}(?:[., '\u00a0\u202f][0-9]{3}){0,4}(?:[.,][0-9]{2})?|[0-9]{1,12}(?:[.,][0-9]{2})?"
_AMOUNT = re.compile(
    rf"(?:(?:\b(?:{CURRENCIES})|US\$|[€£¥$]) ?({_FIGURES})(?![0-9.,]*[0-9]))"
    rf"|(?<![0-9.,])({_FIGURES}) ?(?:(?:{CURRENCIES})\b|[€£¥$])"
)
_BULLET = re.compile(
    rf"[\s*•·-]*(?:{_WORDS}[ .:#]{{1,3}})?(?P<reference>[A-Za-z0-9][A-Za-z0-9/_.-]{{2,30}}?)[.,;]?\s*",
    re.IGNORECASE,
)


def read(text: str, given: Given) -> Remittance | None:
    """Read the words of a letter."""
    own = _own(text[:_LONGEST])
    listed = _listed(own)
    if not listed or not _PAID.search(own):
        return None
    currency = currency_of("", own, given)
    amounts = [one or other for one, other in _AMOUNT.findall(own)]
    table = Table({}, currency, mark_of([[amount] for amount in amounts]))
    table.total = said_total(table, own) or only_amount(table, amounts)
    if table.total is None or table.total.minor <= 0:
        return None
    table.lines = [RemittanceLine(reference=one) for one in listed]
    table.raw = listed
    return advice_of(table, own, 1, given)


def _own(text: str) -> str:
    """What the sender says, without what is quoted from earlier letters."""
    lines: list[str] = []
    for line in text.splitlines():
        if _EARLIER.match(line.strip()):
            if line.strip().startswith(">"):
                continue
            break
        lines.append(line)
    return "\n".join(lines)


def _listed(text: str) -> list[str]:
    """What names documents, in order: sentences, and after a colon lines that are a number alone."""
    found: list[str] = []
    in_list = False
    for part in re.split(r"\n\s*\n", text):
        words: list[str] = []
        numbers: list[str] = []
        for line in filter(None, (" ".join(one.split()) for one in part.splitlines())):
            number = _number_alone(line) if in_list else None
            (words.append(line) if number is None else numbers.append(number))
            in_list = number is not None or line.endswith(":")
        said = " ".join(words)
        if words and (len(said) > _LONGEST_PARAGRAPH or _DENIED.search(said) or not _WORD.search(said)):
            in_list = False
            continue
        found += [said] if _DOCUMENT.search(said) else []
        found += numbers
    return found


def _number_alone(line: str) -> str | None:
    found = _BULLET.fullmatch(line)
    return found["reference"] if found and has_digit(found["reference"]) else None
