"""References with check digits, of ten countries and ISO: what a payer's number proves about itself.

Shape   text -> `Structured` references in it; one reference -> the numbers it may carry; pure.
Law     a reference is read only if its check digits are right. A check digit of one in ten numbers is not
        evidence by itself: `certain` is true only where form and check leave no other reading.
Source  ISO 11649 (RF); Febelfin OGM-VCS; Swiss Payment Standards (QRR, ESR); Finance Finland (viitenumero);
        Mastercard Payment Services KID; Bankgirot OCR; ZBS (SI model 12); Eesti Pangaliit 7-3-1; Nets FI-kort 71, 75;
        Betaalvereniging (betalingskenmerk, weights 2 4 8 5 10 9 7 3 6 1); HUB (HR models 00, 01).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Scheme = Literal["RF", "BE", "CH", "FI", "NO", "SE", "SI", "EE", "DK", "NL", "HR"]


@dataclass(frozen=True, slots=True)
class Structured:
    """A reference whose check digits are right.

    Attributes:
        scheme: ISO "RF", or the country whose rule it follows.
        reference: as it is compared: upper case, without separators.
        payload: what the issuer put in, without prefix and check digits; leading zeros kept.
        certain: its form leaves no other reading; else one number in ten fits by chance.
    """

    scheme: Scheme
    reference: str
    payload: str
    certain: bool


# ---- check digits


def mod_97(text: str) -> int:
    """ISO 7064 mod 97-10 of letters and digits, letters counting from A = 10."""
    return int("".join(str(int(char, 36)) for char in text)) % 97


def luhn(digits: str) -> int:
    """The Luhn check digit to put behind these digits."""
    total = 0
    for at, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if at % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the digits of the product
    return -total % 10


def recursive_mod_10(digits: str) -> int:
    """The Swiss check digit to put behind these digits."""
    carry = 0
    for digit in digits:
        carry = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)[(carry + int(digit)) % 10]
    return (10 - carry) % 10


def seven_three_one(digits: str) -> int:
    """The Finnish and Estonian check digit to put behind these digits."""
    total = sum(int(digit) * (7, 3, 1)[at % 3] for at, digit in enumerate(reversed(digits)))
    return -total % 10


def mod_11(digits: str) -> int:
    """Remainder with weights 2, 3, 4 ... 7 from the right, as Norway's KID uses them."""
    return sum(int(digit) * (2 + at % 6) for at, digit in enumerate(reversed(digits))) % 11


def _growing_mod_11(digits: str) -> int | None:
    """The Slovenian and Croatian check digit: weights 2, 3, 4 ... from the right."""
    left = sum(int(digit) * (2 + at) for at, digit in enumerate(reversed(digits))) % 11
    return {0: 0, 1: 0}.get(left, 11 - left)


def _dutch(digits: str) -> int:
    """The check digit in front of a Dutch payment reference."""
    weights = (2, 4, 8, 5, 10, 9, 7, 3, 6, 1)
    left = 11 - sum(int(digit) * weights[at % 10] for at, digit in enumerate(reversed(digits))) % 11
    return {10: 1, 11: 0}.get(left, left)


# ---- one reference


def rf(text: str) -> Structured | None:
    """ISO 11649: RF, two check digits, up to 21 letters and digits."""
    bare = _bare(text)
    if not re.fullmatch(r"RF[0-9]{2}[A-Z0-9]{1,21}", bare) or mod_97(bare[4:] + bare[:4]) != 1:
        return None
    return Structured("RF", bare, bare[4:], certain=True)


def belgian(text: str) -> Structured | None:
    """OGM-VCS: twelve digits, the last two the others mod 97 (97 for 0)."""
    bare = re.sub(r"[^0-9]", "", text)
    if len(bare) != 12 or (int(bare[:10]) % 97 or 97) != int(bare[10:]):  # noqa: PLR2004 - as published
        return None
    marked = (
        re.search(r"[+*]{3}", text) is not None or re.search(r"[0-9]{3}/[0-9]{4}/[0-9]{5}", text) is not None
    )
    return Structured("BE", bare, bare[:10], certain=marked)


def swiss(text: str) -> Structured | None:
    """QRR and ESR: 27 digits, or 16 of the old kind, the last the recursive mod 10 of the others."""
    bare = _digits(text)
    if len(bare) not in {16, 27} or recursive_mod_10(bare[:-1]) != int(bare[-1]):
        return None
    return Structured("CH", bare, bare[:-1], certain=len(bare) == 27)  # noqa: PLR2004 - nothing else is as long


def finnish(text: str) -> Structured | None:
    """Viitenumero: 4 to 20 digits with weights 7, 3, 1."""
    return _weighted("FI", _digits(text), 4)


def estonian(text: str) -> Structured | None:
    """Viitenumber: 2 to 20 digits with weights 7, 3, 1."""
    return _weighted("EE", _digits(text), 2)


def _weighted(scheme: Scheme, bare: str, shortest: int) -> Structured | None:
    if not shortest <= len(bare) <= 20 or seven_three_one(bare[:-1]) != int(bare[-1]):  # noqa: PLR2004
        return None
    return Structured(scheme, bare, bare[:-1], certain=False)


def norwegian(text: str) -> Structured | None:
    """KID: 3 to 25 characters, the last by mod 10, or by mod 11 where "-" stands for ten."""
    bare = re.sub(r"\s", "", text)
    if not re.fullmatch(r"[0-9]{2,24}[0-9-]", bare):
        return None
    eleven = (11 - mod_11(bare[:-1])) % 11
    by_eleven = bare[-1] == ("-" if eleven == 10 else str(eleven))  # noqa: PLR2004 - as published
    by_ten = bare[-1].isdigit() and luhn(bare[:-1]) == int(bare[-1])
    return Structured("NO", bare, bare[:-1], certain=False) if by_ten or by_eleven else None


def swedish(text: str) -> Structured | None:
    """OCR: 2 to 25 digits with a Luhn digit; the digit before it may be the length."""
    bare = _digits(text)
    if not 2 <= len(bare) <= 25 or luhn(bare[:-1]) != int(bare[-1]):  # noqa: PLR2004 - as published
        return None
    return Structured("SE", bare, bare[:-1], certain=False)


def slovenian(text: str) -> Structured | None:
    """SI and a model: 12 has a mod 11 check digit; 00 has none and proves nothing."""
    bare = re.sub(r"\s", "", text.upper())
    found = re.fullmatch(r"SI12([0-9-]{1,22})", bare)
    digits = found[1].replace("-", "") if found else ""
    if len(digits) < 2 or _growing_mod_11(digits[:-1]) != int(digits[-1]):  # noqa: PLR2004 - a number and its digit
        return None
    return Structured("SI", "SI12" + digits, digits[:-1], certain=True)


def croatian(text: str) -> Structured | None:
    """HR and a model: 01 has a mod 11 check digit over all its parts."""
    bare = re.sub(r"\s", "", text.upper())
    found = re.fullmatch(r"HR01([0-9-]{2,22})", bare)
    digits = found[1].replace("-", "") if found else ""
    if len(digits) < 2 or _growing_mod_11(digits[:-1]) != int(digits[-1]):  # noqa: PLR2004
        return None
    return Structured("HR", "HR01" + digits, digits[:-1], certain=True)


def danish(text: str) -> Structured | None:
    """FI-kort: +71< and 15 digits, +75< and 16 digits, with a Luhn digit; the creditor number may follow."""
    found = re.fullmatch(r"\+?(7[15])<?\s*([0-9]{15,16})(?:\s*\+[0-9]{8}<?)?", text.strip())
    if (
        not found
        or len(found[2]) != {"71": 15, "75": 16}[found[1]]
        or luhn(found[2][:-1]) != int(found[2][-1])
    ):
        return None
    return Structured("DK", found[1] + found[2], found[2][:-1], certain="+" in text or "<" in text)


def dutch(text: str) -> Structured | None:
    """Betalingskenmerk: 16 digits, the first the check digit of the others."""
    bare = _digits(text)
    if len(bare) != 16 or _dutch(bare[1:]) != int(bare[0]):  # noqa: PLR2004 - as published
        return None
    # A shorter number has its length behind the check digit and zeros after it.
    length = int(bare[1])
    carried = bare[2:].lstrip("0")
    payload = carried if 7 <= length <= 14 and len(carried) == length else bare[1:]  # noqa: PLR2004 - as published
    return Structured("NL", bare, payload, certain=False)


_BY_SCHEME: dict[Scheme, Callable[[str], Structured | None]] = {
    "RF": rf,
    "BE": belgian,
    "CH": swiss,
    "FI": finnish,
    "NO": norwegian,
    "SE": swedish,
    "SI": slovenian,
    "EE": estonian,
    "DK": danish,
    "NL": dutch,
    "HR": croatian,
}


def readings(reference: str) -> tuple[Structured, ...]:
    """Every rule under which one reference is right; the certain ones first, and alone if there are any."""
    found = [made for rule in _BY_SCHEME.values() if (made := rule(reference)) is not None]
    certain = [made for made in found if made.certain]
    return tuple(certain or found)


def _bare(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _digits(text: str) -> str:
    bare = re.sub(r"[\s.-]", "", text)
    return bare if bare.isascii() and bare.isdigit() else ""


# ---- in a text

_IN_TEXT = re.compile(
    r"""
      (?P<rf>(?<![A-Z0-9])RF[ ]?[0-9]{2}(?:[ ]?[A-Z0-9]{1,4}){1,6}(?![A-Z0-9]))
    | (?P<be>[+*]{3}[0-9 ]{3,4}/[0-9]{4}/[0-9]{5}[+*]{3}|(?<![0-9/])[0-9]{3}/[0-9]{4}/[0-9]{5}(?![0-9/]))
    | (?P<dk>\+7[15]<[0-9]{15,16}(?:\+[0-9]{8}<?)?)
    | (?P<si>(?<![A-Z0-9])SI[ ]?12[ ]?[0-9-]{2,22}(?![A-Z0-9]))
    | (?P<hr>(?<![A-Z0-9])HR[ ]?01[ ]?[0-9-]{2,22}(?![A-Z0-9]))
    | (?P<ch>(?<![0-9])[0-9]{2}(?:[ ]?[0-9]{5}){5}(?![0-9]))
    """,
    re.VERBOSE,
)
_RULES = {"rf": rf, "be": belgian, "dk": danish, "si": slovenian, "hr": croatian, "ch": swiss}


def find(text: str) -> tuple[Structured, ...]:
    """The references of a text that are certain: their form says what they are, and their check digits are right."""
    return tuple(_found(text.upper()))


def _found(text: str) -> Iterator[Structured]:
    for match in _IN_TEXT.finditer(text):
        made = _RULES[match.lastgroup or ""](match[0])
        if made is None and match.lastgroup == "rf":
            made = _shortened(match[0])
        if made is not None and made.certain:
            yield made


def _shortened(text: str) -> Structured | None:
    """An RF reference with a word behind it that a group of four swallowed."""
    groups = text.split(" ")
    return next((made for end in range(len(groups) - 1, 0, -1) if (made := rf(" ".join(groups[:end])))), None)


def carried(reference: Structured) -> tuple[str, ...]:
    """The numbers a reference may carry, the whole payload first; without leading zeros.

    A Swiss reference begins with the issuer's bank id (6 or 8 digits) and often pads the invoice with zeros: what
    stands behind the last run of three zeros is a candidate too.
    """
    payload = reference.payload.lstrip("0")
    candidates = [payload]
    if reference.scheme == "CH":
        candidates += [tail for tail in (re.split(r"0{3,}", reference.payload)[-1].lstrip("0"),) if tail]
        candidates += [reference.payload[skip:].lstrip("0") for skip in (6, 8)]
    if reference.scheme == "SE" and len(payload) > 2 and int(payload[-1]) == len(reference.reference) % 10:  # noqa: PLR2004
        candidates.append(payload[:-1])  # without the length digit
    return tuple(dict.fromkeys(number for number in candidates if number))


# ---- letters that look like digits

_LOOKS_LIKE = str.maketrans("OQDIL|SBZG", "0001115826")


def confusion_key(number: str) -> str:
    """One key for numbers that a person may take for each other (O and 0, I, l and 1, S and 5, B and 8, Z and 2).

    Law: equal keys are a question, never an answer: they need a second witness, such as the amount.
    """
    return re.sub(r"[^A-Z0-9]", "", number.upper().replace("|", "I")).translate(_LOOKS_LIKE)
