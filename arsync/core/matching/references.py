"""Numbers in a payer's text that are numbers of ours.

Shape   (texts, known keys) -> `Reading`; pure. `known` holds the keys of open documents
        (`normalise.number_keys`), so a number is read because such a document exists, never because it looks
        like one.
Law     whole tokens only: a number is never found inside a longer run of digits. Dates, amounts, IBANs, phone
        and customer numbers are masked first. Each reading of the line breaks is read alone; what they name
        is joined.
Source  the patterns were collected from public bank files; tests hold our own text for each.
"""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from arsync.core.matching.normalise import TAIL, fold, number_keys

_LABELS = frozenset(
    [
        "BILL",
        "BILLS",
        "BN",
        "DOC",
        "FA",
        "FACT",
        "FACTUUR",
        "FACTUURNR",
        "FACTUURNUMMER",
        "FACTURA",
        "FACTURE",
        "FACTURES",
        "FAKNR",
        "FAKTURA",
        "FAKTUUR",
        "INV",
        "INVNO",
        "INVOICE",
        "INVOICES",
        "INVS",
        "RE",
        "RECH",
        "RECHN",
        "RECHNUNG",
        "RECHNUNGEN",
        "RECHNUNGSNR",
        "RECHNR",
        "RENR",
        "RG",
        "RGNR",
        "RNR",
        "REF",
        "REFS",
        "NR",
        "NO",
        "NUM",
        "NUMMER",
        "NUMBER",
    ]
)
_OWN_LABELS = _LABELS - {
    "REF",
    "REFS",
    "NR",
    "NO",
    "NUM",
    "NUMMER",
    "NUMBER",
    "DOC",
}  # a word that says "invoice"
_OF_THE_PAYMENT = frozenset(
    {"REF", "REFS"}
)  # after a number they begin another, which may be the payer's own
_LIST_WORDS = frozenset({"AND", "UND", "EN", "ET", "U", "Y", "NR", "NO", "NUMBER", "NUMMER", "VOM", "V"})
_MASKS = re.compile(
    r"""
      (?P<iban>(?<![A-Z0-9])[A-Z]{2}[0-9]{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,4})?(?![A-Z0-9]))
    | (?<![A-Z])(?:TEL|TELEFON|PHONE|FON|FAX|MOBILE|CALL)\b[.: ]*\+?[0-9][0-9 ()/-]{4,}
    | \+[0-9]{6,}
    | (?<![A-Z])(?:KLANT|KLANTNUMMER|KLANTNR|KUNDENNR|KUNDENNUMMER|KUNDEN-NR|KD-NR|KDNR|K-NR|CUST|CUSTOMER|CLIENT
        |CLIENTE|DEBNR|DEBITOR|VERTRAGSKONTO|VERTRAG|CONTRACT|CONTRAT|MANDATE?|A/C|ACCT|ACCOUNT|KTO|KONTO|ID)
        (?:[ ]?(?:NO|NR|NUMBER|REF))?\b[.:*\# ]*[A-Z]{0,3}[0-9][A-Z0-9]*(?:-[0-9]+)*
    | (?<![0-9])(?:19|20)[0-9]{2}[-/.](?:0[1-9]|1[0-2])[-/.](?:0[1-9]|[12][0-9]|3[01])(?![0-9])
    | (?<![0-9])(?:0?[1-9]|[12][0-9]|3[01])[-/.](?:0?[1-9]|[12][0-9]|3[01])[-/.]
        (?:(?:19|20)[0-9]{2}|[0-9]{2})(?![0-9])
    | (?<![0-9])[0-9]{2}/(?:0[1-9]|1[0-2])/(?:0[1-9]|[12][0-9]|3[01])(?![0-9])
    | (?<![0-9./-])(?:0?[1-9]|1[0-2])[/.](?:19|20)[0-9]{2}(?![0-9])
    | (?<![0-9./-])(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])(?![0-9-])
    | (?<![A-Z])(?:JAN|FEB|M[AE]R|MAA|APR|MAY|MAI|MEI|JUN|JUL|AUG|SEP|O[CK]T|NOV|DE[CZ])[A-Z]*[. ]*
        (?:19|20)[0-9]{2}(?![0-9])
    | (?<![0-9.,-])[0-9]{1,3}(?:[.,'][0-9]{3})+[.,][0-9]{2}(?![0-9])
    | (?<![0-9.,])[0-9]+[.,][0-9]{2}(?![0-9]|[.,/-][0-9])
    | (?<![A-Z])(?:AMT|AMOUNT|BETRAG|EUR|USD|GBP|CHF|DEM|KRS|KURS)[ ]*[0-9][0-9.,]*
    """,
    re.VERBOSE,
)
# What every mask needs somewhere: most texts have none of it, and this is asked in a fifth of the time.
_MASKED_PERHAPS = re.compile(
    r"""
      [0-9][-/.,'][0-9] | [A-Z]{2}[0-9]{2} | \+[0-9]
    | (?<![A-Z])(?:TEL|PHONE|FON|FAX|MOBILE|CALL|K|CUST|CLIENT|CONTR|MAND|DE|VERTRAG|A/C|ACC|ID|JAN|FEB|M[AE]|AP|JU|AUG
        |SEP|O[CK]T|NOV|AM|BETRAG|EUR|USD|GBP|CHF)
    """,
    re.VERBOSE,
)
_TOKEN = re.compile(r"[A-Z0-9]+(?:[-/._][A-Z0-9]+)*")
_SEGMENT = re.compile(r"[A-Z0-9]+")
_DIGITS = re.compile(r"[0-9]")
_LETTERS = re.compile(r"[A-Z]+")
_LIST_MARKS = frozenset({",", "+", ";", "/", "-"})
_LAST_DIGITS = re.compile(r"[0-9]+$")
_SHORT_END = re.compile(r"[-/]([0-9]+)")
_CORE = re.compile(r"^([A-Z]*)([0-9][0-9./_-]*?)[./_-]?([A-Z]*)$")
_BREAKS = frozenset(
    {" ", "- ", " -", "/ ", " /"}
)  # a number broken by a space, beside its own separator or not
_WINDOW = 6  # a number printed in groups is read across at most this many tokens
_STRONG_DIGITS = 5
_READABLE_DIGITS = 4
_LEAST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Mention:
    """A number of ours that the text names."""

    raw: str
    key: str  # the key it was found under
    weak: bool  # short, or only the last digits: means something within one customer only
    labelled: bool  # stands after a word such as INVOICE


@dataclass(frozen=True, slots=True)
class Reading:
    """What the texts name, in order of the text."""

    mentions: tuple[Mention, ...] = ()
    unknown: tuple[str, ...] = ()  # numbers after an invoice word that are no open document's
    unread: tuple[str, ...] = ()  # all numbers of some length that are no open document's
    open_end: bool = False  # after a number that is read stands one that is not: the list may go on


@dataclass(slots=True)
class _Token:
    text: str
    start: int
    end: int
    labelled: bool
    owned: bool  # after a word that says invoice, not only "number"
    before: str = ""  # the word just before it, if only a space stands between


def read(texts: Iterable[str], known: Container[str]) -> Reading:
    """The document numbers that the texts name.

    Args:
        texts: the same remittance text in its joinings.
        known: keys of open documents.
    """
    mentions: dict[str, Mention] = {}
    unknown: list[set[str]] = []
    unread: dict[str, None] = {}
    open_end = False
    for text in dict.fromkeys(texts):
        if not _DIGITS.search(text):
            continue
        found, missed, left, certain, goes_on = _read_one(text, known)
        open_end |= goes_on
        unread |= dict.fromkeys(left)
        for mention in found:
            mentions.setdefault(mention.key, mention)
        unknown.append(set(missed))
        if certain:
            break  # every number is read for sure: another joining can only cut or glue
    # A number that one joining reads and the other cuts in two is not unknown.
    missing = sorted(set.intersection(*unknown)) if unknown else []
    return Reading(tuple(mentions.values()), tuple(missing), tuple(unread), open_end)


def mask(text: str) -> str:
    """The text, upper case, with everything blanked that has digits and is no document number."""
    folded = fold(text)
    return _MASKS.sub(_blank, folded) if _MASKED_PERHAPS.search(folded) else folded


def _blank(match: re.Match[str]) -> str:
    iban = match["iban"]
    if iban and not _is_iban(iban):
        return match[0]
    return "|"


def _is_iban(text: str) -> bool:
    packed = text.replace(" ", "")
    return int("".join(str(int(char, 36)) for char in packed[4:] + packed[:4])) % 97 == 1


def _read_one(text: str, known: Container[str]) -> tuple[list[Mention], list[str], list[str], bool, bool]:
    """What one joining names, invoice numbers and other numbers it misses.

    Also whether it reads all for sure, and whether after a number that is read stands one that is not.
    """
    masked = mask(text)
    tokens = list(_tokens(masked))
    alone = [(index, mention) for index, token in enumerate(tokens) for mention in _in_token(token, known)]
    surely = {index for index, mention in alone if not mention.weak}
    joined = _across_tokens(masked, tokens, surely, known) if len(surely) < len(tokens) > 1 else []
    covered = {index for first, size, _ in joined for index in range(first, first + size)}
    placed = [pair for pair in alone if pair[0] not in covered] + [
        (first, mention) for first, _, mention in joined
    ]
    read_at = covered | {index for index, _ in placed}
    placed += _abbreviated(masked, tokens, placed, known)
    placed.sort(key=lambda pair: pair[0])
    left = [
        token
        for index, token in enumerate(tokens)
        if index not in read_at and _digit_count(token.text) >= _READABLE_DIGITS
    ]
    missed = [token.text for token in left if token.owned]
    certain = bool(tokens) and len(surely) == len(tokens)
    goes_on = any(_begins_another(tokens[index].text, mention) for index, mention in placed) or (
        bool(read_at) and any(index not in read_at for index in range(min(read_at), len(tokens)))
    )
    return [mention for _, mention in placed], missed, [token.text for token in left], certain, goes_on


def _begins_another(text: str, mention: Mention) -> bool:
    """Whether another number breaks off behind a mention: `315897/3159`, of numbers that begin alike."""
    digits = _LAST_DIGITS.search(mention.key)
    tails = _SHORT_END.findall(text.partition(mention.raw)[2])
    return digits is not None and any(
        len(tail) >= _LEAST_DIGITS and tail[:2] == digits[0][:2] for tail in tails
    )


def _tokens(masked: str) -> Iterator[_Token]:
    """Tokens with digits; a label covers the list that follows it."""
    labelled = owned = numbered = False
    end, before = 0, ""
    for match in _TOKEN.finditer(masked):
        word = match[0]
        if "|" in masked[end : match.start()]:
            labelled = owned = False
        near = before if masked[end : match.start()] == " " else ""
        end, before = match.end(), word
        if not _DIGITS.search(word):
            last = word.rsplit(".", 1)[-1].rsplit("/", 1)[-1]
            if last in _LABELS:
                goes_on = owned and not (numbered and last in _OF_THE_PAYMENT)
                labelled, owned, numbered = True, goes_on or last in _OWN_LABELS, False
            elif word not in _LIST_WORDS:
                labelled = owned = False
            continue
        head = _LETTERS.match(word)
        glued = head is not None and head[0] in _OWN_LABELS
        numbered = True
        yield _Token(
            word,
            match.start(),
            match.end(),
            labelled or glued,
            owned or glued,
            near if near.isalpha() else "",
        )


def _in_token(token: _Token, known: Container[str]) -> list[Mention]:
    """Mentions inside one token: the longest spans of its segments first, never overlapping."""
    # `UNIT 20A` is one name, as `20A` alone is none.
    if token.before and (key := token.before + "".join(_SEGMENT.findall(token.text))) in known:
        return [Mention(f"{token.before} {token.text}", key, weak=False, labelled=token.labelled)]
    if whole := _probe(token.text, known, labelled=token.labelled, whole=True):
        return [whole]
    pieces = [match.span() for match in _SEGMENT.finditer(token.text)]
    found: list[Mention] = []
    at = 0
    while at < len(pieces):
        for stop in range(len(pieces), at, -1) if len(pieces) > 1 else ():
            span = token.text[pieces[at][0] : pieces[stop - 1][1]]
            mention = _probe(span, known, labelled=token.labelled, whole=(at, stop) == (0, len(pieces)))
            if mention:
                found.append(mention)
                at = stop - 1
                break
        at += 1
    return found


def _probe(span: str, known: Container[str], *, labelled: bool, whole: bool) -> Mention | None:
    """The strongest key of this span that a document has."""
    if not _DIGITS.search(span):
        return None
    for key in _spelt(span):
        if key in known and _enough(span, labelled=labelled):
            return Mention(span, key, weak=_is_weak(key, whole=whole), labelled=labelled)
    core = _CORE.match(span)
    if not core:
        return None
    glued, figures, tail = core.groups()
    padded = len(glued) > _LEAST_DIGITS or bool(tail)
    for key in number_keys(figures):
        if key.startswith(TAIL) or key not in known or not _enough(key, labelled=labelled):
            continue
        return Mention(span, key, weak=_is_weak(key, whole=whole and not padded), labelled=labelled)
    short = "".join(_SEGMENT.findall(figures))
    if TAIL + short in known and not (glued and not labelled):
        return Mention(span, TAIL + short, weak=True, labelled=labelled)
    return None


@lru_cache(maxsize=1 << 16)
def _spelt(span: str) -> tuple[str, ...]:
    """The keys of a span as it is spelt, letters and all."""
    keys = number_keys(span)
    return tuple(key for key in keys if not key.startswith(TAIL) and any(map(str.isalpha, key))) or keys[:1]


def _enough(text: str, *, labelled: bool) -> bool:
    return labelled or _digit_count(text) >= _LEAST_DIGITS


def _is_weak(key: str, *, whole: bool) -> bool:
    count = _digit_count(key)
    if count >= _STRONG_DIGITS:
        return False
    return not whole or count < _READABLE_DIGITS or not any(map(str.isalpha, key))


def _digit_count(text: str) -> int:
    return sum(map(str.isdigit, text))


def _across_tokens(
    masked: str, tokens: list[_Token], surely: set[int], known: Container[str]
) -> list[tuple[int, int, Mention]]:
    """Numbers with a space inside: neighbours that name nothing for sure, read as one, the longest first."""
    found: list[tuple[int, int, Mention]] = []
    taken = set(surely)
    for size in range(min(_WINDOW, len(tokens)), 1, -1):
        for at in range(len(tokens) - size + 1):
            places = range(at, at + size)
            if not taken.isdisjoint(places) or not _adjacent(masked, tokens[at : at + size]):
                continue
            mention = _glued(tokens[at : at + size], known)
            if mention:
                found.append((at, size, mention))
                taken.update(places)
    return found


def _adjacent(masked: str, window: list[_Token]) -> bool:
    return all(masked[left.end : right.start] in _BREAKS for left, right in pairwise(window))


def _glued(window: list[_Token], known: Container[str]) -> Mention | None:
    raw = " ".join(token.text for token in window)
    joined = "".join(token.text for token in window)
    core = _CORE.match(joined)
    for key in (number_keys(joined)[:1] or ()) + (number_keys(core[2])[:1] if core else ()):
        if key in known and _digit_count(key) >= _STRONG_DIGITS:
            return Mention(raw, key, weak=False, labelled=window[0].labelled)
    short = core[2] if core else ""
    if TAIL + short in known and (window[0].labelled or not core or not core[1]):
        return Mention(raw, TAIL + short, weak=True, labelled=window[0].labelled)
    return None


def _abbreviated(
    masked: str, tokens: list[_Token], placed: list[tuple[int, Mention]], known: Container[str]
) -> list[tuple[int, Mention]]:
    """`204711-12` and `204711, 12`: a short second number is the first with its end replaced, upwards only."""
    found: list[tuple[int, Mention]] = []
    for index, mention in placed:
        token = tokens[index]
        tails = _SHORT_END.findall(token.text.partition(mention.raw)[2]) if token.text != mention.raw else []
        for follower in tokens[index + 1 :]:
            gap = masked[token.end : follower.start].strip()
            if gap not in _LIST_MARKS or not follower.text.isdigit():
                break
            tails.append(follower.text)
            token = follower
        found += [(index, full) for tail in tails if (full := _completed(mention, tail, known))]
    return found


def _completed(mention: Mention, tail: str, known: Container[str]) -> Mention | None:
    head = _LAST_DIGITS.search(mention.key)
    if head is None or mention.key.startswith(TAIL) or len(tail) >= len(head[0]):
        return None
    full = mention.key[: -len(tail)] + tail
    if int(tail) <= int(head[0][-len(tail) :]) or full not in known:
        return None
    return Mention(f"{mention.raw}-{tail}", full, weak=mention.weak, labelled=mention.labelled)
